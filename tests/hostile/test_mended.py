"""What hostile inputs once did, one case a class: each is refused with one message, at once."""

import gzip
import io
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import h5py
import pytest
from click.testing import CliRunner

import twin
from twin.campaign.run import run_campaign
from twin.cli.app import twin as command
from twin.cli.show import fitted
from twin.errors import InputError, Problem
from twin.files import gunzip, read_bytes, write_whole
from twin.hdf5 import opened
from twin.powerflow import Network
from twin.scenario import files
from twin.scenario.layers import CHAIN_MAX
from twin.scenario.text import parse

BELL = "\x1b[31m\x07"


def refusal(read, *arguments):
    with pytest.raises(InputError) as caught:
        read(*arguments)
    return str(caught.value)


def told(*arguments):
    """What the command says, which must refuse."""
    done = CliRunner().invoke(command, list(map(str, arguments)))
    assert done.exit_code == 2, done.output
    return done.output


@pytest.mark.parametrize("text", ["9" * 5000, "0x" + "f" * 5000, "0o" + "7" * 5000, "1e999", "18446744073709551616"])
def test_endless_whole_numbers_are_too_large(text):
    assert "x.yaml:1: a: the number is too large" in refusal(parse, f"a: {text}\n", "x.yaml")


@pytest.mark.parametrize("text", ["\\e[31m", "\\0", "\\ud800", "\\u202e", "\\u2028"])
def test_text_that_a_terminal_obeys_or_hides_is_no_value(text):
    message = refusal(parse, f'a: "x{text}"\n', "x.yaml")
    assert "x.yaml:1: a: holds the character #x" in message
    assert message.isprintable()


def test_whatever_is_quoted_is_written_out():
    assert fitted(f"a{BELL}\u202e\tb\n", io.TextIOWrapper(io.BytesIO(), "utf-8")) == "a\\u001b[31m\\u0007\\u202e\tb\n"
    assert "\x1b" not in told("check", f"no{BELL}")
    assert "\x1b" not in told("compare", "02_one_outage", "-n", BELL)


def test_a_message_is_cut_where_it_grows_beyond_reading(tmp_path):
    assert len(str(Problem("m" * 10**6, "f" * 10**6, 1, "k" * 10**6, "r" * 10**6))) < 5000
    (tmp_path / "s.yaml").write_text("".join(f"k{k}: 1\n" for k in range(3000)))
    output = told("check", tmp_path / "s.yaml")
    assert len(output) < 20_000
    assert "more" in output.splitlines()[-1]


def test_long_keys_that_are_no_text_are_told_within_what_can_be_read(tmp_path):
    (tmp_path / "s.yaml").write_text("".join(f"{k + 1}{'0' * 900}: 1\n" for k in range(60)))
    output = told("check", tmp_path / "s.yaml")
    assert len(output) < 20_000
    assert "is not text" in output
    assert "more" in output.splitlines()[-1]


@pytest.mark.parametrize(("key", "value", "words"), [
    ("sites.hall.protection.ups.modules", {"n": 3_504_000, "rated_kw": 200}, "more than 100,000 items"),
    ("sites.hall.protection.cabinets.per_row", 10**9, "more than 100,000 items"),
])  # fmt: skip
def test_more_parts_than_can_be_counted_are_refused(tmp_path, key, value, words):
    base = twin.load("02_one_outage").path if "cabinets" in key else twin.load("20_nine_nines").path
    (tmp_path / "s.yaml").write_text(f"extends: {base}\n{key}: {json.dumps(value)}\n")
    assert words in told("check", tmp_path / "s.yaml")


@pytest.mark.parametrize(("key", "value"), [
    ("sites.hall.grid.feeders.A.momentary", {"per_year": 9_007_199_254_740_993, "duration_s": 1}),
    ("sites.hall.cluster.gpus_per_server", 10**19), ("sites.hall.cluster.servers_per_row", 10**12), ("seed", 10**30),
])  # fmt: skip
def test_more_than_can_be_counted_or_would_ever_end_is_refused(tmp_path, key, value):
    (tmp_path / "s.yaml").write_text(f"extends: {twin.load('02_one_outage').path}\n{key}: {json.dumps(value)}\n")
    assert "s.yaml:2" in told("check", tmp_path / "s.yaml")


