"""The same bytes, whoever computed them, in whatever pieces and order."""

import numpy as np
import pytest
from campaign_processes import Shuffled
from click.testing import CliRunner
from small_campaign import REPLICATIONS, run_here, twin

from twin import metrics
from twin.campaign.engines import ForeignEngine, LocalEngine
from twin.campaign.merge import merge
from twin.campaign.pack import pack, unpack
from twin.campaign.result import CampaignResult
from twin.campaign.run import run_campaign
from twin.cli.app import twin as command
from twin.errors import HaltedError, InputError
from twin.scenario.load import load
from twin.simulator import simulate


def test_two_workers_write_the_bytes_of_one(scenario, undisturbed, tmp_path):
    done = twin("campaign", scenario, "-n", REPLICATIONS, "--workers", 2, "-o", tmp_path / "r.h5")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "r.h5").read_bytes() == undisturbed.read_bytes()


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("target_s", [0.001, 0.02, 3.0])
def test_any_workers_and_chunks_write_the_same_bytes(workers, target_s, study, undisturbed, tmp_path, monkeypatch):
    monkeypatch.setattr(LocalEngine, "target_s", target_s)
    run_campaign(study, replications=REPLICATIONS, workers=workers, path=tmp_path / "r.h5")
    assert (tmp_path / "r.h5").read_bytes() == undisturbed.read_bytes()


@pytest.mark.parametrize("target_s", [0.001, 0.02])
def test_small_chunks_write_the_bytes_of_large_ones(target_s, study, undisturbed, tmp_path, monkeypatch):
    monkeypatch.setattr(ForeignEngine, "target_s", target_s)
    run_here(study, tmp_path / "r.h5")
    assert (tmp_path / "r.h5").read_bytes() == undisturbed.read_bytes()


def test_a_campaign_has_the_metrics_of_single_runs(study, undisturbed):
    result = CampaignResult.open(undisturbed)
    for place, design in enumerate(result.designs):
        for k in (0, 17):
            assert np.array_equal(
                result.values[k, place], metrics.row(simulate(study, design, k, "ledger"))[1], equal_nan=True
            )


@pytest.mark.parametrize("name", ["02_one_outage", "01_flagship", "05_campus_network"])
def test_what_travels_is_the_study(name):
    study = load(name)
    back = unpack(pack(study))
    assert back.designs == study.designs
    assert all(back.resolved_json(design) == study.resolved_json(design) for design in study.designs)
    assert pack(back) == pack(study)


def test_a_worker_with_other_arithmetic_is_refused(study, tmp_path, monkeypatch):
    import twin.campaign.run as module  # noqa: PLC0415

    monkeypatch.setattr(module, "warm", lambda study: "another machine")
    with pytest.raises(HaltedError, match="other last bits"):
        run_campaign(study, replications=5, executor=Shuffled(np.random.default_rng(1)), path=tmp_path / "r.h5")


def test_parts_join_to_the_bytes_of_the_whole(study, undisturbed, tmp_path):
    run_here(study, tmp_path / "0.h5", (0, 150))
    run_here(study, tmp_path / "1.h5", (150, REPLICATIONS))
    arguments = ["merge", *(str(tmp_path / name) for name in ("1.h5", "0.h5")), "-o", str(tmp_path / "all.h5")]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "all.h5").read_bytes() == undisturbed.read_bytes()
    assert CliRunner().invoke(command, arguments).exit_code == 2


def test_a_gap_between_parts_is_named(study, tmp_path):
    for first, end in ((0, 10), (15, 20)):
        run_here(study, tmp_path / f"{first}.h5", (first, end))
    with pytest.raises(InputError, match="replications 10 to 14 are missing"):
        merge([tmp_path / "15.h5", tmp_path / "0.h5"])


def test_parts_of_different_campaigns_do_not_join(study, tmp_path):
    run_here(study, tmp_path / "a.h5", (0, 10))
    run_here(study, tmp_path / "b.h5", (10, 20), designs=["one"])
    with pytest.raises(InputError, match="designs differ"):
        merge([tmp_path / "a.h5", tmp_path / "b.h5"])
