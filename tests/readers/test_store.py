"""A trace read back equals the one written; anything else is refused with the file's name."""

import os
import resource
import subprocess
import sys

import h5py
import numpy as np
import pytest
from builders import YEAR_US, H, large_trace, ledger_of, table_of, trace_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twin.errors import InputError, InternalError
from twin.schema_trace import SCHEMA, SCHEMA_VERSION, empty_table
from twin.trace import Trace

ints = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(width=64)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)


@st.composite
def tables(draw, name, **ranges):
    columns = {}
    rows = draw(st.integers(0, 5))
    for column, (kind, _) in SCHEMA[name].columns.items():
        of = {"text": names, "float64": floats, "int64": ranges.get(column, ints)}[kind]
        values = draw(st.lists(of, min_size=rows, max_size=rows))
        columns[column] = values if kind == "text" else np.array(values, kind)
    return columns


@st.composite
def traces(draw):
    trace = trace_of([], sites=draw(st.lists(names, max_size=2, unique=True)), question=draw(st.text()))
    none, sites = st.just(-1), st.integers(-1, len(trace.meta["sites"]) - 1)
    trace.items = draw(tables("items", site=sites))
    count = len(trace.items["name"])
    item = st.integers(0, max(count - 1, 0))
    if count:
        trace.events = draw(tables("events", item=item, what=st.integers(0, 3), cause=none))
        trace.events["time_us"].sort()
        trace.jobs = draw(tables("jobs", item=item, tenant=none))
        if len(trace.jobs["item"]):
            job = st.integers(0, len(trace.jobs["item"]) - 1)
            trace.interruptions = draw(tables("interruptions", job=job, item=item, cause=none))
        trace.units = {site: draw(tables("units", item=item)) for site in trace.meta["sites"]}
    for site in trace.meta["sites"]:
        trace.series[site] = draw(tables("series"))
        trace.ledger[site] = draw(tables("ledger"))
    trace.cycles = draw(tables("cycles"))
    return trace


@given(trace=traces())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_trace_read_back_equals_the_one_in_memory(tmp_path, trace):
    trace.save(tmp_path / "trace.h5")
    assert Trace.open(tmp_path / "trace.h5").equals(trace)


@given(seed=st.integers(0, 1000), order=st.sampled_from(["time", "unit", "none"]))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_turning_points_in_any_order_are_kept_to_the_bit(tmp_path, seed, order):
    rng = np.random.default_rng(seed)
    n = 1500
    units = {
        "time_us": rng.integers(0, 40, n) * H,
        "item": rng.integers(0, 4, n),
        "energy_kwh": rng.choice([1.5, -0.0, 0.0], n),
    }
    keys = {
        "time": (units["item"], units["time_us"]),
        "unit": (units["time_us"], units["item"]),
        "none": (rng.random(n),),
    }
    by = np.lexsort(keys[order])
    units = {column: values[by] for column, values in units.items()}
    trace = trace_of([(f"c{k}", "cabinet", 0.0, 0) for k in range(4)], units={"campus": units})
    trace.save(tmp_path / "trace.h5")
    assert Trace.open(tmp_path / "trace.h5").equals(trace)


@pytest.mark.parametrize("alike", [True, False])
def test_a_site_year_with_all_units_is_small_and_exact(tmp_path, alike):
    trace = large_trace(alike=alike)
    trace.save(tmp_path / "trace.h5")
    assert Trace.open(tmp_path / "trace.h5").equals(trace)
    if alike:
        assert (tmp_path / "trace.h5").stat().st_size < 2_000_000


def test_at_level_ledger_a_trace_may_leave_series_and_units_out(tmp_path):
    trace = small_trace(level="ledger")
    trace.series, trace.units = {}, {}
    trace.save(tmp_path / "trace.h5")
    assert Trace.open(tmp_path / "trace.h5").equals(trace)


def test_equal_traces_make_equal_files(tmp_path):
    code = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r}); from test_store import small_trace;"
    code += f"small_trace().save({str(tmp_path / 'other.h5')!r})"
    subprocess.run([sys.executable, "-c", code], check=True)
    trace = small_trace()
    trace.meta = dict(reversed(trace.meta.items()))
    trace.save(tmp_path / "one.h5")
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "other.h5").read_bytes()


