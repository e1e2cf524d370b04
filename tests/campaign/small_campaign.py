"""A small hall with luck: a replication of both designs takes about 3 ms."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from twin.campaign.run import run_campaign

SMALL = """\
extends: {folder}/02_one_outage.yaml
name: small
seed: 7
horizon: {{hours: {hours}}}
sites.hall.grid:
  script: null
  feeders.A.momentary: {{per_year: {{value: 60, low: 20, high: 100}}, duration_s: 2}}
  feeders.A.sustained:
    per_year: {{value: 12, low: 4, high: 20}}
    duration_h: {{law: lognormal, median: 1, sigma: 1}}
jobs.training.hardware.per_1000_server_days: 20
designs:
  one: {{}}
  two: {{sites.hall.protection.cabinets.rated_kwh: 200}}
sweeps:
  rates:
    method: lhs
    parameters: [sites.hall.grid.feeders.A.momentary.per_year, sites.hall.grid.feeders.A.sustained.per_year]
    samples: 3
"""
REPLICATIONS = 400
SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"


def small(folder, hours=720):
    """Write the small scenario; returns its path."""
    path = Path(folder) / "small.yaml"
    path.write_text(SMALL.format(folder=os.path.relpath(SCENARIOS, folder), hours=hours))
    return path


def run_here(study, path=None, replications=REPLICATIONS, **options):
    """A campaign in this process: quick, since no worker has to start."""
    with ThreadPoolExecutor(1) as thread:
        return run_campaign(study, replications=replications, path=path, executor=thread, **options)


def environment(**extra):
    own = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "COLUMNS": "80"}
    return os.environ | own | {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode()} | extra


@cache
def bytecode():
    """A folder for the bytecode of all processes that tests start: without it each compiles every module anew."""
    folder = tempfile.mkdtemp(prefix="twin-bytecode")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def command(*arguments):
    return [sys.executable, "-m", "twin", *map(str, arguments)]


def twin(*arguments, **extra):
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, timeout=300, env=environment(**extra)
    )
