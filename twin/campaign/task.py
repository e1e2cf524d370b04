"""One task: a block of replications of all designs. What workers import, on this machine or on a cluster."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin import metrics
from twin.campaign.boot import SENT
from twin.campaign.pack import unpack, unpack_rare
from twin.campaign.rare.columns import COLUMNS
from twin.campaign.rare.settings import Settings, run_weighted
from twin.errors import HaltedError, InputError, InternalError
from twin.experiment import value_names
from twin.scenario.model import Scenario
from twin.scenario.study import Study
from twin.simulator import Simulator

Float = NDArray[np.float64]

CANARY_HOURS = 720.0
"""A month of the first design is what all workers must agree on to the last bit."""
_SIMULATORS_KEPT = 64


@dataclass(frozen=True)
class Block:
    """Metrics of replications `first`, `first + 1`, ...: `rows` is (replications, designs, metrics).

    `canary` is the worker's answer to a fixed little sum; `wall_s` and `cpu_s` say what the block cost.
    """

    first: int
    rows: Float
    canary: str
    wall_s: float = 0.0
    cpu_s: float = 0.0

    @property
    def last(self) -> int:
        """The replication after the block."""
        return self.first + len(self.rows)


class _Bench:
    """A thread's simulators of one campaign."""

    def __init__(self, study: Study[Scenario], rare: dict[str, Any] | None) -> None:
        self.study = study
        self._settings = {} if rare is None else {name: Settings.of(one) for name, one in rare["designs"].items()}
        self.canary = canary(study)
        self.names = value_names(study) if rare is None else COLUMNS
        self._simulators: dict[str, Simulator] = {}

    def simulator(self, design: str) -> Simulator:
        if design not in self._simulators:
            while len(self._simulators) >= _SIMULATORS_KEPT:  # the oldest goes: a long sweep must not fill the memory
                del self._simulators[next(iter(self._simulators))]
            self._simulators[design] = Simulator(self.study, design)
        return self._simulators[design]

    def row(self, design: str, replication: int) -> Float:
        simulator = self.simulator(design)
        if self._settings:
            return run_weighted(simulator, replication, self._settings[design])
        return metrics.row(simulator.run(replication, "ledger"))[1]


class _Benches(threading.local):
    """By key of the work: workers of a cluster may run several threads, and serve several campaigns."""

    def __init__(self) -> None:
        self.found: dict[str, _Bench] = {}

    def bench(self, key: str, packed: bytes | None) -> _Bench:
        if key not in self.found:
            data = SENT.get(key) if packed is None else packed
            if data is None:
                raise HaltedError(f"a worker knows no work {key[:12]}")
            self.found.clear()
            self.found[key] = _Bench(unpack(data), unpack_rare(data))
        return self.found[key]


_BENCHES = _Benches()


def greet(key: str, packed: bytes | None) -> str:
    """Make ready to work, and answer the canary."""
    return _BENCHES.bench(key, packed).canary


def run_block(key: str, packed: bytes | None, first: int, last: int) -> Block:
    """Simulate replications `first` up to `last` (not included) of all designs, and keep the metrics.

    Args:
        key: of the work.
        packed: the work, where the process did not get it at its start.
        first: number of the first replication.
        last: one more than that of the last.

    Raises:
        InputError: what the scenario names cannot be read here, or fails; the message names design and replication.
        InternalError: the simulation broke a promise; likewise.
    """
    wall_s, cpu_s = time.perf_counter(), time.thread_time()
    bench = _BENCHES.bench(key, packed)
    designs = list(bench.study.designs)
    rows = np.empty((last - first, len(designs), len(bench.names)))
    for place, design in enumerate(designs):
        for k in range(first, last):
            rows[k - first, place] = _one(bench, design, k)
    return Block(first, rows, bench.canary, time.perf_counter() - wall_s, time.thread_time() - cpu_s)


def _one(bench: _Bench, design: str, replication: int) -> Float:
    place = f"replication {replication} of design {design}"
    try:
        return bench.row(design, replication)
    except InputError as error:  # a record that is not on this machine, a policy of the user's that fails this year
        told = [replace(one, message=f"{one.message}, in {place}") for one in error.problems]
        raise InputError(told) from error
    except Exception as error:
        raise InternalError(f"{place}: {type(error).__name__}: {error}") from error


def canary(study: Study[Scenario]) -> str:
    """Digest of a month of the first design, and of functions whose last bit depends on the processor.

    Where two workers disagree on it, results would depend on who computed what.
    """
    name, scenario = next(iter(study.designs.items()))
    found = hashlib.sha256()
    trace = Simulator(_shortened(study, name, scenario), name).run(0, "ledger")
    found.update(metrics.row(trace)[1].tobytes() + trace.events["time_us"].tobytes())
    grid = np.linspace(0.1, 30.0, 997)
    for values in (np.exp(-grid), np.log(grid), np.sin(grid), np.sqrt(grid), grid @ grid):
        found.update(values.tobytes())
    return found.hexdigest()


def warm(study: Study[Scenario]) -> str:
    """Compile what a month of each design needs, so that workers find it on the disk; returns the canary."""
    for name, scenario in study.designs.items():
        metrics.row(Simulator(_shortened(study, name, scenario), name).run(0, "ledger"))
    return canary(study)


def _shortened(study: Study[Scenario], name: str, scenario: Scenario) -> Study[Scenario]:
    horizon = scenario.horizon
    if horizon.hours <= CANARY_HOURS:
        return study
    short = horizon.model_copy(update={"hours": CANARY_HOURS})
    return replace(study, designs={name: scenario.model_copy(update={"horizon": short})})
