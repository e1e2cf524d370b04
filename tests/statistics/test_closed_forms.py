"""The whole world against closed forms, at fixed seeds and within three standard errors."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from simulation import CABINETS, GENSETS, HALL, H, Story, hall, job, merged, play

YEAR_H = 8760.0
EVER = {"training_kw": 10.0, "idle_kw": 10.0, "capped_kw": 10.0, "boot_kw": 10.0}
"""A server that always draws 10 kW, so that demand follows no job."""


def within(found: float, expected: float, standard_error: float) -> bool:
    return abs(found - expected) <= 3.0 * standard_error


def years(count: float) -> dict[str, Any]:
    return {"hours": count * YEAR_H}


def by_batch(
    ticks: NDArray[np.int64], weights: NDArray[np.float64], horizon_us: int, batches: int = 40
) -> NDArray[np.float64]:
    """Sums of `weights` at `ticks` over equal batches of the horizon: nearly independent samples."""
    return np.bincount(np.minimum(ticks * batches // horizon_us, batches - 1), weights, batches)


def dark_of(story: Story, load: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    spans = np.array(story.dark(load), np.int64).reshape(-1, 2)
    return spans[:, 0], (spans[:, 1] - spans[:, 0]) / H


def survival(law: dict[str, Any], t: float) -> tuple[float, float]:
    """P(D > t) and E(D - t)+ of an exponential or a lognormal law [h]."""
    if law["law"] == "exponential":
        return math.exp(-t / law["mean"]), law["mean"] * math.exp(-t / law["mean"])
    mu, s = math.log(law["median"]), law["sigma"]
    d = (mu - math.log(t)) / s
    mean = law["median"] * math.exp(s * s / 2)
    return phi(d), mean * phi(d + s) - t * phi(d)


def phi(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@pytest.mark.parametrize(
    "law",
    [{"law": "exponential", "mean": 1.5}, {"law": "lognormal", "median": 0.8, "sigma": 1.1}],
    ids=lambda law: law["law"],
)
@pytest.mark.parametrize("autonomy_h", [0.5, 2.0])
def test_battery_autonomy_against_grid_outages(law: dict[str, Any], autonomy_h: float) -> None:
    """f = nu P(D > T), h = nu E(D - T)+, nu = 1/(MTTF + MTTR); recharge is as good as instantaneous."""
    cabinets = {**CABINETS, "core": 1, "rated_kw": 200.0, "rated_kwh": 100.0 * autonomy_h / 0.855, "recharge_kw": 1e9}
    site = {
        "cluster": {"rows": 1, "server": EVER},
        "grid": {"feeders": {"A": {"sustained": {"per_year": 200.0, "duration_h": law}}}},
        "protection": {"cabinets": cabinets},
        "cooling": {
            "fraction_of_it": dict.fromkeys(("winter", "spring", "summer", "autumn"), 0.0), "continuous_kw": 0.0,
            "chilled_water_tank_min": 1e9,
        },
    }  # fmt: skip
    span = 20.0
    story = play(hall(site=site, jobs={}, horizon=years(span)), level="ledger")
    starts, dark_h = dark_of(story, "row-001")
    mean_h = law["mean"] if law["law"] == "exponential" else law["median"] * math.exp(law["sigma"] ** 2 / 2)
    per_year = YEAR_H / (YEAR_H / 200.0 + mean_h)
    probability, excess_h = survival(law, autonomy_h)
    horizon = story.trace.meta["horizon_us"]
    counts = by_batch(starts, np.ones(starts.size), horizon)
    hours = by_batch(starts, dark_h, horizon)
    assert within(counts.sum() / span, per_year * probability, math.sqrt(counts.size) * counts.std(ddof=1) / span)
    assert within(hours.sum() / span, per_year * excess_h, math.sqrt(hours.size) * hours.std(ddof=1) / span)


def test_the_share_of_time_that_a_feeder_is_down() -> None:
    grid = {"feeders": {"A": {"sustained": {"per_year": 100.0, "duration_h": {"law": "exponential", "mean": 10.0}}}}}
    story = play(hall(site={"grid": grid}, jobs={}, horizon=years(40.0)), level="ledger")
    flips = np.array(story.at("feeder-A", "up"))
    down_h = np.diff(flips)[::2] / H
    up, down = YEAR_H / 100.0, 10.0
    rate = 1.0 / (up + down)
    assert within(
        down_h.sum() / (40.0 * YEAR_H), down * rate, math.sqrt(2 * up**2 * down**2 * rate**3 / (40.0 * YEAR_H))
    )


MORTAL = {**CABINETS, "per_row": 8, "core": 0, "cabinet_mtbf_h": 876.0, "cabinet_mttr_h": 24.0}


def test_a_cabinet_is_up_for_its_two_state_availability() -> None:
    """876 h and 24 h: Var[downtime]/T -> m_d^2 s_u^2 / (m_u + m_d)^3 with a fixed repair."""
    span_h = 20.0 * YEAR_H
    site = {"cluster": {"rows": 4}, "protection": {"cabinets": MORTAL}}
    story = play(hall(site=site, jobs={}, horizon=years(20.0)), level="ledger")
    names = [
        name
        for name, kind in zip(story.trace.items["name"], story.trace.items["kind"], strict=True)
        if kind == "cabinet"
    ]
    down_h = 0.0
    for name in names:
        flips = np.array([*story.at(name.split("/", 1)[1], "up"), story.trace.meta["horizon_us"]])
        down_h += np.diff(flips)[::2].sum() / H
    assert len(names) == 32
    error = math.sqrt(24.0**2 * 876.0**2 / 900.0**3 * span_h) / span_h / math.sqrt(32)
    assert within(down_h / span_h / 32, 24.0 / 900.0, error)


def test_a_group_of_cabinets_carries_its_row_as_often_as_k_of_n_are_sound() -> None:
    """Eight cabinets at availability 0.8 under 680 kW: six must be sound, whenever one of 4,000 short outages comes."""
    cabinets = {
        **CABINETS, "per_row": 8, "core": 0, "rated_kwh": 261.0, "cabinet_mtbf_h": 96.0,
        "cabinet_mttr_h": {"law": "exponential", "mean": 24.0},
    }  # fmt: skip
    site = {
        "cluster": {"rows": 4, "servers_per_row": 68, "server": EVER},
        "grid": {"feeders": {"A": {"momentary": {"per_year": 200.0, "duration_s": 1.0}}}},
        "protection": {"cabinets": cabinets},
    }
    story = play(hall(site=site, jobs={}, horizon=years(5.0)), level="ledger")
    horizon = story.trace.meta["horizon_us"]
    strikes = np.array(story.at("grid/A/momentary", "strikes"))
    struck = by_batch(strikes, np.ones(strikes.size), horizon)
    shares = []
    for row in range(1, 5):
        ticks = np.array(story.at(f"row-00{row}/cabinets", "picked_up"))
        shares.append(by_batch(ticks, np.ones(ticks.size), horizon) / struck)
    share = np.array(shares)
    expected = sum(math.comb(8, k) * 0.8**k * 0.2 ** (8 - k) for k in (6, 7, 8))
    assert within(share.mean(), expected, share.std(ddof=1) / math.sqrt(share.size))


def starts_and_runs() -> Story:
    gensets = {
        **GENSETS, "n": 3, "fail_to_start_probability": 0.3, "mttf_running_h": 5.0, "mttr_h": 0.001,
        "plant_common_cause_probability": 0.1,
    }  # fmt: skip
    feeders = {"A": {"sustained": {"per_year": 400.0, "duration_h": 4.0}}}
    return play(
        hall(site={"grid": {"feeders": feeders}, "protection": {"gensets": gensets}}, jobs={}, horizon=years(5.0))
    )


def test_gensets_fail_to_start_and_to_run_with_their_probabilities() -> None:
    """Sets run from their start to the stop a quarter of an hour after return, in which they may fail as well."""
    story = starts_and_runs()
    demands = sum(1 for _, value in story.of("gensets", "phase") if value == 2)
    common = len(story.at("gensets", "failed_to_start"))
    assert demands > 1500
    assert within(common / demands, 0.1, math.sqrt(0.1 * 0.9 / demands))
    asked = 3 * (demands - common)
    failed = sum(len(story.at(f"gensets/genset-0{k}", "failed_to_start")) for k in (1, 2, 3))
    assert within(failed / asked, 0.3, math.sqrt(0.3 * 0.7 / asked))
    started = asked - failed
    broke = sum(len(story.at(f"gensets/genset-0{k}", "failed_to_run")) for k in (1, 2, 3))
    p = 1.0 - math.exp(-(4.25 - 40.0 / 3600.0) / 5.0)
    assert within(broke / started, p, math.sqrt(p * (1 - p) / started))


@pytest.mark.parametrize(("write_s", "lag_h"), [(0.0, 0.0), (1200.0, 1.0 / 3.0)])
def test_hardware_strikes_as_a_poisson_process_and_rolls_back_what_the_closed_form_says(
    write_s: float, lag_h: float
) -> None:
    """N ~ Poisson(rate x training time); E[rollback] = 1/r - c e^{-r L}/(e^{r c} - 1), cycle c, durable after lag L."""
    checkpoint = {"interval_min": 120.0, "stall_s": 0.0, "write_s": write_s, "mode": "asynchronous"}
    jobs = job(checkpoint=checkpoint, hardware={"per_1000_server_days": 600.0})
    story = play(hall(jobs=jobs, horizon=years(2.0)), level="ledger")
    row = story.job()
    training_h = (row["useful_us"] + row["rollback_us"]) / H
    rate, cycle = 0.5, 2.0
    count = row["interruptions"]
    assert within(count, rate * training_h, math.sqrt(rate * training_h))
    rollback_h = np.array([back for *_, back in story.interruptions()]) / H
    expected = 1.0 / rate - cycle * math.exp(-rate * lag_h) / (math.exp(rate * cycle) - 1.0)
    assert within(rollback_h.mean(), expected, rollback_h.std(ddof=1) / math.sqrt(count))


def test_seasonal_factors_share_out_the_yearly_rate() -> None:
    """Months are twelfths of 8,760 h; the season begins with the start's month."""
    season = {"winter": 0.5, "spring": 1.0, "summer": 2.5, "autumn": 0.0}
    grid = {"feeders": {"A": {"momentary": {"per_year": 240.0, "duration_ms": 0.001, "season": season}}}}
    story = play(hall(site={"grid": grid}, jobs={}, horizon=years(20.0)), level="ledger")
    strikes = np.array(story.at("grid/A/momentary", "strikes"))
    month = strikes * 12 // round(YEAR_H * H) % 12
    found = np.bincount(month, minlength=12)
    factors = np.repeat([0.5, 1.0, 2.5, 0.0, 0.5], [2, 3, 3, 3, 1])
    expected = 240.0 / 12.0 * factors * 20.0
    assert found[8:11].sum() == 0
    assert (np.abs(found - expected) <= 3.0 * np.sqrt(expected)).all()


