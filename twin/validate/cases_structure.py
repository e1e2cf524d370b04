"""Series, parallel, k of n with crews, beta factor, cold standby, periodic tests: structures of repairable parts.

k of n stands as the modules of a UPS block, which goes to static bypass when fewer than n are sound.
"""

from __future__ import annotations

import math
from typing import Any

from twin.units import HOURS_PER_YEAR
from twin.validate.case import Case
from twin.validate.markov import failure_figures, like_units
from twin.validate.worlds import RELIABLE_H, dark, exponential, feeder, hall, in_world, per_year, rates

UP_A_H, DOWN_A_H = 60.0, 6.0
UP_B_H, DOWN_B_H = 90.0, 10.0
MODULE_UP_H, MODULE_DOWN_H = 200.0, 40.0
WARM_H = 2000.0
"""Left out at the start of a horizon, when all parts are still new."""


def _series() -> Case:
    """A feeder and an in-line UPS block without a battery's help: dark unless both are up."""
    up_a, up_b = UP_A_H / (UP_A_H + DOWN_A_H), UP_B_H / (UP_B_H + DOWN_B_H)
    ups = {
        "modules": {"n": 1, "rated_kw": 200.0, "mtbf_h": RELIABLE_H}, "serves": ["rows"], "loss_fraction": 0.0,
        "fail_on_demand_probability": 1.0, "block_mtbf_h": UP_B_H, "block_mttr_h": exponential(DOWN_B_H),
        "bypass_by_hand_h": RELIABLE_H,
    }  # fmt: skip
    data = hall(4.0, {"feeders": {"A": feeder(HOURS_PER_YEAR / UP_A_H, exponential(DOWN_A_H))}}, {"ups": ups})
    return Case(
        "series",
        "feeder, then an in-line UPS block: dark unless both are up",
        "U = 1 - A1 A2, f = A1 A2 (1/m1 + 1/m2)",
        per_year(up_a * up_b * (1.0 / UP_A_H + 1.0 / UP_B_H), 1.0 - up_a * up_b),
        40,
        in_world(data, dark(WARM_H)),
    )


def _parallel() -> Case:
    """A dual-corded row on two feeders without a tie: dark while both are down."""
    down_a, down_b = DOWN_A_H / (UP_A_H + DOWN_A_H), DOWN_B_H / (UP_B_H + DOWN_B_H)
    unavailability = down_a * down_b
    grid = {
        "feeders": {
            "A": feeder(HOURS_PER_YEAR / UP_A_H, exponential(DOWN_A_H)),
            "B": feeder(HOURS_PER_YEAR / UP_B_H, exponential(DOWN_B_H)),
        },
        "auto_transfer_failure_probability": 1.0,
    }
    data = hall(12.0, grid)
    data["sites"]["hall"]["cluster"]["corded"] = "dual"
    return Case(
        "parallel",
        "a dual-corded row on two feeders: dark while both are down",
        "U = U1 U2, f = U1 U2 (1/d1 + 1/d2)",
        per_year(unavailability * (1.0 / DOWN_A_H + 1.0 / DOWN_B_H), unavailability),
        40,
        in_world(data, dark(WARM_H)),
    )


