"""Small redundant systems with closed forms, as scenarios of the real simulator."""

import math
from typing import Any

import numpy as np
from simulation import UPS, hall, simulator

from twin.campaign.rare.columns import COLUMNS, columns_of, weighted_row
from twin.campaign.rare.estimate import RareEstimate, rate
from twin.campaign.rare.settings import Settings, run_weighted
from twin.chance.proposal import NOMINAL_SHARE, Proposal
from twin.metrics.spans import hours_of
from twin.plant import fields as f
from twin.simulator import Simulator
from twin.world.site import Site
from twin.world.weights import Weights

CORE = "core_dark_h_per_year"
YEAR_H = 8760.0


def pair(mtbf_h: float, mttr_h: float, years: float, seed: int = 1) -> Simulator:
    """1oo2: a dual-corded core on two UPS blocks that nobody bypasses; it is dark while both are being repaired."""
    ups = {
        **UPS, "blocks": 2, "serves": ["core"], "autonomy_min": 0.1, "bypass_by_hand_h": 1e9, "block_mtbf_h": mtbf_h,
        "block_mttr_h": {"law": "exponential", "mean": mttr_h},
    }  # fmt: skip
    site: dict[str, Any] = {"protection": {"ups": ups}, "cluster": {"rows": 1}}
    return simulator(hall(site=site, jobs={}, horizon={"hours": years * YEAR_H}, seed=seed))


def pair_dark_h(mtbf_h: float, mttr_h: float) -> float:
    """Dark hours a year: independent units, unavailability squared."""
    return YEAR_H * (mttr_h / (mtbf_h + mttr_h)) ** 2


def modules(
    n: int, r: int, mtbf_h: float, mttr_h: float, years: float, *, beta: float = 0.0, crew: bool = False, seed: int = 1
) -> Simulator:
    """n of n + r modules of one UPS block; it is on bypass while fewer than n are sound."""
    failures = {"common_cause_fraction": beta, **({"crew": "electricians"} if crew else {})}
    repair = {"law": "exponential", "mean": mttr_h}
    ups = {
        **UPS, "serves": ["core"], "autonomy_min": 0.1, "modules": {
            "n": n, "r": r, "rated_kw": 100.0, "mtbf_h": mtbf_h, "mttr_h": repair, "failures": failures,
        },
    }  # fmt: skip
    site: dict[str, Any] = {"protection": {"ups": ups}, "cluster": {"rows": 1}}
    crews = {"crews": {"electricians": {"count": 1}}} if crew else {}
    return simulator(hall(site=site, jobs={}, horizon={"hours": years * YEAR_H}, seed=seed, **crews))


def on_bypass(site: Site) -> bool:
    """The block's modules are too few."""
    return bool(site.fact[f.F_BYPASS].any())


def bypass_rows(made: Simulator, mixture: tuple[Proposal, ...], replications: range) -> np.ndarray:
    """Rows of a weighted run whose one metric is hours on bypass."""
    found = []
    for k in replications:
        trace = made.run(k, "ledger", Weights(mixture, 0.0, on_bypass))
        own = trace.events["what"] == trace.what("bypass")
        flips, value = trace.events["time_us"][own], trace.events["value"][own]
        start_us, end_us = flips[value == 1], flips[value == 0]
        if len(end_us) < len(start_us):
            end_us = np.append(end_us, trace.meta["horizon_us"])
        found.append(weighted_row(trace.cycles, hours_of(trace, start_us, end_us)[None], trace.meta["start"]))
    return np.array(found)


BYPASS = columns_of(["bypass"])


def bypass(values: np.ndarray) -> RareEstimate:
    """Hours a year on bypass."""
    return rate(values, BYPASS, "bypass")


def one_crew_down_h(n: int, r: int, mtbf_h: float, mttr_h: float) -> float:
    """Hours a year with fewer than n of n + r sound, exponential lives and repairs, one crew: a birth-death chain."""
    weights = [1.0]
    for failed in range(n + r):
        weights.append(weights[-1] * (n + r - failed) * mttr_h / mtbf_h)
    return YEAR_H * math.fsum(weights[r + 1 :]) / math.fsum(weights)


def beta_pair_down_h(mtbf_h: float, mttr_h: float, beta: float) -> float:
    """Hours a year with both of two down: rates 2(1 - beta)l and beta l from both up, l from one up, own repairs.

    A common cause that meets a unit already down brings down the other: from one up the rate is (1 - beta) l + beta l.
    """
    rate, repair = 1.0 / mtbf_h, 1.0 / mttr_h
    chain = np.array(
        [
            [-(2 - beta) * rate, 2 * (1 - beta) * rate, beta * rate],
            [repair, -(repair + rate), rate],
            [0.0, 2 * repair, -2 * repair],
        ]
    )
    shares = np.linalg.lstsq(np.vstack([chain.T, np.ones(3)]), np.array([0.0, 0.0, 0.0, 1.0]), rcond=None)[0]
    return float(YEAR_H * shares[2])


def pushed(speed: float, stretch: float = 2.0) -> Settings:
    """A mixture with a tenth of nature, and the rest with both blocks' clocks and repairs pushed."""
    return Settings(CORE, (Proposal(0.1), Proposal(0.9, {"ups_block": speed}, {}, {"ups_block_repair": stretch})), 0.05)


def rows(made: Simulator, settings: Settings, replications: range) -> np.ndarray:
    """Rows (replications, columns) of a weighted run."""
    return np.array([run_weighted(made, k, settings) for k in replications])


def core(values: np.ndarray) -> RareEstimate:
    """The estimate of dark hours of the core."""
    return rate(values, COLUMNS, CORE)


def z_of(found: RareEstimate, expected: float) -> float:
    """How many standard errors the figure is off."""
    assert not found.refused, found.refused
    return (found.estimate.mean - expected) / found.estimate.standard_error if expected else math.nan


def pair_by_hand(
    mtbf_h: float, mttr_h: float, settings: Settings, count: int = 400_000, seed: int = 0
) -> tuple[float, float]:
    """The same sampling of `pair` without the simulator: one block has failed; will the other, before it is repaired?

    Leaves out what follows the repair, of order mttr_h / mtbf_h.

    Returns:
        Weighted dark hours of an excursion, and their relative second moment E[(L Y)^2] / E[L Y]^2.
    """
    chance = np.random.default_rng(seed)
    parts = settings.proposals
    chosen = chance.choice(len(parts), p=[one.share for one in parts], size=count)
    speeds = np.array([one.speed.get("ups_block", 1.0) for one in parts])
    stretches = np.array([one.stretch.get("ups_block_repair", 1.0) for one in parts])

    def repair() -> np.ndarray:
        return chance.exponential(size=count) * np.where(chance.random(count) < NOMINAL_SHARE, 1.0, stretches[chosen])

    first, second, life = repair(), repair(), chance.exponential(size=count) / speeds[chosen]
    window = first * mttr_h / mtbf_h
    hit = life < window
    used = np.minimum(life, window)
    density = np.zeros(count)
    for one, speed, stretch in zip(parts, speeds, stretches, strict=True):
        long_first, long_second = (
            NOMINAL_SHARE + (1.0 - NOMINAL_SHARE) * np.exp((1.0 - 1.0 / stretch) * e) / stretch for e in (first, second)
        )
        clock = np.where(hit, speed * long_second, 1.0) * np.exp((1.0 - speed) * used)
        density += one.share * clock * long_first
    dark = np.where(hit, np.minimum((window - life) * mtbf_h, second * mttr_h), 0.0) / density
    return float(dark.mean()), float((dark**2).mean() / dark.mean() ** 2)
