"""The failure model in every part that embeds it: each of its keys runs, or is refused with its reason."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import ValidationError
from simulation import CABINETS, COOLING, GENSETS, NETWORK, UPS, hall, merged, outage, play

import twin.scenario.model  # noqa: F401 - every block of a scenario is then known
from twin.parts.failures import FailuresSpec
from twin.spec import Spec

KEYS: dict[str, Any] = {
    "crew": "field", "spare": "part", "priority": 2, "life_h": {"law": "exponential", "mean": 15.0}, "repair_h": 2.0,
    "common_cause_fraction": 0.5, "age_kept_fraction": 0.5, "dormant": {"fraction": 0.5, "test_every_h": 10.0},
}  # fmt: skip
TWO_N = {**UPS, "systems": 2, "block_mtbf_h": 50.0}
MAIN = {"rated_kva": 1000.0, "impedance_percent": 6.0, "load_loss_kw": 5.0}
PIECES = (
    "main_transformers", "section_bus_bars", "cables", "row_transformers", "row_busways", "core_transformers",
    "cooling_transformers", "breakers",
)  # fmt: skip
FILES = {("FileFailuresSpec", kind) for kind in ("lines", "transformers", "bus_bars")}
"""The same block and the same part as in a campus network, whose pieces stand for them here."""


def cabinets(**more: Any) -> dict[str, Any]:
    return {"protection": {"cabinets": {**CABINETS, "cabinet_mtbf_h": 20.0, "per_row": 2, **more}}}


def ups(**more: Any) -> dict[str, Any]:
    return {"protection": {"ups": {**TWO_N, **more}}}


def network(kind: str, failures: dict[str, Any]) -> dict[str, Any]:
    piece = {"failures_per_year": 400.0, "mttr_h": 2.0, **failures}
    changed = {"supply_kv": 35.0, "main_transformers": MAIN, "failures": {"switching_h": 0.5, kind: piece}}
    return {"network": merged(NETWORK, changed), "cooling": COOLING}


def hosts(failures: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """A site for every block that embeds the model, by class and key."""
    lives = {"life_h": KEYS["life_h"], "repair_h": 1.0}
    gensets = {**GENSETS, "n": 2, "standby_failures": {**lives, **failures}}
    modules = {**UPS["modules"], "mtbf_h": 20.0, "failures": failures}
    return {
        ("CabinetsSpec", "failures"): cabinets(failures=failures),
        ("CabinetsSpec", "switch_failures"): cabinets(switch_failures={**lives, **failures}),
        ("GensetsSpec", "standby_failures"): {"protection": {"gensets": gensets}},
        ("ModulesSpec", "failures"): ups(modules=modules),
        ("StringsSpec", "failures"): ups(strings={"n": 2, "mtbf_h": 20.0, "failures": failures}),
        ("TransferSwitchSpec", "failures"): ups(transfer_switch={"mtbf_h": 20.0, "failures": failures}),
        **{("CampusFailuresSpec", kind): network(kind, failures) for kind in PIECES},
    }


REFUSED = {
    ("TransferSwitchSpec", "dormant"): "darkens a load at once",
    ("CampusFailuresSpec", "dormant"): "darkens a load at once",
    ("CampusFailuresSpec", "common_cause_fraction"): "have no group",
}
"""By class that embeds it and key: what cannot be, and the word that says why."""


def specs(kind: type[Spec]) -> Iterator[type[Spec]]:
    for one in kind.__subclasses__():
        yield one
        yield from specs(one)


def test_no_part_that_embeds_the_model_and_no_key_of_it_is_left_out() -> None:
    embedding = {
        (spec.__name__, name)
        for spec in specs(Spec)
        for name, field in spec.model_fields.items()
        for kind in (field.annotation, *get_args(field.annotation))
        if isinstance(kind, type) and issubclass(kind, FailuresSpec)
    }
    assert embedding == set(hosts({})) | FILES
    assert set(KEYS) == set(FailuresSpec.model_fields) - {"source"}


@pytest.mark.parametrize("key", [*KEYS, "all"])
@pytest.mark.parametrize("host", hosts({}), ids="-".join)
def test_every_key_of_the_failure_model_runs_in_every_part(host: tuple[str, str], key: str) -> None:
    """With outages, short and long, on one feeder and on both."""
    keys = KEYS if key == "all" else {key: KEYS[key]}
    refused = [one for one in keys if (host[0], one) in REFUSED]
    feeders = ([], ["A"], ["B"])
    script = [
        outage(5.0 * k + 1.0, duration_min=(0.1, 2.0, 40.0, 90.0)[k % 4], feeders=feeders[k % 3]) for k in range(9)
    ]
    grid = {"grid": {"feeders": {"A": {}, "B": {}}, "script": script}}

    def told(keys: dict[str, Any]) -> Any:
        pools = {"crews": {"field": {"count": 1, "travel_h": 0.5}}, "spares": {"part": {"count": 1, "restock_h": 3.0}}}
        site = merged(hosts(keys)[host], grid)
        return play(hall(site=site, jobs={}, horizon={"hours": 60.0}, **pools), level="ledger")

    for one in refused:
        with pytest.raises(ValidationError, match=REFUSED[host[0], one]):
            told({one: keys[one]})
    story = told({one: value for one, value in keys.items() if one not in refused})
    assert (story.trace.events["what"] == story.whats.index("up")).any()
