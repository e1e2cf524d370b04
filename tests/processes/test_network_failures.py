"""Faults in feeders: who is dark for how long, fault by fault, against an enumeration that knows no graph."""

import copy
import json

import numpy as np
import pytest
from feeder_enumeration import CASES, faults, indices
from simulation import NETWORK, H, hall, merged, play

from twin import metrics
from twin.errors import InputError
from twin.inputs.feeder_record import read_feeders
from twin.inputs.samples import write_samples

YEARS = 60


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_samples(folder)
    return folder / "rbts_bus2" / "rbts_bus2.json"


def feeders(file, case, **network):
    network = {"kind": "feeders", "file": str(file), "repair_times": "fixed", **case.settings(), **network}
    return {
        "name": "feeders",
        "horizon": {"start": "2026-01-01", "hours": YEARS * 8760.0},
        "sites": {"town": {"grid": {"feeders": {"source": {}}}, "network": network}},
    }


def down_times(trace):
    """(component, start, end) of every fault that ended, and whether no other one overlaps it."""
    events, up = trace.events, trace.what("up")
    open_at, found = {}, []
    for row in np.flatnonzero(events["what"] == up).tolist():
        item, at = int(events["item"][row]), int(events["time_us"][row])
        if events["value"][row] == 0:
            open_at[item] = at
        else:
            found.append((trace.items["name"][item].split("network/")[1], open_at.pop(item), at))
    started = list(open_at.values())
    return [
        (name, start, end)
        for name, start, end in found
        if not any(s < end and e > start for n, s, e in found if (n, s) != (name, start))
        and not any(s < end for s in started)
    ]


@pytest.mark.parametrize("letter", CASES)
def test_every_single_fault_darkens_whom_the_enumeration_says_for_as_long(record, letter):
    case = CASES[letter]
    expected = {fault.name: fault for fault in faults(read_feeders(record), case)}
    trace = play(feeders(record, case), level="ledger").trace
    dark = metrics.dark_spans(trace)
    name_of = [name.split("/")[1] for name in trace.items["name"]]
    alone = down_times(trace)
    assert len(alone) > 50
    for name, start, end in alone:
        fault = expected[name]
        here = (dark.start_us >= start) & (dark.start_us < end)
        found = {
            int(name_of[item][3:]): (stop - begin) / H
            for item, begin, stop in zip(dark.item[here], dark.start_us[here], dark.end_us[here], strict=True)
        }
        assert np.all(dark.start_us[here] == start)
        assert found in (fault.dark_h, fault.dark_if_stuck_h) if case.fuse_fails else found == fault.dark_h
        assert (end - start) / H == fault.down_h
    assert {name for name, _, _ in alone} <= expected.keys()


@pytest.mark.parametrize("letter", ["A", "D"])
def test_indices_follow_from_dark_spans_customers_and_loads(record, letter):
    trace = play(feeders(record, CASES[letter]), level="ledger").trace
    figures = dict(zip(*metrics.row(trace), strict=True))
    points = read_feeders(record).load_points
    dark = metrics.dark_spans(trace)
    number = [int(trace.items["name"][item].split("/lp-")[1]) for item in dark.item]
    hours = (dark.end_us - dark.start_us) / H
    total = sum(customers for _, customers in points.values())
    assert figures["customers"] == total
    assert figures["saifi_per_year"] == pytest.approx(sum(points[n][1] for n in number) / total / YEARS)
    assert figures["saidi_h_per_year"] == pytest.approx(hours @ [points[n][1] for n in number] / total / YEARS)
    assert figures["asai_fraction"] == pytest.approx(1.0 - figures["saidi_h_per_year"] / 8760.0)
    assert figures["unserved_kwh_per_year"] == pytest.approx(hours @ [points[n][0] for n in number] / YEARS, rel=1e-9)


