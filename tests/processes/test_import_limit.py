"""Import above its limit: capped, then shed in the stated order, and back again; by hand."""

import pytest
from simulation import H, S, hall, near, outage, play

from twin import metrics

OFFICE = {"hourly": [0.0] * 8 + [1.0] * 10 + [0.5] * 6}
CAP = {"on_backup": {"cap_after_s": 60.0}}  # 70 kW a row instead of 100


def limited(kw, **site):
    return hall(site={"grid": {"import_limit_kw": kw}, **site})


def test_with_a_cap_at_hand_gpus_are_capped_at_once_and_nothing_is_shed():
    story = play(limited(250.0, cluster=CAP))
    assert story.of("core", "capped") == [(0, 1)]
    assert story.power("import_kw", 0) == pytest.approx(240.0)
    assert story.interruptions() == []
    assert story.job()["useful_us"] == 24 * H * 0.8


def test_without_a_cap_the_last_row_goes_and_the_job_waits_as_long_as_the_whole_does_not_fit():
    story = play(limited(250.0))
    assert story.of("row-002", "shed") == [(0, 1)]
    assert story.dark("row-001") == []
    assert story.dark("row-002") == [(0, 24 * H)]
    assert story.interruptions() == [(0, 24 * H, 1, 0)]
    assert story.power("import_kw", H) == pytest.approx(100.0 + 20.0)
    values = dict(zip(*metrics.row(story.trace), strict=True))
    assert values["lost_gpu_h_capacity_per_year"] == pytest.approx(values["lost_gpu_h_per_year"])
    assert values["lost_gpu_h_power_per_year"] == pytest.approx(values["lost_gpu_h_per_year"])


def test_the_house_load_goes_first_and_comes_back_when_the_hour_allows():
    story = play(limited(340.0, house_load_kw=80.0, house_load_profile=OFFICE))
    assert story.of("house", "shed") == [(8 * H, 1), (18 * H, 0)]
    assert story.dark("house") == [(8 * H, 18 * H)]
    assert story.interruptions() == []
    assert story.ledger["house_kwh"][0] == pytest.approx(6 * 40.0)
    assert story.ledger["peak_import_kw"][0] == pytest.approx(340.0)


def test_a_peaky_load_is_capped_only_while_it_is_above_the_limit():
    busy = {"utilisation_profile": {"hourly": [0.5] * 12 + [1.0] * 4 + [0.5] * 8}}
    story = play(limited(250.0, cluster={**CAP, **busy}))
    assert story.of("core", "capped") == [(12 * H, 1), (16 * H, 0)]
    assert story.power("import_kw", 11 * H) == pytest.approx(100.0 + 2 * 60.0)
    assert story.power("import_kw", 12 * H) == pytest.approx(240.0)


def test_one_feeder_alone_carries_what_it_can_until_the_other_is_back():
    feeders = {"A": {"capacity_kw": 200.0}, "B": {"capacity_kw": 200.0}}
    script = [outage(2.0, duration_h=3.0, feeders=["A"])]
    grid = {"feeders": feeders, "script": script, "auto_transfer_s": 1.5, "auto_transfer_failure_probability": 0.0}
    story = play(hall(site={"grid": grid}))
    training = round(2 * H + 1.5 * S + 0.75 * H)  # row-001 lost its feeder for 1.5 s; rows boot at 30 kW: 160 kW
    assert story.of("row-002", "shed") == [(training, 1), (5 * H, 0)]
    chain = story.chain("row-002", "lit")
    assert chain[0].startswith("grid/script-0001 strikes")  # the outage is the root, the limit the means
    assert chain[-2:] == ["row-002 shed 1", "row-002 lit 0"]
    (first, second) = story.interruptions()
    assert near(first[1], training)
    assert second[0] == training
    assert near(second[1], 5 * H + round(0.75 * H))


def test_what_is_shed_stays_away_through_an_outage_and_is_not_tried_again_after_it():
    script = [outage(2.0, duration_h=0.5)]
    story = play(hall(site={"grid": {"import_limit_kw": 250.0, "script": script}}))
    assert story.of("row-002", "shed") == [(0, 1)]
    assert story.interruptions() == [(0, 24 * H, 1, 0)]


def test_a_limit_that_never_binds_changes_nothing_but_its_own_figure():
    free, wide = play(hall()).trace, play(limited(10_000.0)).trace
    assert free.ledger["hall"]["import_kwh"].tolist() == wide.ledger["hall"]["import_kwh"].tolist()
    assert len(wide.events["time_us"]) == 0