def test_a_changed_last_bit_makes_traces_unequal():
    one, other = small_trace(), small_trace()
    assert one.equals(other)
    other.ledger["campus"]["it_kwh"][0] = np.nextafter(one.ledger["campus"]["it_kwh"][0], np.inf)
    assert not one.equals(other)


def test_columns_carry_unit_and_description(tmp_path):
    small_trace().save(tmp_path / "trace.h5")
    with h5py.File(tmp_path / "trace.h5") as file:
        assert file["ledger/campus/import_kwh"].attrs["unit"] == "kWh"
        assert file["events/time_us"].attrs["unit"] == "us"
        for table in ("items", "events", "jobs", "interruptions", "cycles", "series/campus"):
            assert file[table].attrs["description"]
            assert all(column.attrs["description"] for column in file[table].values())


def small_trace(**meta):
    items = [("campus/cabinet", "cabinet", 0.0, 0), ("campus/row", "row", 10.0, 8)]
    units = table_of("units", (0, 0, 100.0), (2 * H, 0, 50.0), (4 * H, 0, 50.0), (4 * H, 0, 80.0), (5 * H, 0, 90.0))
    ledger = ledger_of({"end_us": YEAR_US, "it_kwh": 87600.0})
    facts = [(1, 1, "lit", 0, -1), (2, 1, "lit", 1, 0)]
    return trace_of(items, facts, units={"campus": units}, ledger={"campus": ledger}, **meta)


def test_stored_energy_is_linear_between_turning_points():
    stored = small_trace().stored_kwh("campus", "campus/cabinet", [0, 1, 2, 3, 4, 4.5, 9])
    assert stored == pytest.approx([100, 75, 50, 50, 80, 85, 90])  # at 4 h the later of two points holds
    assert np.isnan(small_trace().stored_kwh("campus", 0, -1))


def test_stored_energy_of_what_stores_none_is_an_input_error():
    with pytest.raises(InputError, match="campus/row"):
        small_trace().stored_kwh("campus", "campus/row", 1.0)


def test_times_are_offered_in_hours():
    assert small_trace().time_h("events").tolist() == [1, 2]
    assert small_trace().time_h("ledger", "campus", "end_us").tolist() == [8760]


def refused(path):
    with pytest.raises(InputError) as caught:
        Trace.open(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_what_is_no_hdf5_file_is_refused_by_name(tmp_path):
    (tmp_path / "notes.txt").write_text("no trace")
    assert "not an HDF5 file" in refused(tmp_path / "notes.txt")
    (tmp_path / "empty.h5").write_bytes(b"")
    assert "not an HDF5 file" in refused(tmp_path / "empty.h5")
    assert "no such file" in refused(tmp_path / "missing.h5")
    assert "folder" in refused(tmp_path)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.999])
def test_a_file_cut_short_is_refused(tmp_path, share):
    small_trace().save(tmp_path / "trace.h5")
    data = (tmp_path / "trace.h5").read_bytes()
    (tmp_path / "trace.h5").write_bytes(data[: int(len(data) * share)])
    refused(tmp_path / "trace.h5")


@given(place=st.integers(0, 2**20), byte=st.integers(1, 255))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_byte_never_raises_but_an_input_error(tmp_path, place, byte):
    small_trace().save(tmp_path / "trace.h5")
    data = bytearray((tmp_path / "trace.h5").read_bytes())
    data[place % len(data)] ^= byte
    (tmp_path / "trace.h5").write_bytes(data)
    try:
        Trace.open(tmp_path / "trace.h5")
        message = "read, so the byte did not matter to trace.h5"
    except InputError as error:
        message = str(error)
    assert "trace.h5" in message