def test_a_tie_that_restores_shows_in_the_flow_and_a_dead_feeder_loses_nothing(record):
    story = play(feeders(record, CASES["A"]), level="series")
    trace, series = story.trace, story.trace.series["town"]
    own = feeders(record, CASES["A"], r_ohm_per_km=1e-9, x_ohm_per_km=1e-9)
    assert indices_of(trace) == indices_of(play(own, level="ledger").trace)
    closed = np.flatnonzero(
        (trace.events["what"] == trace.what("closed"))
        & np.array([trace.items["kind"][item] == "network_tie" for item in trace.events["item"]])
        & (trace.events["value"] == 1)
    )
    assert len(closed) > 5
    at = np.searchsorted(series["time_us"], trace.events["time_us"][closed], side="right") - 1
    normal = series["min_voltage_pu"][0]
    assert np.any(series["min_voltage_pu"][at] < normal - 1e-3)  # a longer way round
    assert np.all(series["network_loss_kw"] >= 0.0)
    assert np.all(np.abs(series["import_kw"] - series["house_kw"] - series["network_loss_kw"] - 0.0)[at] < 10.0)


def indices_of(trace):
    figures = dict(zip(*metrics.row(trace), strict=True))
    return [figures[name] for name in ("saifi_per_year", "saidi_h_per_year", "unserved_kwh_per_year")]


def test_one_more_tie_moves_no_failure(record):
    with_ties = down_times(play(feeders(record, CASES["A"]), level="ledger").trace)
    without = down_times(play(feeders(record, CASES["A"], ties=[]), level="ledger").trace)
    assert with_ties == without


def test_load_points_of_a_record_that_does_not_hold_what_it_should_are_told(record, tmp_path):
    raw = json.loads(record.read_text())
    broken = copy.deepcopy(raw)
    del broken["data"]["line_repair_h"]
    file = tmp_path / "broken.json"
    file.write_text(json.dumps(broken))
    with pytest.raises(InputError, match="line_repair_h is missing"):
        play(feeders(file, CASES["A"]))
    file.write_text(json.dumps(raw | {"units": raw["units"] | {"length": "mile"}}))
    with pytest.raises(InputError, match="length in mile"):
        play(feeders(file, CASES["A"]))
    with pytest.raises(InputError, match="a tie joins two of the 4 feeders"):
        play(feeders(record, CASES["A"], ties=[[1, 9]]))


@pytest.mark.parametrize("letter", ["A", "E"])
def test_the_enumeration_gives_the_published_indices(real_data, letter):
    file = real_data("rbts_bus2") / "rbts_bus2.json"
    published = json.loads(file.read_text())["indices"][letter]
    found = indices(read_feeders(file), CASES[letter])
    assert found["SAIFI"] == pytest.approx(published["SAIFI"], rel=4e-4)  # it takes down time off the time at risk
    assert found["SAIDI"] == pytest.approx(published["SAIDI"], rel=4e-4)
    assert found["ENS"] / 1000.0 == pytest.approx(published["ENS"], rel=4e-4)


class Struck:
    """A part that brings items down at known times: (tick, item)."""

    def __init__(self, *script):
        self._script = script

    def declare(self, site):
        """Nothing of its own."""

    def install(self, world, site, ids):
        """One process strikes them."""

        def run():
            for tick, name in self._script:
                yield world.sleep(tick - world.now)
                family, i = world.struck[site.path(name)]
                family.strike(i, -1)

        world.start(run())


def test_a_second_fault_stops_at_what_people_have_opened_for_the_first():
    """The cable between units 1 and 2 is isolated and the tie closed; then the other end's cable fails.

    The second row goes dark with it; the first hangs on its own end still, beyond what is open for the first fault.
    """
    cable = {"failures_per_year": 1e-6, "mttr_h": 8.0}
    network = merged(
        NETWORK, {"rings": {"count": 1, "units_per_ring": 3}, "failures": {"switching_h": 0.5, "cables": cable}}
    )
    site = {"cluster": {"rows": 3}, "grid": {"feeders": {"A": {}, "B": {}}}, "network": network}
    first, second = "network/ring-1-unit-1-to-ring-1-unit-2", "network/ring-1-unit-3-to-feeder-a"
    story = play(hall(site=site, jobs={}), Struck((H, first), (2 * H, second)))
    assert story.dark("row-001") == [(H, 3 * H // 2)]
    assert story.dark("row-002") == [(H, 3 * H // 2), (2 * H, 9 * H)], "on the tie, until its own cable is back"
