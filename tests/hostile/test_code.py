"""A scenario that names a Python file runs nothing of it without --allow-code, whichever door it comes in by."""

import json
import shutil

import h5py
import pytest
from click.testing import CliRunner

import twin
from twin.campaign.pack import pack, unpack
from twin.campaign.task import run_block
from twin.cli.app import twin as command
from twin.errors import InputError
from twin.experiment import run_designs
from twin.scenario.load import find, load
from twin.simulator import Simulator

POLICY = """\
from pathlib import Path
import numpy as np
from twin.ems.view import Plan

Path({mark!r}).touch()


class Policy:
    def plan(self, view):
        none = view.floor_kwh
        return Plan(none, none, np.full(48, view.connection_kw), none, view.connection_kw)
"""
HALL = """\
extends: {base}
sites.hall.price_per_kwh: {{hourly: [0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.3, 0.3, 0.3, 0.3,
                                    0.3, 0.3, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]}}
sites.hall.ems: {{backup_reserve_fraction: 0.5}}
designs: {{rule: {{sites.hall.ems: null}}, own: {{sites.hall.ems.policy_file: own.py}}}}
sites.hall.house_load_kw: {{value: 5, low: 1, high: 9}}
sweeps: {{house: {{method: grid, parameters: [sites.hall.house_load_kw], samples: 2}}}}
claims:
  replications: 1
  sets: {{as_said: {{design: own, against: rule, assumes: nothing}}}}
  statements: [{{name: x, says: x, judged: x, figure: lost_gpu_h_per_year, at_most: 1, sets: [as_said]}}]
"""


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Scenario, the file that its code would make, and results and a trace made with --allow-code."""
    folder = tmp_path_factory.mktemp("code")
    mark = folder / "ran"
    (folder / "own.py").write_text(POLICY.format(mark=str(mark)))
    (folder / "own.yaml").write_text(HALL.format(base=find("02_one_outage").absolute()))
    (folder / "chain.yaml").write_text("extends: own.yaml\nname: chain\n")
    told(folder, 0, "campaign", "chain.yaml", "-n", 2, "--designs", "own", "--workers", 1, "-o", "c.h5", "--allow-code")
    told(folder, 0, "run", "chain.yaml", "--design", "own", "-o", "t.h5", "--allow-code")
    assert mark.exists()
    return folder, mark


def told(folder, code, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(command, list(map(str, arguments)))
    assert done.exit_code == code, done.output
    return done.output


@pytest.mark.parametrize(("code", "arguments"), [
    (0, ("check", "chain.yaml")), (0, ("check", "chain.yaml", "--format", "json")),
    (2, ("run", "chain.yaml", "--design", "own")), (2, ("run", "own.yaml", "--design", "own", "-o", "x.h5")),
    (2, ("compare", "chain.yaml", "-n", 1)),
    (2, ("campaign", "chain.yaml", "-n", 2, "--designs", "own", "--workers", 1, "-o", "x.h5")),
    (2, ("campaign", "chain.yaml", "-n", 4, "--designs", "own", "--workers", 1, "-o", "c.h5", "--resume")),
    (2, ("campaign", "chain.yaml", "-n", 2, "--sweep", "house", "--designs", "own", "--workers", 1, "-o", "x.h5")),
    (2, ("claims", "chain.yaml", "--workers", 1)), (0, ("merge", "c.h5", "-o", "merged.h5")),
    (2, ("report", "c.h5", "-o", "x.html")), (0, ("report", "c.h5", "-o", "no.html", "--no-replay")),
    (0, ("report", "t.h5", "-o", "t.html")), (0, ("metrics", "t.h5")), (0, ("metrics", "c.h5")),
    (0, ("export", "t.h5", "-o", "tables")), (0, ("bill", "t.h5")),
])  # fmt: skip
def test_no_command_runs_it(case, code, arguments):
    folder, mark = case
    mark.unlink(missing_ok=True)
    output = told(folder, code, *arguments)
    assert not mark.exists()
    if code:
        assert "--allow-code" in output
    assert not list(folder.glob("x.*"))


def test_neither_notebook_nor_worker_runs_it(case):
    folder, mark = case
    mark.unlink(missing_ok=True)
    study = twin.load(folder / "chain.yaml")
    for simulate in (twin.simulate, lambda one, design: Simulator(unpack(pack(one)), design).run(0, "ledger")):
        with pytest.raises(InputError, match="--allow-code"):
            simulate(study, "own")
    with pytest.raises(InputError, match="--allow-code"):
        run_designs(study, ("own",), 1)
    with pytest.raises(InputError, match="--allow-code"):
        run_block("code", pack(study), 0, 1)  # what a worker is sent, here and on a cluster
    assert not mark.exists()


def test_a_trace_cannot_bring_code_along(case):
    folder, mark = case
    mark.unlink(missing_ok=True)
    shutil.copy(folder / "t.h5", folder / "crafted.h5")
    with h5py.File(folder / "crafted.h5", "r+") as file:
        meta = json.loads(file["meta"].asstr()[()])
        assert "own.py" in meta["scenario_text"]
        file.attrs["schema_version"] = 1  # without a digest: as whoever crafts one would have it
        meta["allow_code"] = True
        del file["meta"]
        file["meta"] = json.dumps(meta)
    told(folder, 0, "report", "crafted.h5", "-o", "crafted.html")
    assert not mark.exists()


@pytest.mark.parametrize("text", ["class Policy(:\n", "x = 1 / 0\n", "import nothing_of_this_name\n", "a\0b"])
def test_code_that_cannot_run_is_named_with_its_file(tmp_path, text):
    (tmp_path / "own.py").write_text(text)
    (tmp_path / "own.yaml").write_text(HALL.format(base=find("02_one_outage").absolute()))
    assert "own.py" in told(tmp_path, 2, "run", "own.yaml", "--design", "own", "--allow-code")
    assert load(tmp_path / "own.yaml")


def test_code_that_fails_on_a_worker_is_the_user_s_too(tmp_path):
    text = POLICY.format(mark=str(tmp_path / "ran"))
    fails = "import multiprocessing\n1 / (multiprocessing.parent_process() is None)\n"
    (tmp_path / "own.py").write_text(text + fails)
    (tmp_path / "own.yaml").write_text(HALL.format(base=find("02_one_outage").absolute()))
    output = told(tmp_path, 2, "campaign", "own.yaml", "-n", 2, "--workers", 1, "-o", "x.h5", "--allow-code")
    assert "own.py" in output
    assert "of design own" in output
