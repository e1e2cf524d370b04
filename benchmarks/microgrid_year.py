"""A microgrid year, of the twin and of vessim: load, PV and a battery that keeps PV for the evening, 15-minute steps.

    pip install vessim; python benchmarks/microgrid_year.py

Both get the same 35,040 values and a lossless battery that takes what PV leaves and gives what it lacks; both must then
import the same energy. The twin meters, bills and logs besides, and finds outages and failures at their instant.
"""

from __future__ import annotations

import statistics
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from machine import heading, in_turn

import twin
from twin.simulator import Simulator

STEP_MIN, START, ROUNDS = 15, "2026-01-01", 5
BATTERY_KWH, BATTERY_KW = 1000.0, 500.0
KEEP_FOR_EVENING = '''"""Takes what PV leaves, gives whatever is lacking; nothing from the grid."""

import numpy as np

from twin.ems.view import Plan


class Policy:
    within_day = False
    reads_stored = False

    def plan(self, view):
        far = np.full(view.floor_kwh.size, view.connection_kw)
        return Plan(view.floor_kwh, view.floor_kwh, far, view.floor_kwh, view.connection_kw)
'''


def series() -> tuple[np.ndarray, np.ndarray]:
    """(35,040,) load and PV of a year [kW]: a daily hump under noise, clear days under drawn clouds."""
    rng = np.random.default_rng(3)
    hour = np.arange(365 * 96) / 4.0
    load = 300.0 + 80.0 * np.sin((hour % 24 - 9.0) * np.pi / 12.0) + 20.0 * rng.standard_normal(hour.size)
    noon = 500.0 + 300.0 * np.sin((hour / 24.0 - 80.0) * 2.0 * np.pi / 365.0)
    sky = np.repeat(rng.uniform(0.2, 1.0, 365), 96)
    return load.round(3), (noon * sky * np.maximum(0.0, np.sin((hour % 24 - 6.0) * np.pi / 12.0))).round(3)


def ours(load: np.ndarray, pv: np.ndarray, kept: str) -> Callable[[], float]:
    """What simulates the twin's year and returns the imported energy [kWh]; its files stay in folder `kept`."""
    rows = "\n".join(f"{a!r},{b!r}" for a, b in zip(load.tolist(), pv.tolist(), strict=True))
    folder = Path(kept)
    (folder / "site.csv").write_text(f"load,pv\n{rows}\n")
    (folder / "evening.py").write_text(KEEP_FOR_EVENING)
    path = folder / "year.yaml"
    path.write_text(f"""
name: year
horizon: {{start: "{START}", hours: 8760}}
sites:
  site:
    house_load_kw: {float(load.max())!r}
    house_load_profile: {{file: site.csv, column: load, step_min: {STEP_MIN}}}
    pv: {{peak_kw: {float(pv.max())!r}, profile: {{file: site.csv, column: pv, step_min: {STEP_MIN}}}}}
    grid: {{feeders: {{A: {{}}}}}}
    protection:
      cabinets:
        core: 1
        topology: grid_following
        rated_kw: {BATTERY_KW}
        recharge_kw: {BATTERY_KW}
        rated_kwh: {BATTERY_KWH}
        soc_min_fraction: 0.0
        soc_max_fraction: 1.0
        soc_start_fraction: 0.0
        efficiency_one_way: 1.0
        auxiliary_kw: 0.0
        cabinet_mtbf_h: 1.0e+15
    ems: {{policy_file: evening.py}}
""")
    simulator = Simulator(twin.load(path, allow_code=True))

    def year() -> float:
        trace = simulator.run(0, "ledger")
        return float(trace.ledger["site"]["import_kwh"].sum())

    return year


def vessim(load: np.ndarray, pv: np.ndarray) -> Callable[[], float]:
    """What simulates vessim's year, without its recorder, and returns the imported energy [kWh]."""
    import pandas as pd  # noqa: PLC0415 - with vessim
    import vessim as vs  # noqa: PLC0415 - an extra
    from loguru import logger  # noqa: PLC0415 - with vessim

    logger.remove()
    offset_s = np.arange(load.size) * 60.0 * STEP_MIN
    load_w, pv_w = (vs.Trace(pd.Series(values * 1e3, index=offset_s)) for values in (load, pv))

    class Meter(vs.Controller):
        """Sums what the grid gives."""

        imported_kwh = 0.0

        def step(self, now: object, microgrid_states: dict[str, dict[str, float]]) -> None:  # noqa: ARG002
            self.imported_kwh += max(-microgrid_states["site"]["p_grid"], 0.0) / 1e3 * STEP_MIN / 60.0

    def year() -> float:
        environment = vs.Environment(sim_start=START, step_size=60 * STEP_MIN)
        battery = vs.SimpleBattery("battery", capacity=1e3 * BATTERY_KWH, c_rate=BATTERY_KW / BATTERY_KWH)
        environment.add_microgrid(
            name="site",
            actors=[vs.Consumer("load", signal=load_w), vs.Producer("pv", signal=pv_w)],
            dispatchables=[battery, vs.GridConnection("grid")],
        )
        meter = environment.add_controller(Meter())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            environment.run(until=365 * 86400)
        return float(meter.imported_kwh)

    return year


def paired(rounds: int = ROUNDS) -> tuple[list[float], list[float], float, float]:
    """CPU seconds of the twin's years and of vessim's, taken in turn, and what each imports [kWh]."""
    load, pv = series()
    with tempfile.TemporaryDirectory() as kept:
        years = ours(load, pv, kept), vessim(load, pv)
        twin_kwh, vessim_kwh = (year() for year in years)
        twin_s, vessim_s = in_turn([lambda _, year=year: year() for year in years], rounds)
    return twin_s, vessim_s, twin_kwh, vessim_kwh


def main() -> None:
    print(heading("A microgrid year of 35,040 steps (CPU, in turn)"))
    twin_s, vessim_s, twin_kwh, vessim_kwh = paired()
    print(f"imported: twin {twin_kwh:,.1f} kWh, vessim {vessim_kwh:,.1f} kWh, {twin_kwh / vessim_kwh - 1.0:+.1e}")
    ratios = sorted(b / a for a, b in zip(twin_s, vessim_s, strict=True))
    middle = statistics.median(ratios)
    print(f"twin {statistics.median(twin_s):.4f} s, vessim {statistics.median(vessim_s):.3f} s: {middle:.0f} times")


if __name__ == "__main__":
    main()