def test_every_flipped_bit_of_a_column_is_seen(tmp_path):
    trace = small_trace()
    trace.save(tmp_path / "trace.h5")
    with h5py.File(tmp_path / "trace.h5") as file:
        short = file["events/time_us"].id
        place, size = short.get_offset(), short.get_storage_size()
    data = (tmp_path / "trace.h5").read_bytes()
    assert size == 8 * len(trace.events["time_us"])
    for bit in range(8 * size):
        damaged = bytearray(data)
        damaged[place + bit // 8] ^= 1 << bit % 8
        (tmp_path / "trace.h5").write_bytes(damaged)
        refused(tmp_path / "trace.h5")


def test_another_number_in_a_sound_file_is_refused_by_its_digest(tmp_path):
    def edit(file):
        file["events/time_us"][1] += 1

    assert "its content differs from its digest" in _edited(tmp_path, edit)


def test_a_trace_of_the_first_schema_is_read_though_it_has_no_digest(tmp_path):
    trace = small_trace()
    trace.save(tmp_path / "trace.h5")
    with h5py.File(tmp_path / "trace.h5", "r+") as file:
        file.attrs["schema_version"] = 1
        del file.attrs["content_sha256"]
    assert Trace.open(tmp_path / "trace.h5").equals(trace)


def test_numbers_that_no_such_file_can_hold_are_refused_before_they_are_read(tmp_path):
    def edit(file):
        del file["events/cause"]
        file.create_dataset("events/cause", shape=(10**12,), dtype="i8", chunks=(1024,))

    assert "says to hold 8e+03 GB" in _edited(tmp_path, edit)


def _edited(tmp_path, edit):
    path = tmp_path / "trace.h5"
    small_trace().save(path)
    with h5py.File(path, "r+") as file:
        edit(file)
    return refused(path)


def _replace(file, column, values):
    del file[column]
    file[column] = values


def test_a_foreign_hdf5_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["x"] = [1, 2]
    assert "not a trace" in refused(tmp_path / "foreign.h5")


def test_a_newer_schema_asks_for_a_newer_twin(tmp_path):
    def edit(file):
        file.attrs["schema_version"] = SCHEMA_VERSION + 1

    assert "newer twin" in _edited(tmp_path, edit)


def test_a_schema_that_is_not_read_names_the_release_that_wrote_the_file(tmp_path, monkeypatch):
    path = tmp_path / "trace.h5"
    trace_of([("campus/row-001", "row", 1.0, 8)], twin_version="0.1.0").save(path)
    Trace.open(path)
    monkeypatch.setattr("twin.store.SCHEMAS_READ", (3,))
    with pytest.raises(InputError, match=r"schema 2, older than schema 3.*the release that wrote it, twin 0\.1\.0"):
        Trace.open(path)
    monkeypatch.setattr("twin.store.SCHEMAS_READ", (1, 2, 3))
    assert Trace.open(path).meta["twin_version"] == "0.1.0"


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda file: file.__delitem__("events"), "table 'events' is missing"),
        (lambda file: file.__delitem__("ledger/campus"), "table 'ledger/campus' is missing"),
        (lambda file: file.__delitem__("meta"), "'meta' is missing"),
        (lambda file: _replace(file, "meta", "{}"), "'meta' has no horizon_us"),
        (lambda file: file.__delitem__("events/cause"), "column 'cause' is missing"),
        (lambda file: _replace(file, "events/cause", [-1]), "unequal lengths"),
        (lambda file: _replace(file, "events/cause", [-1.0, 0.0]), "'cause' is not a list of int64"),
        (lambda file: _replace(file, "items/name", [1, 2]), "'name' is not text"),
        (lambda file: _replace(file, "events/cause", [-1, 1]), "does not come before its effect"),
        (lambda file: _replace(file, "events/item", [1, 2]), "'item' points outside"),
        (lambda file: _replace(file, "events/time_us", [2, 1]), "not in time order"),
    ],
)
def test_a_missing_or_wrong_part_is_named(tmp_path, edit, words):
    assert words in _edited(tmp_path, edit)


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "trace.h5"
    small_trace().save(path)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(InputError, match=r"trace\.h5.*cannot be written"):
            large_trace(n_units=2).save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["trace.h5"]


def test_a_place_that_cannot_hold_a_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        small_trace().save(tmp_path / "no folder" / "trace.h5")
    with pytest.raises(InputError, match="not a file"):
        small_trace().save("/dev/null")
    assert not os.path.isfile("/dev/null")


def test_tables_that_break_the_schema_are_our_own_mistake(tmp_path):
    trace = small_trace()
    trace.events = empty_table("events") | {"time_us": np.zeros(1, np.int64)}
    with pytest.raises(InternalError, match="unequal"):
        trace.save(tmp_path / "trace.h5")
    assert not list(tmp_path.iterdir())
