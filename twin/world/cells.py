"""Cells that age, as the plant keeps them: ratings as delivered, and their rates of ageing at their temperature."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.plant import fields as f

GAS_J_PER_MOL_K = 8.3144598
REFERENCE_K = 298.15
FADE_PER_SQRT_S, FADE_J_PER_MOL = 1.2571e-5, 17126.0
GROWTH_PER_S, GROWTH_J_PER_MOL = 3.4194e-10, 71827.0
"""Calendar ageing at 25 C and its activation energies: Naumann et al., J. Energy Storage 17 (2018) 153."""


@dataclass(frozen=True)
class Cells:
    """Cells of one unit: mean temperature, what new ones can give over the unit's rating, health at which they go."""

    cell_c: float
    power_ratio: float
    end_of_life_fraction: float

    def fill(self, column: NDArray[np.float64]) -> None:
        """Write the ageing rows of a unit whose ratings stand in its column."""
        rated_kwh = column[f.U_RATED_KWH]
        column[[f.U_NEW_KWH, f.U_NEW_KW, f.U_NEW_RECHARGE_KW]] = (
            rated_kwh,
            column[f.U_RATED_KW],
            column[f.U_RECHARGE_KW],
        )
        column[f.U_CELLS_KW] = self.power_ratio * column[f.U_RATED_KW]
        column[[f.U_SOC_MIN, f.U_SOC_MAX]] = column[f.U_MIN_KWH] / rated_kwh, column[f.U_MAX_KWH] / rated_kwh
        column[f.U_END_OF_LIFE] = self.end_of_life_fraction
        fade = FADE_PER_SQRT_S * arrhenius(FADE_J_PER_MOL, self.cell_c)
        column[f.U_FADE_PER_H] = fade * fade * 3600.0
        column[f.U_GROWTH_PER_H] = GROWTH_PER_S * arrhenius(GROWTH_J_PER_MOL, self.cell_c) * 3600.0
        column[f.U_HEALTH] = 1.0


def arrhenius(activation_j_per_mol: float, cell_c: float) -> float:
    """How much faster than at 25 C."""
    return math.exp(activation_j_per_mol / GAS_J_PER_MOL_K * (1.0 / REFERENCE_K - 1.0 / (cell_c + 273.15)))