def test_a_line_of_a_hundred_thousand_names_is_read_in_a_moment(tmp_path):
    (tmp_path / "d.csv").write_text(",".join(f"c{k}" for k in range(100_000)) + "\n1,2\n")
    began_s = time.process_time()
    told("fit", tmp_path / "d.csv", "--column", "h")
    assert time.process_time() - began_s < 8


def test_what_cannot_be_replaced_is_the_user_s_mistake_and_no_folder_is_made_on_the_way(tmp_path):
    study = twin.load("02_one_outage")
    with ThreadPoolExecutor(1) as thread:
        run_campaign(study, replications=2, path=tmp_path / "r.h5", executor=thread)
    (tmp_path / "loop").symlink_to("loop")
    assert "--resume" not in told("merge", tmp_path / "r.h5", "-o", tmp_path / "loop")
    told("export", tmp_path / "r.h5", "-o", tmp_path / "none" / "out")
    assert not (tmp_path / "none").exists()


def test_a_time_zone_of_no_name_is_a_broken_file(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet  # noqa: PLC0415 - an extra

    times = arrow.array([86_400_000], arrow.timestamp("ms", "UTD"))
    names = ["id", "submission_time", "duration", "gpu_count"]
    parquet.write_table(arrow.table([[1], times, [9000], [1]], names=names), tmp_path / "tasks.parquet")
    assert "is broken" in told("jobs", tmp_path / "tasks.parquet")


@pytest.mark.parametrize("kv", ["1e308", "1e-200"])
def test_voltages_whose_squares_are_no_numbers_are_refused(tmp_path, kv):
    base = twin.load("05_campus_network").path
    (tmp_path / "s.yaml").write_text(f"extends: {base}\nsites.campus.network.supply_kv: {kv}\n")
    assert "s.yaml:2: sites.campus.network.supply_kv" in told("check", tmp_path / "s.yaml")


@pytest.mark.parametrize("length", [0, 2**64 - 16, 2**64 - 20])
@pytest.mark.parametrize("kind", ["trace", "results"])
def test_a_heap_of_texts_without_end_does_not_keep_the_library_busy_for_ever(tmp_path, kind, length):
    study = twin.load("02_one_outage")
    if kind == "trace":
        twin.simulate(study).save(tmp_path / "f.h5")
    else:
        with ThreadPoolExecutor(1) as thread:
            run_campaign(study, replications=2, path=tmp_path / "f.h5", executor=thread)
    data = bytearray((tmp_path / "f.h5").read_bytes())
    first = data.index(b"GCOL") + 16
    data[first : first + 16] = (0 if length == 0 else 1).to_bytes(8, "little") + length.to_bytes(8, "little")
    (tmp_path / "f.h5").write_bytes(data)
    with pytest.raises(OSError, match="has no end"), opened(tmp_path / "f.h5"):
        pass
    assert "f.h5" in told("metrics", tmp_path / "f.h5")


@pytest.mark.parametrize(("base_kv", "r_ohm"), [(1e200, 1.0), (1e-200, 1.0), (10.0, 1e300), (float("nan"), 1.0)])
def test_a_network_whose_per_unit_values_are_no_numbers_is_refused(base_kv, r_ohm):
    with pytest.raises(InputError, match="is not"):
        Network([0], [1], [r_ohm], [1.0], base_kv)


@pytest.mark.parametrize("duration", ["1e308", "1e-300"])
def test_a_fit_to_what_no_clock_can_tell_is_refused(tmp_path, duration):
    (tmp_path / "d.csv").write_text("h\n1\n2\n4\n" + duration + "\n")
    assert "d.csv:5" in told("fit", tmp_path / "d.csv", "--column", "h")


def test_thirty_thousand_unknown_keys_are_refused_in_a_moment(tmp_path):
    (tmp_path / "s.yaml").write_text("".join(f"k{k}: 1\n" for k in range(30_000)))
    began_s = time.process_time()
    told("check", tmp_path / "s.yaml")
    assert time.process_time() - began_s < 8


@pytest.mark.skipif(os.name == "nt", reason="pipes and devices by name")
@pytest.mark.parametrize("door", [
    ("check",), ("jobs",), ("metrics",), ("bill",), ("fit", "--column", "a"), ("merge", "-o", "out.h5"),
    ("run", "02_one_outage", "--outages"), ("report", "-o", "out.html"), ("export", "-o", "out"),
])  # fmt: skip
def test_pipes_and_devices_are_no_files_and_nobody_waits_for_them(door, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    for name in ("pipe", "/dev/zero"):
        assert name in told(*door, name)
    assert os.listdir(tmp_path) == ["pipe"]


@pytest.mark.skipif(os.name == "nt", reason="pipes and devices by name")
def test_scenarios_name_no_pipes_no_devices_and_no_file_trees(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    base = "extends: {}\nsites.hall.price_per_kwh: {{file: {}, column: a}}\n"
    hall = twin.scenario.load.find("02_one_outage").absolute()
    (tmp_path / "s.yaml").write_text(base.format(hall, "pipe"))
    assert "s.yaml:2: sites.hall.price_per_kwh.file: pipe is a pipe or a device" in told("run", tmp_path / "s.yaml")
    for target in ("pipe", "/dev/zero", "'\\0'", '"\\0"', "loop", "''", "x" * 400):
        (tmp_path / "s.yaml").write_text(f"extends: {target}\n")
        assert "s.yaml:1" in told("check", tmp_path / "s.yaml")


def test_a_folder_of_too_many_files_is_no_record(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "FOLDER_FILES_MAX", 3)
    for name in "abcd":
        (tmp_path / name).write_text(name)
    assert "holds more than 3 files" in str(files.find_file(str(tmp_path), tmp_path, folder=True)[1])


def test_numbers_beyond_the_streams_of_luck_are_refused():
    for option in ("--seed", "--replication"):
        assert option in told("run", "02_one_outage", option, "9" * 30)


def test_a_time_that_no_clock_reaches_is_refused_and_leaves_no_journal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for limit in ("9223372036854775807", "0"):
        assert "until_time" in told("campaign", "02_one_outage", "-o", "r.h5", "-n", "2", "--until-time", limit)
    assert os.listdir() == []


def test_a_scheduler_that_is_not_there_leaves_no_journal(tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="the extra `cluster`")
    monkeypatch.chdir(tmp_path)
    for address in ("base", "0:99999999999999999999"):
        assert "no scheduler at" in told("campaign", "02_one_outage", "-o", "r.h5", "-n", "2", "--scheduler", address)
    assert os.listdir() == []


def test_files_that_cannot_be_looked_into_are_no_traces():
    assert "not an HDF5 file" in told("metrics", "/proc/self/mem")


def test_a_chain_of_extends_has_an_end(tmp_path):
    for k in range(CHAIN_MAX + 2):
        (tmp_path / f"c{k}.yaml").write_text(f"extends: c{k + 1}.yaml\n")
    assert f"the chain of extends is longer than {CHAIN_MAX} files" in told("check", tmp_path / "c0.yaml")


def test_a_gzip_bomb_is_refused_before_it_goes_off(tmp_path):
    bomb = gzip.compress(b"a,b\n" + b"1,2\n" * 20_000_000, 9)
    with pytest.raises(OSError, match="expands to more than 64 MB"):
        gunzip(bomb)
    (tmp_path / "t.csv.gz").write_bytes(bomb)
    assert "expands to more than 64 MB" in told("jobs", tmp_path / "t.csv.gz")
    assert "expands to more than 64 MB" in told("fit", tmp_path / "t.csv.gz", "--column", "a")
    several = gzip.compress(b"a") + gzip.compress(b"b") + bytes(8)
    assert gunzip(several) == gzip.decompress(several) == b"ab"


def test_a_file_beyond_its_bound_is_not_read(tmp_path):
    (tmp_path / "long").write_bytes(bytes(11))
    with pytest.raises(OSError, match="longer than 1e-05 MB"):
        read_bytes(tmp_path / "long", 10)
    assert read_bytes(tmp_path / "long", 11) == bytes(11)


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_links_and_names_that_hold_no_file_are_not_written_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.symlink("loop", "loop")
    assert "not a file that can be replaced" in refusal(write_whole, "loop", b"x")
    for name in ("loop", "x" * 300, "none/out.h5"):
        assert name[:100] in told("run", "02_one_outage", "-o", name)
    assert os.listdir() == ["loop"]


def test_columns_that_no_such_file_can_hold_are_not_read(tmp_path):
    trace = twin.simulate(twin.load("02_one_outage"))
    trace.save(tmp_path / "t.h5")
    with h5py.File(tmp_path / "t.h5", "r+") as file:
        del file["items/site"]
        made = file.create_dataset("items/site", shape=(10**9,), dtype="i8", chunks=(10**6,), compression="gzip")
        made[:10] = 1
    assert "it says to hold 8 GB" in told("metrics", tmp_path / "t.h5")
