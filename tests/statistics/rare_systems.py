"""Small redundant systems with closed forms, as scenarios of the real simulator."""

import math
from typing import Any

import numpy as np
from simulation import UPS, hall, simulator

from twin.campaign.rare.columns import COLUMNS, rare_row
from twin.campaign.rare.estimate import RareEstimate, rate
from twin.campaign.rare.settings import Settings
from twin.chance.proposal import Proposal
from twin.simulator import Simulator

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


def pushed(speed: float, stretch: float = 2.0) -> Settings:
    """A mixture with a tenth of nature, and the rest with both blocks' clocks and repairs pushed."""
    return Settings(CORE, (Proposal(0.1), Proposal(0.9, {"ups_block": speed}, {}, {"ups_block_repair": stretch})), 0.05)


def rows(made: Simulator, settings: Settings, replications: range) -> np.ndarray:
    """Rows (replications, columns) of a weighted run."""
    return np.array([rare_row(made.run(k, "ledger", settings.weights())) for k in replications])


def core(values: np.ndarray) -> RareEstimate:
    """The estimate of dark hours of the core."""
    return rate(values, COLUMNS, CORE)


def z_of(found: RareEstimate, expected: float) -> float:
    """How many standard errors the figure is off."""
    assert not found.refused, found.refused
    return (found.estimate.mean - expected) / found.estimate.standard_error if expected else math.nan
