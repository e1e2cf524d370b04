"""Random small scenarios: scripted events on a coarse lattice, so that instants coincide, and any protection."""

from typing import Any

from hypothesis import strategies as st
from simulation import CABINETS, COOLING, GENSETS, NETWORK, UPS, hall, job

DURATIONS_S = (0.005, 0.02, 0.5, 2.0, 15.0, 60.0, 600.0, 900.0, 3600.0, 10800.0)
LOCATION = {"latitude": 39.9, "longitude": 116.4, "timezone": "Asia/Shanghai"}
OUTDOOR = {
    **{key: value for key, value in COOLING.items() if key != "fraction_of_it"},
    "temperature": {
        "profile": {"hourly": [10.0, 20.0, 30.0] * 8},
        "curve": [{"outdoor_c": 10.0, "fraction_of_it": 0.15}, {"outdoor_c": 30.0, "fraction_of_it": 0.3}],
    },
}
LATTICE_S = (0.0, 0.005, 1.0, 15.0, 60.0, 900.0)


@st.composite
def scripts(draw: st.DrawFn, feeders: list[str], most: int = 6) -> list[dict[str, Any]]:
    """Events at whole hours plus a lattice offset, on one feeder or all."""
    events = []
    for _ in range(draw(st.integers(1, most))):
        at = draw(st.integers(0, 30)) + draw(st.sampled_from(LATTICE_S)) / 3600.0
        struck = draw(st.sampled_from([[], *([name] for name in feeders)]))
        events.append({"at_h": at, "duration_s": draw(st.sampled_from(DURATIONS_S)), "feeders": struck})
    return events


@st.composite
def protections(draw: st.DrawFn) -> dict[str, Any]:
    """Nothing, UPS or cabinets, with or without gensets; some luck in all of it."""
    out: dict[str, Any] = {}
    kind = draw(st.sampled_from(["none", "ups", "cabinets"]))
    chance = draw(st.sampled_from([0.0, 0.3]))
    if kind == "ups":
        modules = {"n": 2, "r": 1, "rated_kw": 200.0, "mtbf_h": draw(st.sampled_from([1e12, 20.0])), "mttr_h": 2.0}
        blocks, autonomy = draw(st.sampled_from([1, 2])), draw(st.sampled_from([5.0, 90.0]))
        out["ups"] = {
            **UPS, "modules": modules, "blocks": blocks, "autonomy_min": autonomy, "fail_on_demand_probability": chance,
            "block_mtbf_h": draw(st.sampled_from([1e12, 30.0])),
        }  # fmt: skip
    elif kind == "cabinets":
        out["cabinets"] = {
            **CABINETS, "per_row": draw(st.integers(0, 3)), "core": draw(st.integers(0, 2)),
            "cooling": draw(st.integers(0, 1)), "auxiliary_kw": draw(st.sampled_from([0.0, 2.0])),
            "rated_kwh": draw(st.sampled_from([20.0, 100.0, 261.0])),
            "topology": draw(st.sampled_from(["in_line", "parallel_static_switch", "grid_following"])),
            "transfer_ms": {"law": "uniform", "low": 0.0, "high": 30.0}, "transfer_failure_probability": chance,
            "cabinet_mtbf_h": draw(st.sampled_from([1e12, 10.0])),
            "cabinet_mttr_h": {"law": "exponential", "mean": 3.0},
            "loss_fraction": draw(st.sampled_from([0.0, 0.012])),
        }  # fmt: skip
    if draw(st.booleans()):
        out["gensets"] = {
            **GENSETS, "n": draw(st.integers(1, 3)), "rated_kw": draw(st.sampled_from([110.0, 400.0])),
            "fail_to_start_probability": chance, "mttf_running_h": draw(st.sampled_from([1e12, 0.5])), "mttr_h": 2.0,
        }  # fmt: skip
    return out


TARIFF: dict[str, Any] = {
    "price_per_kwh": {"sharp": 1.2, "peak": 1.0, "flat": 0.6, "valley": 0.3, "deep": -0.1}, "holidays": ["02-01"],
    "demand": {"mode": "actual", "price_per_kw_month": 40.0}, "export": {"price_per_kwh": 0.3},
}  # fmt: skip


@st.composite
def days(draw: st.DrawFn) -> dict[str, Any]:
    """A day cut into periods at random quarter-hours, the last one going on after midnight."""
    cuts = sorted(draw(st.sets(st.integers(0, 95), min_size=2, max_size=6)))
    spans: dict[str, list[str]] = {}
    for begin, end in zip(cuts, [*cuts[1:], cuts[0]], strict=True):
        text = "-".join(f"{k // 4}:{k % 4 * 15:02d}" for k in (begin, end or 96))
        spans.setdefault(draw(st.sampled_from(["sharp", "peak", "flat", "valley", "deep"])), []).append(text)
    return {period: ", ".join(texts) for period, texts in spans.items()}