@pytest.mark.parametrize(
    ("law", "probability"),
    [
        ({"law": "uniform", "low": 10.0, "high": 30.0}, 0.5),
        ({"law": "lognormal", "median": 12.0, "sigma": 0.7}, phi(math.log(20.0 / 12.0) / 0.7)),
        ({"law": "exponential", "mean": 10.0}, 1.0 - math.exp(-2.0)),
    ],
    ids=["uniform", "lognormal", "exponential"],
)
def test_a_transfer_beats_hold_up_as_often_as_its_law_says(law: dict[str, Any], probability: float) -> None:
    """Hold-up 20 ms at full level; the switch itself fails in a tenth of the cases."""
    cabinets = {**CABINETS, "transfer_ms": law, "transfer_failure_probability": 0.1}
    site = {
        "cluster": {"server": EVER},
        "grid": {"feeders": {"A": {"momentary": {"per_year": 500.0, "duration_s": 1.0}}}},
        "protection": {"cabinets": cabinets},
    }
    story = play(hall(site=site, jobs={}, horizon=years(3.0)), level="ledger")
    strikes = len(story.at("grid/A/momentary", "strikes"))
    for feed in ("row-001/cabinets", "row-002/cabinets", "core/cabinets"):
        p = 0.9 * probability
        assert within(len(story.at(feed, "picked_up")) / strikes, p, math.sqrt(p * (1 - p) / strikes))


