"""The fixture for measured records: found, skipped where absent, failed where they are required."""

import pytest


def test_a_record_below_twin_data_is_found(real_data, tmp_path, monkeypatch):
    (tmp_path / "jobs").mkdir()
    monkeypatch.setenv("TWIN_DATA", str(tmp_path))
    assert real_data("jobs") == tmp_path / "jobs"


def test_a_record_that_is_not_there_skips(real_data, tmp_path, monkeypatch):
    monkeypatch.setenv("TWIN_DATA", str(tmp_path))
    monkeypatch.delenv("TWIN_REQUIRE_DATA", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no measured record"):
        real_data("jobs")


def test_a_record_that_is_required_but_not_there_fails(real_data, tmp_path, monkeypatch):
    monkeypatch.setenv("TWIN_DATA", str(tmp_path))
    monkeypatch.setenv("TWIN_REQUIRE_DATA", "1")
    with pytest.raises(pytest.fail.Exception, match="no measured record"):
        real_data("jobs")


def test_without_twin_data_records_lie_beside_the_repository(real_data, monkeypatch):
    monkeypatch.delenv("TWIN_DATA", raising=False)
    monkeypatch.setenv("TWIN_REQUIRE_DATA", "1")
    with pytest.raises(pytest.fail.Exception, match=r"shared/data/no_such_record"):
        real_data("no_such_record")