@st.composite
def seasons(draw: st.DrawFn) -> dict[str, Any]:
    """Two seasons with days of up to three types, the second from a random month on."""
    first = draw(st.integers(1, 11))
    found = {}
    for name, months in {"one": list(range(1, first + 1)), "two": list(range(first + 1, 13))}.items():
        kinds = ["weekday", *draw(st.lists(st.sampled_from(["weekend", "holiday"]), unique=True, max_size=2))]
        found[name] = {"months": months} | {kind: draw(days()) for kind in kinds}
    return found


@st.composite
def plants(draw: st.DrawFn, cabinets: bool) -> dict[str, Any]:
    """PV smaller and larger than the load, with and without clouds, export and cabinets' strings."""
    pv: dict[str, Any] = {
        "peak_kw": draw(st.sampled_from([50.0, 400.0, 2000.0])),
        "export_limit_kw": draw(st.sampled_from([0.0, 30.0, 1e6])),
        "inverter_kw": draw(st.sampled_from([60.0, 1600.0])),
    }
    if draw(st.booleans()):
        pv["weather"] = {"clouds": {}}
    if cabinets:
        pv["islanding"] = draw(st.booleans())
    return pv


def _faults(per_year: float, mttr_h: float) -> dict[str, Any]:
    return {"failures_per_year": per_year, "mttr_h": {"law": "exponential", "mean": mttr_h}}


FAULTS: dict[str, Any] = {
    "switching_h": 0.5, "fuse_fails_to_operate_probability": 0.3, "breaker_fails_to_operate_probability": 0.1,
    "section_bus_bars": _faults(30.0, 3.0), "cables": _faults(300.0, 3.0), "row_transformers": _faults(100.0, 2.0),
    "row_busways": _faults(100.0, 1.0), "core_transformers": _faults(100.0, 2.0),
    "cooling_transformers": _faults(100.0, 2.0), "breakers": _faults(30.0, 1.0),
}  # fmt: skip
"""Several faults a day in the hall's network, often at once."""


@st.composite
def sites(draw: st.DrawFn) -> dict[str, Any]:
    """Changes to the hall: supply, protection, cooling, cap, recharge."""
    feeders = draw(st.sampled_from([["A"], ["A", "B"]]))
    grid: dict[str, Any] = {
        "feeders": {name: {} for name in feeders}, "script": draw(scripts(feeders)),
        "auto_transfer_s": draw(st.sampled_from([0.5, 1.0])),
        "auto_transfer_failure_probability": draw(st.sampled_from([0.0, 0.5])),
    }  # fmt: skip
    if draw(st.booleans()):
        grid["feeders"]["A"] = {"momentary": {"per_year": 2000.0, "duration_s": 1.0, "repeat_probability": 0.3}}
    site: dict[str, Any] = {"grid": grid, "protection": draw(protections()), "house_load_kw": 5.0}
    site["cluster"] = {"rows": draw(st.integers(2, 3)), "corded": draw(st.sampled_from(["single", "dual"]))}
    if draw(st.booleans()):
        site["cluster"]["on_backup"] = {"cap_after_s": draw(st.sampled_from([0.0, 60.0]))}
    if draw(st.booleans()):
        grid["import_limit_kw"] = draw(st.sampled_from([150.0, 250.0, 320.0]))
    if draw(st.booleans()):
        grid["feeders"]["A"]["capacity_kw"] = 200.0
    if draw(st.booleans()):
        site["network"] = draw(st.sampled_from([NETWORK, {**NETWORK, "failures": FAULTS}]))
    if draw(st.booleans()):
        site["house_load_profile"] = {"hourly": [0.2] * 9 + [1.0] * 9 + [0.5] * 6}
        site["cluster"]["utilisation_profile"] = {"hourly": [1.0, 0.6] * 12, "interpolation": "linear"}
    if draw(st.booleans()):
        site["tariff"] = {**TARIFF, "seasons": draw(seasons())}
    if draw(st.booleans()):
        site["cooling"] = draw(st.sampled_from([COOLING, OUTDOOR]))
    if draw(st.booleans()):
        site["location"], site["pv"] = LOCATION, draw(plants("cabinets" in site["protection"]))
    if draw(st.booleans()):
        site["recharge_after_outage"] = {"limit_kw": draw(st.sampled_from([50.0, 300.0]))}
    return site


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """A whole scenario over the end of a month."""
    checkpoint = {
        "interval_min": 15.0,
        "stall_s": draw(st.sampled_from([0.0, 15.0])),
        "write_s": 60.0,
        "mode": "asynchronous",
    }
    rate = {"per_1000_server_days": draw(st.sampled_from([0.0, 300.0]))}
    jobs = job(checkpoint=checkpoint, hardware=rate) if draw(st.booleans()) else {}
    return hall(
        site=draw(sites()), jobs=jobs, seed=draw(st.integers(0, 1000)), horizon={"start": "2026-01-31", "hours": 36.0}
    )
