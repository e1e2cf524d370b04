"""The floor for a SimPy twin: the same number of events with nothing in them, and with one compiled advance per event.

    python benchmarks/probe_floor.py [--years 20] [--cabinets 64] [--changes 3825]

Prints site-years per second of CPU for (a) bare SimPy processes, (b) the same with a lazily advanced compiled plant
(15-minute prices). A replication of the real twin should stay near (b); `site_year.py` measures the two in pairs.
"""

import argparse
import time

import numba as nb
import numpy as np
import simpy
from machine import heading

STEP_H = 0.25
YEAR_H = 8760.0
GRID_MTTF_H, GRID_MTTR_H = 876.0, 1.0
CABINET_MTTF_H, CABINET_MTTR_H = 4380.0, 8.0
EMPTY_MTTR_H = 0.2


@nb.njit(cache=True)
def advance(now_h, until_h, energy_kwh, rated_kwh, power_kw, up, price, load_kw, pv_kw, grid_up, import_kwh):  # noqa: ANN001, ANN201
    t = now_h
    while t < until_h - 1e-12:
        k = int(t / STEP_H + 1e-9)
        end = min((k + 1) * STEP_H, until_h)
        dt = end - t
        p = price[k % price.size]
        total = 0.0
        for i in range(energy_kwh.size):
            if not up[i]:
                continue
            if not grid_up:
                q = min(power_kw, load_kw / energy_kwh.size, energy_kwh[i] / dt * 0.95)
            elif p < 0.4:
                q = -min(power_kw, (rated_kwh - energy_kwh[i]) / dt / 0.95)
            elif p > 1.0:
                q = min(power_kw, max(0.0, energy_kwh[i] - 0.3 * rated_kwh) / dt * 0.95)
            else:
                q = 0.0
            energy_kwh[i] -= q * dt / 0.95 if q > 0 else q * dt * 0.95
            total += q
        if grid_up:
            import_kwh[k % import_kwh.size] += (load_kw - pv_kw[k % pv_kw.size] - total) * dt
        t = end


PRICE = np.r_[np.full(32, 0.3), np.full(16, 0.7), np.full(24, 1.1), np.full(24, 0.7)]
PV = np.maximum(0, np.sin((np.arange(35040) % 96 - 24) / 48 * np.pi)) * 2000


def changes_besides(total: float, cabinets: int) -> float:
    """How many empty changes a year make `total` together with those of the cabinets and of the grid."""
    grid = 2 * YEAR_H / (GRID_MTTF_H + GRID_MTTR_H)
    return max(total - grid - cabinets * 2 * YEAR_H / (CABINET_MTTF_H + CABINET_MTTR_H), 2.0)


def year(seed: int, cabinets: int, changes: float, *, physics: bool = True) -> int:
    """One site-year; returns the number of changes. `changes`: the empty ones besides grid and cabinets."""
    env, rng = simpy.Environment(), np.random.Generator(np.random.Philox(seed))
    state = {"t": 0.0, "grid": True, "n": 0}
    energy, up, imp = np.full(cabinets, 100.0), np.ones(cabinets, np.bool_), np.zeros(35040)
    cycle_h = 2 * YEAR_H / changes
    empty_mttr_h = min(EMPTY_MTTR_H, cycle_h / 2)

    def settle() -> None:
        state["n"] += 1
        if physics and env.now > state["t"]:
            advance(state["t"], env.now, energy, 250.0, 100.0, up, PRICE, 6000.0, PV, state["grid"], imp)
            state["t"] = env.now

    def item(mttf_h, mttr_h, flip):  # noqa: ANN001, ANN202
        while True:
            yield env.timeout(rng.exponential(mttf_h))
            settle(), flip(False)
            yield env.timeout(rng.exponential(mttr_h))
            settle(), flip(True)

    env.process(item(GRID_MTTF_H, GRID_MTTR_H, lambda v: state.update(grid=v)))
    env.process(item(cycle_h - empty_mttr_h, empty_mttr_h, lambda _: None))
    for i in range(cabinets):
        env.process(item(CABINET_MTTF_H, CABINET_MTTR_H, lambda v, i=i: up.__setitem__(i, v)))
    env.run(until=YEAR_H)
    settle()
    return int(state["n"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--years", type=int, default=20)
    parser.add_argument("--cabinets", type=int, default=64)
    parser.add_argument("--changes", type=float, default=3825, help="empty changes a year besides grid and cabinets")
    args = parser.parse_args()
    print(heading("The floor: SimPy with empty events, and with one compiled advance an event (thread CPU)"))
    for physics in (False, True):
        year(0, args.cabinets, args.changes, physics=physics)
        start = time.thread_time()
        n = sum(year(k, args.cabinets, args.changes, physics=physics) for k in range(1, args.years + 1))
        cpu_s = time.thread_time() - start
        print(
            f"{'advance' if physics else 'bare   '} {args.years / cpu_s:7.1f} site-years/s  "
            f"{cpu_s / args.years:.4f} s a site-year  {n / args.years:.0f} changes a year  "
            f"{cpu_s / n * 1e6:.2f} us a change"
        )


if __name__ == "__main__":
    main()
