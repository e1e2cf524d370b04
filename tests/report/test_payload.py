"""What the page's replay holds against the trace that it was packed from."""

import base64
import itertools
import json
import zlib

import numpy as np
import pytest

import twin
from twin.errors import InputError
from twin.metrics.causes import groups
from twin.plot.operation import away_spans_h, charge_by_hour, powers_mw
from twin.report.lanes import events, lanes, worst_outage_h
from twin.report.payload import OUT_OF_SERVICE, replay, resolution_kw


def unpack(text, kind):
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), kind)


@pytest.fixture(scope="module")
def data(trace):
    return json.loads(json.dumps(replay(trace)))


def test_powers_come_back_within_the_stated_resolution(trace, data):
    site = data["sites"][0]
    time_s = np.cumsum(unpack(site["time"], "<u4"))
    series = trace.series["campus"]
    true = powers_mw(series)
    at_us = series["time_us"]
    for line in site["lines"]:
        split = unpack(line["data"], "u1").reshape(2, -1).astype(np.int16)
        steps = np.cumsum((split[0] | (split[1] << 8)).astype(np.int16))
        found = line["low"] + steps / 4095 * (line["high"] - line["low"])
        place = np.searchsorted(at_us, (time_s + 0.5) * 1e6, side="right") - 1
        worst = np.abs(found - true[line["key"]][place]).max()
        assert worst * 1000 <= resolution_kw(trace) * 0.501 + 1e-9, line["key"]


def test_charge_comes_back_in_whole_percent_and_marks_units_that_are_down(trace, data):
    charge = data["sites"][0]["charge"]
    cells = np.cumsum(unpack(charge["data"], "u1").reshape(charge["rows"], -1), axis=1, dtype=np.uint8)
    names, least = charge_by_hour(trace, "campus")
    assert (charge["units"], charge["first"], charge["last"]) == (len(names), names[0], names[-1])
    known = cells != OUT_OF_SERVICE
    assert np.abs(cells[known] - 100 * least[known]).max() <= 0.5 + 1e-9
    down = (trace.events["what"] == trace.what("up")) & (trace.events["value"] == 0)
    kinds = np.array(trace.items["kind"])[trace.events["item"]]
    assert (~known).any() == bool((down & (kinds == "cabinet")).any())


def test_charge_of_an_hour_is_never_above_what_the_trace_has_in_it(trace):
    names, least = charge_by_hour(trace, "campus")
    for k in (0, len(names) // 2, len(names) - 1):
        most = trace.stored_kwh("campus", names[k], np.linspace(0, 8760, 200)).max()
        for hour in (0, 4000, 8759):
            inside = trace.stored_kwh("campus", names[k], np.linspace(hour, hour + 1, 50))
            assert least[k, hour] * max(most, trace.units["campus"]["energy_kwh"].max()) >= 0
            assert least[k, hour] <= inside.min() / most + 1e-9


def test_lanes_follow_the_events(trace):
    found = {lane.name: lane.spans for lane in lanes(trace, "campus")}
    away = away_spans_h(trace, "campus")
    assert [span[:2] for span in found["feeder-A"]] == away
    lost = trace.interruptions
    assert len(found["training"]) == len(lost["job"])
    assert sum(state != "hardware" for _, _, state in found["training"]) == int((groups(trace) > 0).sum())


def test_the_worst_outage_is_the_one_that_cost_most(trace):
    begin, end = worst_outage_h(trace, "campus")
    assert (begin, end) in away_spans_h(trace, "campus")
    found, count = events(trace, "campus")
    costliest = max(found, key=lambda one: one.lost_gpu_h)
    assert begin <= costliest.time_h <= end + 1
    assert count == len(found)


def test_trucks_are_where_their_stays_say():
    study = twin.load("06_truck_fleet")
    trace = twin.simulate(study, "optimised")
    trucks = replay(trace)["trucks"]
    assert len(trucks["places"]) == len(trace.meta["sites"])
    km = {name: np.hypot(*np.subtract(trucks["places"][0], place)) for name, place in
          zip(trace.meta["sites"], trucks["places"], strict=True)}  # fmt: skip
    assert km["e1"] < km["e5"] < km["e3"] < km["e4"]  # 5, 20, 30 and 45 km from the campus
    for legs in trucks["legs"].values():
        assert all(one[1] <= two[0] + 1 for one, two in itertools.pairwise(legs))


def test_a_trace_without_powers_cannot_be_replayed(study):
    with pytest.raises(InputError, match="no powers"):
        replay(twin.simulate(study, "cabinets", 0, level="ledger"))
