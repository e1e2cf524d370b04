"""Replications of several designs under the same luck: the loop under every comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twin import metrics
from twin.assemble import outage_log
from twin.errors import InputError, Problem
from twin.metrics.accounts import columns
from twin.parts.grid_spec import OutageLogSpec
from twin.scenario.files import find_file
from twin.scenario.layers import BASE
from twin.scenario.merge import suggest
from twin.scenario.model import Scenario
from twin.scenario.study import Study, digest
from twin.simulator import Simulator
from twin.trace import Trace
from twin.units import HOURS_PER_YEAR

Float = NDArray[np.float64]


class Progress(Protocol):
    """Told after every run how far the experiment is."""

    def __call__(self, done: int, total: int, values: Mapping[str, Float]) -> None:
        """Take note.

        Args:
            done: runs that are done.
            total: runs to do, replications x designs.
            values: by design, (replications complete for all designs, metrics) so far.
        """


Look = Callable[[str, int, Trace], None]
"""Shown every trace, at level "ledger", before it is let go: its design and replication, then the trace."""


def run_designs(
    study: Study[Scenario],
    designs: Sequence[str],
    replications: int,
    progress: Progress | None = None,
    look: Look | None = None,
) -> tuple[tuple[str, ...], dict[str, Float]]:
    """Simulate replications 0, 1, ... of every design, one after the other, and keep the metrics alone.

    Replications are the outer loop, so that what is done at any moment is a fair comparison.

    Args:
        study: the scenario.
        designs: names of its designs.
        replications: of each design, 1 or more.
        progress: told after every run.
        look: shown every trace.

    Returns:
        Names of the metrics and yearly accounts, and by design their values, (replications, metrics).

    Raises:
        InputError: an unknown design, a design named twice, or no replication.
    """
    check_designs(study, designs)
    if replications < 1:
        raise InputError(f"{replications} replications: at least 1 is needed")
    simulators = {design: Simulator(study, design) for design in designs}
    names = value_names(study, designs)
    values = {design: np.full((replications, len(names)), np.nan) for design in designs}
    total = replications * len(designs)
    for k in range(replications):
        for place, (design, simulator) in enumerate(simulators.items(), start=1):
            trace = simulator.run(k, level="ledger")
            values[design][k] = metrics.row(trace)[1]
            if look is not None:
                look(design, k, trace)
            if progress is not None:
                complete = k + (place == len(simulators))
                progress(k * len(designs) + place, total, {name: one[:complete] for name, one in values.items()})
    return names, values


def value_names(study: Study[Scenario], designs: Sequence[str] | None = None) -> tuple[str, ...]:
    """Names of a replication's values: the metrics, and with a `finance:` block the yearly accounts.

    Raises:
        InputError: some designs have such a block or other years, and others not.
    """
    chosen = list(study.designs) if designs is None else list(designs)
    found = {columns(study.designs[name].model_dump(mode="json", include={"finance", "horizon"})) for name in chosen}
    if len(found) > 1:
        raise InputError(Problem("designs differ in having finance:, or in their horizon", str(study.path)))
    return (*metrics.NAMES, *found.pop())


def check_designs(study: Study[Scenario], designs: Sequence[str]) -> None:
    """Raise `InputError` unless every name is one of the study's designs, and none stands there twice."""
    if not designs:
        raise InputError(Problem("no design is named", str(study.path), remedy=f"it has {', '.join(study.designs)}"))
    unknown = [name for name in designs if name not in study.designs]
    twice = sorted({name for name in designs if list(designs).count(name) > 1})
    problems = [
        Problem(f"no design '{name}'", str(study.path), remedy=suggest(name, study.designs)) for name in unknown
    ]
    problems += [Problem(f"design '{name}' is named twice", remedy="name it once") for name in twice]
    if problems:
        raise InputError(problems)


def years_each(study: Study[Scenario], design: str) -> float:
    """Length of one replication of a design [years of 8760 h]."""
    return study.designs[design].horizon.hours / HOURS_PER_YEAR


def with_outages(study: Study[Scenario], path: str) -> tuple[Study[Scenario], int]:
    """The study with an outage log in place of all drawn grid events, regional ones too, in every design.

    Args:
        study: the scenario.
        path: the log; columns as `twin.inputs.outages_csv` says.

    Returns:
        The study, whose digest covers the log, and how many rows of the log lie outside the horizon.

    Raises:
        InputError: the log is missing or wrong; rows by line.
    """
    file, problem = find_file(path, Path("here"), folder=False)
    if problem is not None:
        raise InputError(replace(problem, key="--outages"))
    log = OutageLogSpec(file=file.path)
    models = {name: _replaying(one, log) for name, one in ({BASE: study.base} | study.designs).items()}
    outside = 0
    for one in models.values():
        for site in one.sites.values():
            read = outage_log(one, site.grid)
            outside = read.outside if read is not None else outside
    files = tuple(sorted({*study.files, file}))
    designs = {name: models[name] for name in study.designs}
    digested = digest({BASE: models[BASE]} | designs, study.design_ranges, files)
    return replace(study, base=models[BASE], designs=designs, files=files, digest=digested), outside


def _replaying(scenario: Scenario, log: OutageLogSpec) -> Scenario:
    sites = {
        name: site.model_copy(update={"grid": site.grid.model_copy(update={"outages": log})})
        for name, site in scenario.sites.items()
    }
    return scenario.model_copy(update={"sites": sites, "regions": {}})


def reseeded(study: Study[Scenario], seed: int) -> Study[Scenario]:
    """The study with another seed in every design; its digest says so."""
    if seed < 0:
        raise InputError(f"seed {seed} is negative")
    designs = {name: one.model_copy(update={"seed": seed}) for name, one in study.designs.items()}
    base = study.base.model_copy(update={"seed": seed})
    models = {BASE: base} | designs
    return replace(study, base=base, designs=designs, digest=digest(models, study.design_ranges, study.files))
