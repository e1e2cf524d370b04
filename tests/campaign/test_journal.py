"""The journal: acknowledged rows are there, or the file is refused; never other rows."""

import json
import sqlite3
from contextlib import closing

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twin.campaign import export
from twin.campaign.journal import Journal, read
from twin.errors import InputError

IDENTITY = {"designs": ["one", "two"], "metrics": ["a", "b", "c"]}
BLOCKS = [(first, np.random.default_rng(first).random((n, 2, 3))) for first, n in ((0, 5), (5, 1), (40, 60), (6, 34))]


def same(found, wanted):
    return [first for first, _ in found] == [first for first, _ in wanted] and all(
        np.array_equal(one, other) for (_, one), (_, other) in zip(found, wanted, strict=True)
    )


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    path = tmp_path_factory.mktemp("journal") / "j"
    with Journal.create(path, IDENTITY) as journal:
        journal.append(BLOCKS[:2])
        for block in BLOCKS[2:]:
            journal.append([block])
    return path.read_bytes()


def test_what_was_appended_is_read_back_and_more_may_follow(tmp_path):
    with Journal.create(tmp_path / "j", IDENTITY) as journal:
        journal.append(BLOCKS[:2])
    with Journal.open(tmp_path / "j") as journal:
        assert same(journal.blocks, BLOCKS[:2])
        journal.append(BLOCKS[2:])
    identity, blocks = read(tmp_path / "j")
    assert identity == IDENTITY
    assert same(blocks, BLOCKS)


def test_a_format_that_is_not_read_names_the_release_that_wrote_the_journal(tmp_path, monkeypatch):
    with Journal.create(tmp_path / "j", {**IDENTITY, "twin_version": "0.1.0"}) as journal:
        journal.append(BLOCKS)
    monkeypatch.setattr("twin.campaign.journal.FORMATS_READ", (2,))
    with pytest.raises(InputError, match=r"journal of schema 1, older than schema 2.*twin 0\.1\.0"):
        read(tmp_path / "j")


def test_results_of_a_schema_that_is_not_read_name_the_release_that_wrote_them(tmp_path, monkeypatch):
    content = export.Content({**IDENTITY, "twin_version": "0.1.0"}, BLOCKS[0][1])
    export.write(tmp_path / "r.h5", content)
    assert np.array_equal(export.read(tmp_path / "r.h5").values, content.values)
    monkeypatch.setattr("twin.campaign.export.SCHEMAS_READ", (3,))
    with pytest.raises(InputError, match=r"results of schema 2, older than schema 3.*twin 0\.1\.0"):
        export.read(tmp_path / "r.h5")
    with h5py.File(tmp_path / "r.h5", "a") as file:
        file.attrs["schema_version"] = 4
    with pytest.raises(InputError, match=r"results of schema 4, newer than this twin's schema 3.*twin 0\.1\.0"):
        export.read(tmp_path / "r.h5")


def check_damaged(path, data):
    path.write_bytes(data)
    try:
        identity, blocks = read(path)
    except InputError:
        pass
    else:
        assert json.dumps(identity) == json.dumps(IDENTITY)
        assert same(blocks, BLOCKS)


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_journal_is_refused_or_whole(image, tmp_path, data):
    check_damaged(tmp_path / "j", damaged(image, data))


@pytest.mark.long
@given(st.data())
@settings(max_examples=4000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_journal_is_refused_or_whole_many_times(image, tmp_path, data):
    check_damaged(tmp_path / "j", damaged(image, data))


def damaged(image, data):
    """A copy that is cut, or has a piece of zeros, or one bit flipped."""
    place = data.draw(st.integers(0, len(image) - 1))
    how = data.draw(st.sampled_from(["cut", "zero", "flip"]))
    if how == "cut":
        return image[:place]
    copy = bytearray(image)
    if how == "zero":
        length = min(data.draw(st.sampled_from([1, 8, 512, 4096])), len(copy) - place)
        copy[place : place + length] = bytes(length)
    else:
        copy[place] ^= 1 << data.draw(st.integers(0, 7))
    return bytes(copy)


def test_a_changed_row_is_named_with_a_remedy(image, tmp_path):
    payload = BLOCKS[2][1].tobytes()
    place = image.find(payload[:64])
    assert place > 0
    copy = bytearray(image)
    copy[place + 3] ^= 1
    (tmp_path / "j").write_bytes(copy)
    with pytest.raises(InputError, match=r"chunk 2 .*replications 40.*restore a copy"):
        read(tmp_path / "j")


def test_a_journal_whose_identity_is_gone_is_refused(tmp_path):
    with Journal.create(tmp_path / "j", IDENTITY) as journal:
        journal.append(BLOCKS)
    with closing(sqlite3.connect(tmp_path / "j")) as base, base:
        base.execute("delete from meta")
    with pytest.raises(InputError, match="damaged: its identity"):
        read(tmp_path / "j")
