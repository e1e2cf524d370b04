"""Eight generated sites and the share of the perfect-foresight saving that each policy earns on them.

    python benchmarks/ems_sites.py [--seed 1] [--policy default] [--step 1|0.25]

The same policy with the same constants on all. Seeds 101 and 102 served to choose the constants; report others. Prices
and hours are simplified from public transcriptions of provincial tables of March 2026 and are no official tariffs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import ems_plant
import ems_rule
import numpy as np
from ems_bound import least_bill
from ems_case import SCALARS, Case, baseline, bill, broken

HOURS = 8760
Hours = dict[str, list[tuple[int, int]]]
TARIFFS: dict[str, tuple[dict[str, float], list[tuple[set[int], Hours]]]] = {
    "North Hebei": (
        {"sharp": 1.0273, "peak": 0.8931, "flat": 0.6169, "valley": 0.3407, "demand": 40.0},
        [
            ({6, 7, 8}, {"valley": [(0, 7)], "peak": [(10, 12), (16, 18), (21, 22)], "sharp": [(18, 21)]}),
            ({1, 11, 12}, {"valley": [(0, 6), (12, 15)], "peak": [(7, 9), (16, 17), (19, 22)], "sharp": [(17, 19)]}),
            ({2, 3, 4, 5, 9, 10}, {"valley": [(1, 6), (12, 15)], "peak": [(16, 22)]}),
        ],
    ),
    "Beijing": (
        {"sharp": 1.0486, "peak": 0.8738, "flat": 0.6406, "valley": 0.4074, "demand": 48.0},
        [
            ({7, 8}, {"valley": [(0, 7), (23, 24)], "peak": [(10, 11), (17, 22)], "sharp": [(11, 13), (16, 17)]}),
            (set(range(1, 13)) - {7, 8}, {"valley": [(0, 7), (23, 24)], "peak": [(10, 13), (17, 22)]}),
        ],
    ),
    "Zhejiang": (
        {"peak": 1.2859, "flat": 0.7793, "valley": 0.3507, "demand": 40.0},
        [
            ({1, 7, 8, 12}, {"valley": [(0, 8), (11, 13)], "peak": [(8, 11), (15, 23)]}),
            ({2, 3, 4, 5, 6, 9, 10, 11}, {"valley": [(0, 8), (11, 13)], "peak": [(8, 11), (13, 17)]}),
        ],
    ),
    "Guangdong": (
        {"sharp": 1.4365, "peak": 1.1547, "flat": 0.6906, "valley": 0.2797, "demand": 36.1},
        [
            ({7, 8, 9}, {"valley": [(0, 8)], "peak": [(10, 11), (14, 15), (17, 19)], "sharp": [(11, 12), (15, 17)]}),
            (set(range(1, 13)) - {7, 8, 9}, {"valley": [(0, 8)], "peak": [(10, 12), (14, 19)]}),
        ],
    ),
}


def clock(step_h: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Hour of the year at the step's middle, day of the year, hour of the day, month from 0."""
    hour = (np.arange(round(HOURS / step_h)) + 0.5) * step_h
    day = (hour // 24).astype(int)
    months = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    return hour, day, hour % 24, np.repeat(np.arange(12), months)[day]


def price(tariff: str, step_h: float) -> np.ndarray:
    """Time-of-use price per kWh."""
    levels, seasons = TARIFFS[tariff]
    _, _, hod, month = clock(step_h)
    out = np.full(hod.size, levels["flat"])
    for months, periods in seasons:
        for level, spans in periods.items():
            for begin, end in spans:
                out[np.isin(month + 1, list(months)) & (hod >= begin) & (hod < end)] = levels[level]
    return out


def pv(rng: np.random.Generator, step_h: float, kwp: float) -> np.ndarray:
    """A day's arc, longer and higher in summer, dimmed by a cloudiness of the day and one of the hour [kW]."""
    hour, day, hod, _ = clock(step_h)
    season = np.cos(2 * np.pi * (day - 172) / 365)
    half = 6.0 + 1.4 * season
    arc = np.cos(np.pi / 2 * np.clip((hod - 12.2) / half, -1.0, 1.0)) ** 1.3
    cloud = 0.2 + 0.8 * rng.beta(1.6, 0.7, 365)[day]
    gust = 1.0 - 0.25 * (1.0 - cloud) * rng.random(HOURS)[hour.astype(int)]
    return 0.86 * kwp * (0.8 + 0.2 * season) * arc * cloud * gust


def training(rng: np.random.Generator, step_h: float) -> np.ndarray:
    """Gangs of one to twelve days at almost full power with short gaps, cooled by the season's air; 1 is the peak."""
    hour, day, hod, _ = clock(step_h)
    it = np.zeros(hour.size)
    gangs = int(rng.integers(10, 40))
    size = rng.dirichlet(np.full(gangs, 3.0))
    for gang in range(gangs):
        at = -rng.uniform(0, 200)
        level = np.full(hour.size, 0.32)
        while at < HOURS:
            length, gap = rng.lognormal(4.0, 0.9), rng.exponential(2.5) + 0.3
            level[(hour >= at) & (hour < at + length)] = rng.uniform(0.86, 0.98)
            at += length + gap
        it += size[gang] * level
    warm = 13.0 - 14.0 * np.cos(2 * np.pi * (day - 18) / 365) + 4.5 * np.cos(2 * np.pi * (hod - 15) / 24)
    return it * (1.1 + 0.006 * np.maximum(warm - 14.0, 0.0)) / 1.2


def inference(rng: np.random.Generator, step_h: float) -> np.ndarray:
    """Requests of the day: two humps of varying height over a base, quieter on two days of seven."""
    hour, day, hod, _ = clock(step_h)
    height = np.clip(rng.normal(0.45, 0.05, 365), 0.25, 0.6) * np.where(np.arange(365) % 7 >= 5, 0.75, 1.0)
    humps = np.exp(-(((hod - 11.0) / 2.6) ** 2)) + 1.1 * np.exp(-(((hod - 20.5) / 2.2) ** 2))
    noise = 0.03 * rng.standard_normal(HOURS)[hour.astype(int)]
    return 0.42 + height[day] * np.minimum(humps, 1.1) + noise


def office(rng: np.random.Generator, step_h: float) -> np.ndarray:
    """Working hours on five days of seven, with a summer's cooling."""
    hour, day, hod, _ = clock(step_h)
    work = np.clip((hod - 7.0) / 2.0, 0.0, 1.0) * np.clip((20.0 - hod) / 2.5, 0.0, 1.0)
    summer = 0.25 * np.exp(-(((day - 205) / 50) ** 2))
    today = rng.normal(1.0, 0.05, 365)[day] * np.where(day % 7 >= 5, 0.3, 1.0)
    return 0.3 + work * today * (0.5 + summer) + 0.02 * rng.standard_normal(HOURS)[hour.astype(int)]


def bursts(rng: np.random.Generator, step_h: float) -> np.ndarray:
    """A base with nightly evaluation bursts of one to three hours on most days."""
    hour, _, _, _ = clock(step_h)
    load = np.full(hour.size, 0.62)
    for day in range(365):
        if rng.random() < 0.8:
            begin = 24 * day + rng.normal(13.5, 1.0)
            load[(hour >= begin) & (hour < begin + rng.uniform(1.0, 3.0))] += 0.3
    return load + 0.02 * rng.standard_normal(HOURS)[hour.astype(int)]


Shape = Callable[[np.random.Generator, float], np.ndarray]
SITES: list[tuple[str, Shape, float, str, float, Case]] = [
    ("training 12 MW", training, 12000, "Beijing", 3000, {"batt_kwh": 8000, "ch_kw": 4000, "dis_kw": 4000}),
    ("training 4 MW", training, 4000, "Zhejiang", 3500,
     {"batt_kwh": 3000, "ch_kw": 1500, "dis_kw": 1500, "reserve": 0.3}),
    ("training 20 MW", training, 20000, "North Hebei", 0,
     {"batt_kwh": 10000, "ch_kw": 2500, "dis_kw": 2500, "demand_mode": "contract", "contract_kw": 19500.0,
      "transformer_kva": 31500.0}),
    ("inference 6 MW", inference, 6000, "Guangdong", 1000, {"batt_kwh": 4000, "ch_kw": 3000, "dis_kw": 3000}),
    ("inference 800 kW", inference, 800, "Zhejiang", 200,
     {"batt_kwh": 800, "ch_kw": 400, "dis_kw": 400, "demand_mode": "capacity", "transformer_kva": 1250.0,
      "capacity_price": 24.0}),
    ("training 150 kW", training, 150, "Guangdong", 0,
     {"batt_kwh": 430, "ch_kw": 215, "dis_kw": 215, "eta_ch": 0.93, "eta_dis": 0.93, "deg_cost": 0.1}),
    ("office 400 kW", office, 400, "North Hebei", 150, {"batt_kwh": 400, "ch_kw": 200, "dis_kw": 200}),
    ("bursts 1,000 kW", bursts, 1000, "Beijing", 300,
     {"batt_kwh": 1000, "ch_kw": 500, "dis_kw": 500, "demand_mode": "contract", "contract_kw": 800.0,
      "transformer_kva": 1600.0}),
]  # fmt: skip


def site(index: int, seed: int, step_h: float) -> tuple[str, Case]:
    """Name and case of one site."""
    name, shape, peak_kw, tariff, kwp, more = SITES[index]
    rng = np.random.default_rng([seed, index])
    load = np.maximum(shape(rng, step_h), 0.05) * peak_kw
    case = dict(SCALARS, **more, step_h=step_h, load_kw=load, pv_kw=pv(rng, step_h, kwp), price=price(tariff, step_h))
    case |= {"month": clock(step_h)[3], "demand_charge": TARIFFS[tariff][0]["demand"]}
    case["soc_min"] = max(case["soc_min"], case.pop("reserve", 0.0))
    return f"{name}, {tariff}, {case['demand_mode']}", case


def share(name: str, case: Case, policy: str) -> tuple[float, float]:
    """What a policy saves of what hindsight could [%], and the CPU of its plans [s]; ends if its trace breaks a law."""
    trace, spent = (ems_rule if ems_plant.unknown(case) else ems_plant).run(case, policy)
    for law in broken(case, trace):
        raise SystemExit(f"{name}: {law}")
    without, least = baseline(case), least_bill(case, trace["soc_kwh"][-1])
    cost = bill(case, trace["grid_kw"], trace["dis_kw"], trace["x_kw"])
    return 100.0 * (without - cost) / (without - least), spent


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--step", type=float, default=1.0)
    ask.add_argument("--policy", action="append")
    asked = ask.parse_args()
    policies = asked.policy or ["naive", "capped", "default"]
    print(f"{'site':45}" + "".join(f"{policy:>10}" for policy in policies) + "   the last's planning, CPU s")
    table = np.zeros((len(SITES), len(policies)))
    for index in range(len(SITES)):
        name, case = site(index, asked.seed, asked.step)
        spent = 0.0
        for k, policy in enumerate(policies):
            table[index, k], spent = share(name, case, policy)
        print(f"{name:45}" + "".join(f"{share:10.1f}" for share in table[index]) + f"{spent:10.2f}", flush=True)
    print(f"{'least':45}" + "".join(f"{share:10.1f}" for share in table.min(axis=0)))
    print(f"{'mean':45}" + "".join(f"{share:10.1f}" for share in table.mean(axis=0)))


if __name__ == "__main__":
    begun = time.perf_counter()
    main()
    print(f"{time.perf_counter() - begun:.0f} s in all")
