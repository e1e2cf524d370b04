"""The power cap has reasons: it begins with the first, ends with the last, and each begin has a cause."""

from typing import Any

import pytest
from simulation import CABINETS, GENSETS, MIN, H, Story, hall, merged, outage, play

from twin.metrics.causes import slowed_by_cause

DEAR = {"hourly": [0.5] * 18 + [1.5] * 3 + [0.5] * 3}
BACKUP = {"cluster": {"on_backup": {"cap_after_s": 60.0}}}
BIG = merged(CABINETS, {"rated_kwh": 1000.0})


def capped(*script: Any, site: Any) -> Story:
    block = {
        "grid": {"script": list(script)},
        "protection": {"cabinets": BIG},
        "application": {"policy": "cap", "dear_above_per_kwh": 1.0},
    }
    return play(hall(site=merged(block, site)))


def test_a_cap_that_the_application_begins_has_its_decision_as_cause_and_the_outage_as_root() -> None:
    story = capped(outage(1.0, duration_h=0.5), site={})
    chain = story.chain("core", "capped", 1)
    assert chain[0].startswith("grid/script-0001 strikes")
    assert chain[-2:] == ["application application 1", "core capped 1"]
    assert story.chain("core", "capped", 0) == ["application application 0", "core capped 0"]
    shares = {name: float(gpu_h.sum()) for name, _, _, gpu_h in slowed_by_cause(story.trace)}
    assert shares == {"lost_gpu_h_supply": pytest.approx(160 * 0.5 * 0.2), "lost_gpu_h_capacity": 0.0}


@pytest.mark.parametrize(
    ("at_h", "hours", "spans"),
    [
        (20.5, 1.5, [(18 * H, 1), (22 * H, 0)]),  # dear from 18 to 21: backup outlasts the dear hours
        (17.5, 1.0, [(17 * H + 30 * MIN, 1), (21 * H, 0)]),  # and the dear hours outlast backup
        (15.0, 1.0, [(15 * H, 1), (16 * H, 0), (18 * H, 1), (21 * H, 0)]),
    ],
)
def test_the_cap_lasts_until_neither_backup_nor_price_asks_for_it(
    at_h: float, hours: float, spans: list[tuple[int, int]]
) -> None:
    story = capped(outage(at_h, duration_h=hours), site=merged(BACKUP, {"price_per_kwh": DEAR}))
    assert story.of("core", "capped") == spans


def test_the_cap_on_backup_stays_when_the_application_lets_go() -> None:
    """A genset too small is online after 5 min: the application lets go, backup is short of kW."""
    gensets = merged(GENSETS, {"rated_kw": 260.0, "start_s": 300.0, "all_load_s": 300.0})
    site = merged(BACKUP, {"protection": {"gensets": gensets}})
    story = capped(outage(1.0, duration_h=4.0), site=site)
    assert (H + 5 * MIN, 0) in story.of("application", "application")
    assert story.of("core", "capped") == [(H, 1), (5 * H, 0)]


def test_the_limit_keeps_the_cap_when_the_application_lets_go() -> None:
    story = capped(site={"grid": {"import_limit_kw": 250.0}, "price_per_kwh": DEAR})
    assert story.of("core", "capped") == [(0, 1)]


def test_where_nothing_caps_on_backup_a_cap_for_the_limit_ends_in_an_outage_too() -> None:
    busy = {"cluster": {"utilisation_profile": {"hourly": [0.5] * 12 + [1.0] * 4 + [0.5] * 8}}}
    site = {"grid": {"import_limit_kw": 250.0}, "application": {"policy": "pause"}, **busy}
    story = capped(outage(15.0, duration_h=2.0), site=site)
    assert story.of("core", "capped") == [(12 * H, 1), (16 * H, 0)]
