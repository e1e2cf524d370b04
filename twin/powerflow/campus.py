"""A campus network from a few figures: HV/MV transformers, MV ring open at a tie, MV/LV transformers, LV rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.errors import InputError, Problem
from twin.powerflow.draft import Draft
from twin.powerflow.network import Network
from twin.powerflow.topology import Floats, Ints


@dataclass(frozen=True)
class Campus:
    """A built campus: its network, the rated demand of each bus, and where things are.

    p_kw, q_kvar: (buses,) rated demand. rows: buses of the rows. stations, sections: MV buses.
    tie: the open branch of the ring. names: of the buses.
    """

    net: Network
    p_kw: Floats
    q_kvar: Floats
    rows: Ints
    stations: Ints
    sections: Ints
    tie: int
    names: list[str]


def campus(
    stations: int = 7,
    transformers_per_station: int = 1,
    rows_per_transformer: int = 5,
    *,
    row_kw: float = 400.0,
    power_factor: float = 0.97,
    hv_kv: float = 110.0,
    mv_kv: float = 20.0,
    lv_kv: float = 0.4,
    ring_span_m: float = 250.0,
    mv_r_ohm_per_km: float = 0.1,
    mv_x_ohm_per_km: float = 0.11,
    mv_b_us_per_km: float = 0.0,
    mv_rating_a: float = 600.0,
    row_busway_m: float = 25.0,
    lv_r_ohm_per_km: float = 0.03,
    lv_x_ohm_per_km: float = 0.02,
    lv_rating_a: float = 1000.0,
    hv_short_circuit_fraction: float = 0.12,
    lv_short_circuit_fraction: float = 0.06,
    copper_loss_fraction: float = 0.01,
    base_kva: float = 10_000.0,
) -> Campus:
    """Build a campus of 3 + stations x (1 + transformers x (1 + rows)) buses; the default has 52.

    Two HV/MV transformers feed one MV section each. The stations stand in a chain from one section to the other, open
    in the middle (`tie`, the last branch); either half can take over the other. Transformers are sized for what they
    may have to carry: the HV/MV ones for the whole campus, the MV/LV ones for their rows, both with a quarter to spare.

    Raises:
        InputError: When a count is below one or a figure is not above zero.
    """
    counts = {
        "stations": stations,
        "transformers_per_station": transformers_per_station,
        "rows_per_transformer": rows_per_transformer,
    }
    wrong = [Problem(f"{count} is below one", key=key) for key, count in counts.items() if count < 1]
    if stations < 2:
        wrong.append(Problem("a ring needs two stations or more", key="stations"))
    if not 0.0 < power_factor <= 1.0 or not row_kw > 0.0:
        wrong.append(Problem(f"{row_kw} kW at a power factor of {power_factor} is no load", key="row_kw"))
    if wrong:
        raise InputError(wrong)
    rows_total = stations * transformers_per_station * rows_per_transformer
    row_kva = row_kw / power_factor
    hv_z = _transformer_ohm(hv_kv, 1.25 * rows_total * row_kva, hv_short_circuit_fraction, copper_loss_fraction)
    lv_kva = 1.25 * rows_per_transformer * row_kva
    lv_z = _transformer_ohm(mv_kv, lv_kva, lv_short_circuit_fraction, copper_loss_fraction)
    span = ring_span_m / 1000.0
    cable = (complex(mv_r_ohm_per_km, mv_x_ohm_per_km) * span, mv_rating_a)
    busway = (complex(lv_r_ohm_per_km, lv_x_ohm_per_km) * row_busway_m / 1000.0, lv_rating_a)
    hv = (hv_z, 1.25 * rows_total * row_kva / (np.sqrt(3.0) * hv_kv))
    lv = (lv_z, lv_kva / (np.sqrt(3.0) * mv_kv))
    draft = Draft()
    grid = draft.bus("grid", hv_kv)
    sections = [draft.bus(f"section {name}", mv_kv) for name in "AB"]
    for section in sections:
        draft.branch(grid, section, *hv)
    chain, rows = [], []
    for s in range(stations):
        station = draft.bus(f"station {s + 1}", mv_kv)
        chain.append(station)
        for t in range(transformers_per_station):
            board = draft.bus(f"board {s + 1}.{t + 1}", lv_kv)
            draft.branch(station, board, *lv)
            for r in range(rows_per_transformer):
                rows.append(draft.bus(f"row {s + 1}.{t + 1}.{r + 1}", lv_kv))
                draft.branch(board, rows[-1], *busway)
    ring = list(zip([sections[0], *chain], [*chain, sections[1]], strict=True))
    middle = ring.pop(len(ring) // 2)
    for one, other in ring:
        draft.branch(one, other, *cable, b_us=mv_b_us_per_km * span)
    tie = draft.branch(*middle, *cable, b_us=mv_b_us_per_km * span, closed=False)
    p_kw, q_kvar = np.zeros(len(draft.names)), np.zeros(len(draft.names))
    p_kw[rows] = row_kw
    q_kvar[rows] = row_kw * np.tan(np.arccos(power_factor))
    return Campus(
        draft.network(base_kva),
        p_kw,
        q_kvar,
        np.array(rows),
        np.array(chain),
        np.array(sections),
        tie,
        draft.names,
    )


def campus_of(buses: int) -> Campus:
    """A ready campus of 33, 52, 141 or 500 buses."""
    shapes = {33: (5, 1, 4, 400.0), 52: (7, 1, 5, 400.0), 141: (6, 2, 10, 180.0), 500: (7, 7, 9, 60.0)}
    if buses not in shapes:
        raise InputError(
            Problem(f"there are ready campuses of {', '.join(map(str, shapes))} buses, not {buses}", key="buses")
        )
    stations, transformers, rows, row_kw = shapes[buses]
    return campus(stations, transformers, rows, row_kw=row_kw)


def _transformer_ohm(kv: float, kva: float, short_circuit_fraction: float, copper_loss_fraction: float) -> complex:
    """Series impedance at the from side, from the short-circuit voltage and the copper losses at rated load."""
    ohm = 1000.0 * kv**2 / kva
    return ohm * complex(copper_loss_fraction, np.sqrt(short_circuit_fraction**2 - copper_loss_fraction**2))