def test_two_switches_are_lucky_independently() -> None:
    cabinets = {**CABINETS, "transfer_failure_probability": 0.5}
    site = {
        "cluster": {"server": EVER},
        "grid": {"feeders": {"A": {"momentary": {"per_year": 500.0, "duration_s": 1.0}}}},
        "protection": {"cabinets": cabinets},
    }
    story = play(hall(site=site, jobs={}, horizon=years(3.0)), level="ledger")
    strikes = len(story.at("grid/A/momentary", "strikes"))
    one, two = (set(story.at(f"row-00{row}/cabinets", "picked_up")) for row in (1, 2))
    assert within(len(one & two) / strikes, 0.25, math.sqrt(0.25 * 0.75 / strikes))


def test_repeat_events_follow_with_their_probability_and_within_their_time() -> None:
    source = {"per_year": 20.0, "duration_s": 1.0, "repeat_probability": 0.4, "repeat_within_h": 0.5}
    grid = {"feeders": {"A": {"momentary": source}}}
    story = play(hall(site={"grid": grid}, jobs=merged(HALL["jobs"], {}), horizon=years(60.0)), level="ledger")
    gaps_h = np.diff(story.at("grid/A/momentary", "strikes")) / H
    share = (gaps_h < 0.51).mean()
    by_chance = 1.0 - math.exp(-0.51 * 20.0 / YEAR_H)
    expected = 0.4 + 0.6 * by_chance
    assert within(share, expected, math.sqrt(expected * (1 - expected) / gaps_h.size))