def _modules(k: int, n: int, years: float, failures: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    """A UPS block of n modules that needs k; its static bypass counts."""
    modules = {
        "n": k, "r": n - k, "rated_kw": 200.0 / k, "mtbf_h": MODULE_UP_H, "mttr_h": exponential(MODULE_DOWN_H),
        "failures": failures,
    }  # fmt: skip
    ups = {
        "modules": modules, "serves": ["rows"], "block_mtbf_h": RELIABLE_H, "fail_on_demand_probability": 0.0,
    }  # fmt: skip
    return hall(years, {"feeders": {"A": {}}}, {"ups": ups}) | top


def _short(frequency: float, share: float) -> dict[str, float]:
    return {"bypasses_per_year": frequency * HOURS_PER_YEAR, "bypass_h_per_year": share * HOURS_PER_YEAR}


def _k_of_n(k: int, n: int, crews: int, years: float) -> Case:
    """A k-of-n structure with as many crews as there are units, or too few."""
    chain = like_units(n, 1.0 / MODULE_UP_H, 1.0 / MODULE_DOWN_H, crews=crews)
    few = crews < n
    data = _modules(k, n, years, {"crew": "ups"}, crews={"ups": {"count": crews}}) if few else _modules(k, n, years)
    return Case(
        f"{k} of {n}, {crews} crew{'s' if crews > 1 else ''}",
        f"UPS modules, exponential lives and repairs, {'a crew for each' if not few else 'repaired one by one'}",
        "birth and death chain",
        _short(*failure_figures(chain, lambda failed: n - failed < k)),
        60,
        in_world(data, rates("hall/ups-1", "bypass", 1, after_h=WARM_H)),
    )


def _beta(k: int, n: int, beta: float, years: float) -> Case:
    """A k-of-n structure with a beta factor, repairs independent."""
    chain = like_units(n, 1.0 / MODULE_UP_H, 1.0 / MODULE_DOWN_H, crews=n, beta=beta)
    return Case(
        f"beta factor, {k} of {n}",
        f"UPS modules of one block, beta {beta:g}, repairs independent",
        "Markov chain: 2 (1 - beta) / m, beta / m, then 1 / m (IEC 61508-6 beta factor)",
        _short(*failure_figures(chain, lambda failed: n - failed < k)),
        60,
        in_world(
            _modules(k, n, years, {"common_cause_fraction": beta}),
            rates("hall/ups-1", "bypass", 1, after_h=WARM_H),
        ),
    )


def _cold_standby() -> Case:
    """A genset stands by for a feeder; it fails to start, and fails while it runs."""
    up_h, down_h, refuses, runs_h = 40.0, 4.0, 0.2, 10.0
    lost = refuses + (1.0 - refuses) * down_h / (down_h + runs_h)
    nu = 1.0 / (up_h + down_h)
    data = hall(
        4.0,
        {"feeders": {"A": feeder(HOURS_PER_YEAR / up_h, exponential(down_h))}},
        {
            "ups": SECONDS_UPS,
            "gensets": {**GENSETS, "n": 1, "fail_to_start_probability": refuses, "mttf_running_h": runs_h},
        },
    )
    return Case(
        "cold standby, imperfect switching",
        "a genset that refuses to start with 0.2 and runs 10 h in the mean stands by for a feeder",
        "f = (q + (1 - q) d / (d + g)) / (m + d), U = f d",
        per_year(nu * lost, nu * lost * down_h),
        35,
        in_world(data, dark()),
    )


SECONDS_UPS = {
    "modules": {"n": 1, "rated_kw": 100.0, "mtbf_h": RELIABLE_H}, "serves": ["rows"], "loss_fraction": 0.0,
    "autonomy_min": 2.0 / 60.0, "fail_on_demand_probability": 0.0, "block_mtbf_h": RELIABLE_H,
}  # fmt: skip
"""Carries the row for two seconds, while gensets start: below a thousandth of any outage here."""
GENSETS = {
    "rated_kw": 110.0, "serves": ["rows"], "confirm_s": 0.1, "start_s": 0.5, "all_load_s": 0.9, "retransfer_min": 0.0,
    "plant_common_cause_probability": 0.0, "fail_to_start_probability": 0.0, "mttf_running_h": RELIABLE_H,
    "mttr_h": 0.001,
}  # fmt: skip


def _grid_and_gensets() -> Case:
    """Two of three sets carry the row; each may refuse or stop, and the plant may fail as a whole."""
    up_h, down_h, refuses, runs_h, common = 40.0, 4.0, 0.15, 12.0, 0.05
    to_one = 2 * down_h / (2 * down_h + runs_h)
    to_two = 3 * down_h / (3 * down_h + runs_h)
    starts = [math.comb(3, j) * (1.0 - refuses) ** j * refuses ** (3 - j) for j in range(4)]
    lost = common + (1.0 - common) * (starts[0] + starts[1] + starts[2] * to_one + starts[3] * to_two * to_one)
    nu = 1.0 / (up_h + down_h)
    gensets = {
        **GENSETS, "n": 2, "r": 1, "rated_kw": 55.0, "fail_to_start_probability": refuses, "mttf_running_h": runs_h,
        "plant_common_cause_probability": common,
    }  # fmt: skip
    data = hall(
        4.0,
        {"feeders": {"A": feeder(HOURS_PER_YEAR / up_h, exponential(down_h))}},
        {"ups": SECONDS_UPS, "gensets": gensets},
    )
    return Case(
        "grid and gensets, 2 of 3",
        "sets that refuse with 0.15, run 12 h in the mean, and fail as a plant with 0.05",
        "absorption of a death chain 3, 2 against restoration",
        per_year(nu * lost, nu * lost * down_h),
        35,
        in_world(data, dark()),
    )


def _tested_switch() -> Case:
    """A static switch fails unseen and is tested every so often; each short outage asks it."""
    life_h, every_h, outages = 1000.0, 500.0, 80.0
    unavailable = 1.0 - (1.0 - math.exp(-every_h / life_h)) * life_h / every_h
    cabinets = {
        "per_row": 1, "rated_kw": 200.0, "rated_kwh": 100.0, "auxiliary_kw": 0.0, "transfer_failure_probability": 0.0,
        "transfer_ms": 1.0, "cabinet_mtbf_h": RELIABLE_H,
        "switch_failures": {
            "life_h": exponential(life_h), "repair_h": 0.01,
            "dormant": {"test_every_h": every_h, "found_by_need": False},
        },
    }  # fmt: skip
    momentary = {"momentary": {"per_year": outages, "duration_s": 10.0}}
    data = hall(8.0, {"feeders": {"A": momentary}}, {"cabinets": cabinets})
    rate = 1.0 / (HOURS_PER_YEAR / outages + 10.0 / 3600.0)
    return Case(
        "dormant failure, periodic test",
        "a static switch with a mean life of 1,000 h, tested every 500 h, asked by 80 short outages a year",
        "U = 1 - (1 - exp(-T/m)) m/T (IEC 61508-6, PFD average)",
        {
            "interruptions_per_year": rate * unavailable * HOURS_PER_YEAR,
            "switch_down_h_per_year": unavailable * HOURS_PER_YEAR,
        },
        120,
        in_world(data, lambda trace: [dark()(trace)[0], rates("hall/row-001/switch", "up", 0)(trace)[1]]),
    )


CASES = (
    _series(),
    _parallel(),
    _k_of_n(3, 5, 5, 10.0),
    _k_of_n(3, 5, 1, 10.0),
    _beta(1, 2, 0.1, 20.0),
    _beta(2, 3, 0.1, 20.0),
    _cold_standby(),
    _grid_and_gensets(),
    _tested_switch(),
)
