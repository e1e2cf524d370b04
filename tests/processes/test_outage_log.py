"""A site's own outage log, replayed: the same story as the script that says the same, and bad rows by line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from simulation import MIN, UPS, H, S, hall, outage, play, simulator

from twin.cli.app import twin
from twin.errors import InputError
from twin.inputs.outages_csv import read_outages
from twin.trace import Trace

TWO = {"feeders": {"A": {}, "B": {}}}
SITES = {"hall": ("A", "B")}


def write(folder: Path, text: str) -> str:
    path = folder / "log.csv"
    path.write_text(text)
    return str(path)


def test_a_log_is_the_script_that_says_the_same(tmp_path: Path) -> None:
    log = write(
        tmp_path,
        "start,duration_min,feeders,residual_voltage_fraction,kind\n"
        "2026-01-01 01:00:00,20,,,sustained\n"
        "2026-01-01T03:30:00,1,A,,momentary\n"
        "2026-01-01 05:00,2,,0.8,sag\n",
    )
    script = [
        outage(1.0, duration_min=20.0), outage(3.5, duration_min=1.0, feeders=["A"]),
        outage(5.0, duration_min=2.0, residual_voltage_fraction=0.8),
    ]  # fmt: skip
    told = play(hall(site={"grid": {**TWO, "outages": {"file": log}}, "protection": {"ups": UPS}}))
    written = play(hall(site={"grid": {**TWO, "script": script}, "protection": {"ups": UPS}}))
    for load in ("row-001", "row-002", "core"):
        assert told.dark(load) == written.dark(load)
    assert told.interruptions() == written.interruptions()
    assert told.at("grid/log/sustained", "strikes") == [H]
    assert told.chain("row-001", "lit")[:2] == ["grid/log/sustained strikes 1200000000", "feeder-A up 0"]
    assert told.of("grid/log/sag", "strikes") == [(5 * H, 2 * MIN)]


def test_a_log_stands_in_for_drawn_events_unless_it_stands_beside_them(tmp_path: Path) -> None:
    log = write(tmp_path, "at_h,duration_s\n2,60\n")
    often = {"per_year": 50_000.0, "duration_s": 1.0}
    grid = {"feeders": {"A": {"momentary": often}}, "outages": {"file": log}}
    alone = play(hall(site={"grid": grid}))
    assert alone.dark("core") == [(2 * H, 2 * H + 60 * S)]
    beside = play(hall(site={"grid": {**grid, "outages": {"file": log, "beside_drawn": True}}}))
    assert len(beside.dark("core")) > 20


def test_overlapping_rows_strike_together(tmp_path: Path) -> None:
    log = write(tmp_path, "at_h,duration_h,feeders\n1,2,\n2,2,\n")
    assert play(hall(site={"grid": {**TWO, "outages": {"file": log}}})).dark("row-001") == [(H, 4 * H)]


def test_rows_about_another_site_or_feeder_strike_nothing_here(tmp_path: Path) -> None:
    log = write(tmp_path, "at_h,duration_h,site,feeders\n1,1,mine,\n2,1,hall,A\n")
    data = hall(site={"grid": {"feeders": {"A": {}}, "outages": {"file": log}}}, jobs={})
    data["sites"]["mine"] = {"grid": {"feeders": {"A": {}, "B": {}}}}
    assert play(data).dark("row-001") == [(2 * H, 3 * H)]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("start,duration_s\n2026-01-01,5\nyesterday,5\n", 3, "'yesterday' is no ISO date"),
        ("start,duration_s\n2026-01-01T00:00:00+08:00,5\n", 2, "has a zone"),
        ("at_h,duration_s\n1,5\n2,0\n", 3, "must be above 0"),
        ("at_h,duration_s\n1,five\n", 2, "'five' is not a number"),
        ("at_h,duration_s,feeders\n1,5,C\n", 2, "no feeder 'C'"),
        ("at_h,duration_s,site\n1,5,there\n", 2, "'there' is none of the sites"),
        ("at_h,duration_s,kind\n1,5,flood\n", 2, "'flood' is none of"),
        ("at_h,duration_s,residual_voltage_fraction\n1,5,1.2\n", 2, "must not be above 1"),
        ("start,end\n2026-01-01 02:00,2026-01-01 01:00\n", 2, "is not after the start"),
        ("start,at_h,duration_s\n2026-01-01,0,5\n", 1, "give the start once"),
        ("start\n2026-01-01\n", 1, "give the length once"),
        ("start,duration_s\n2025-01-01,5\n", None, "no row lies within the horizon"),
    ],
)
def test_bad_rows_are_named_by_line(tmp_path: Path, text: str, line: int | None, says: str) -> None:
    with pytest.raises(InputError) as caught:
        read_outages(write(tmp_path, text), "2026-01-01", 24.0, SITES)
    (problem,) = caught.value.problems
    assert problem.line == line
    assert says in problem.message


def test_a_region_and_a_log_of_everything_do_not_go_together(tmp_path: Path) -> None:
    log = write(tmp_path, "at_h,duration_s\n1,5\n")
    data = hall(site={"grid": {"outages": {"file": log}}}, regions={"all": {"sites": ["hall"]}})
    with pytest.raises(ValueError, match="replays a log of all that struck it"):
        simulator(data)


def test_run_and_compare_take_a_log_through_every_design(tmp_path: Path) -> None:
    def invoke(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(twin, words)
        assert done.exit_code == code, done.output
        return done.output

    log = write(tmp_path, "start,duration_min\n2026-01-01 06:00,30\n2031-01-01,5\n")
    assert "1 row lies outside the horizon" in invoke("compare", "02_one_outage", "-n", "1", "--outages", log)
    trace = str(tmp_path / "t.h5")
    invoke("run", "02_one_outage", "--outages", log, "-o", trace)
    kept = Trace.open(trace)
    assert kept.meta["files"][0]["name"] == log
    assert json.loads(kept.meta["scenario_text"])["sites"]["hall"]["grid"]["outages"]["file"]["name"] == log
    bad = write(tmp_path, "start,duration_min\n2026-01-01 06:00,-1\n")
    assert "log.csv:2" in invoke("run", "02_one_outage", "--outages", bad, code=2)
    assert "no file" in invoke("run", "02_one_outage", "--outages", str(tmp_path / "none.csv"), code=2)
