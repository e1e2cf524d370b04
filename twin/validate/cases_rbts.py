"""RBTS Bus 2, a published distribution test system: faults, protection, switching, ties, with power flow on.

Allan, Billinton, Sjarief, Goel, So, "A reliability test system for educational purposes - basic distribution system
data and results", IEEE Transactions on Power Systems 6(2), 1991. The record is not part of this project: without it the
cases are skipped. Repair times are fixed here: the published indices are those of means, and fixed ones spread less.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twin import metrics
from twin.scenario.files import data_folder
from twin.trace import Trace
from twin.units import HOURS_PER_YEAR
from twin.validate.case import Case, Sampler
from twin.validate.worlds import in_world

RECORD = "rbts_bus2/rbts_bus2.json"
YEARS = 100.0
SAIFI_PER_YEAR = 0.24821
CASE_A = {"saidi_h_per_year": 3.6126, "unserved_kwh_per_year": 37_746.0}
"""Disconnectors, fuses and ties; transformers repaired in 200 h."""
CASE_E = {"saidi_h_per_year": 0.76557, "unserved_kwh_per_year": 8_843.8}
"""The same, transformers replaced in 10 h."""


def _data(transformers: str) -> dict[str, Any]:
    network = {
        "kind": "feeders", "file": str(data_folder() / RECORD), "ties": [[1, 2], [3, 4]], "repair_times": "fixed",
        "transformers": transformers, "r_ohm_per_km": 0.4, "x_ohm_per_km": 0.4,
    }  # fmt: skip
    site = {"grid": {"feeders": {"source": {}}}, "network": network}
    return {"name": "rbts", "horizon": {"hours": YEARS * HOURS_PER_YEAR}, "sites": {"rbts": site}}


def _prepare(transformers: str, names: tuple[str, ...]) -> Callable[[int], Sampler]:
    def read(trace: Trace) -> list[float]:
        found = dict(zip(*metrics.row(trace), strict=True))
        return [found[name] for name in names]

    def prepare(seed: int) -> Sampler:
        return in_world(_data(transformers), read)(seed)  # the data folder as it is then

    return prepare


def _case(letter: str, transformers: str, indices: dict[str, float], replications: int) -> Case:
    expected = {"saifi_per_year": SAIFI_PER_YEAR} | indices
    return Case(
        f"RBTS Bus 2, case {letter}",
        f"22 load points, 1,908 customers, 56 components; transformers {transformers}",
        "Allan et al., IEEE Transactions on Power Systems 6(2), 1991",
        expected,
        replications,
        _prepare(transformers, tuple(expected)),
        RECORD,
    )


CASES = (_case("A", "repaired", CASE_A, 160), _case("E", "replaced", CASE_E, 40))
