"""A stretch of a measured training run, replayed reading by reading in place of the mean training level.

For a short window the busy servers of a cluster draw what the servers of the record drew, every 1 or 2 s; before and
after it they draw their mean level. The record's mean over servers in step stands for each server.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from twin.errors import InputError, Problem
from twin.inputs.power_phases import window
from twin.inputs.power_runs import read_runs
from twin.spec import NonNegative, Positive, Spec
from twin.units import TICKS_PER_S, ticks
from twin.world.profile import Floats, Ints

if TYPE_CHECKING:
    from twin.parts.cluster import ServerSpec


class PowerWindowSpec(Spec):
    """Which stretch of which run, and when."""

    record_folder: str = Field(description="a folder of measured power: gpu_power_mlperf_* or of their layouts")
    workload: str | None = Field(default=None, description="where the record has several")
    run: str | None = Field(default=None, description="the first, if absent")
    start_s: NonNegative = Field(default=0.0, description="of the stretch, after the run's first reading")
    length_s: Positive = Field(default=600.0, le=7200.0, description="of the stretch")
    at_h: NonNegative = Field(default=0.0, description="when it is replayed, after the scenario's start")


class PowerWindow:
    """The window as what the plant follows: utilisation of busy GPUs, 1 at the mean level, 0 at idle."""

    def __init__(self, spec: PowerWindowSpec, server: ServerSpec) -> None:
        self.spec, self.server = spec, server

    def steps(self, start: date, horizon_us: int) -> tuple[Ints, Floats]:
        """Ticks at which the utilisation changes, and its values.

        Raises:
            InputError: the record has no such run, the stretch lies beyond its end, or it exceeds the server's rating.
        """
        spec, server = self.spec, self.server
        times_s, power_kw = self._measured()
        if power_kw.max() > server.rated_kw:
            message = f"the record reaches {power_kw.max():.4g} kW, the server is rated {server.rated_kw:g} kW"
            raise InputError(Problem(message, file=spec.record_folder, remedy="a higher server.rated_kw"))
        level = np.maximum((power_kw - server.idle_kw) / (server.mean_training_kw - server.idle_kw), 0.0)
        begin = ticks(spec.at_h)
        at = begin + np.round(times_s * TICKS_PER_S).astype(np.int64)
        end = begin + round(spec.length_s * TICKS_PER_S)
        before: list[int] = [0] if begin else []
        found = np.concatenate([np.array(before, dtype=np.int64), at, [end]])
        values = np.concatenate([np.ones(len(before)), level, [1.0]])
        within = found < horizon_us
        return found[within], values[within]

    def _measured(self) -> tuple[Floats, Floats]:
        spec = self.spec
        runs = read_runs(spec.record_folder, spec.workload)
        run = next((one for one in runs if spec.run in (None, one.run)), None)
        if run is None:
            known = ", ".join(one.run for one in runs)
            raise InputError(Problem(f"there is no run '{spec.run}'", file=spec.record_folder, remedy=f"runs: {known}"))
        if spec.start_s + spec.length_s > run.seconds:
            message = f"run {run.run} ends after {run.seconds:g} s, the window after {spec.start_s + spec.length_s:g} s"
            raise InputError(Problem(message, file=spec.record_folder, remedy="a shorter or an earlier window"))
        return window(run, spec.start_s, spec.length_s)
