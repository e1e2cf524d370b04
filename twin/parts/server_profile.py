"""The catalogue's power profiles by phase: what a run on a server of a preset takes, on average and at its extremes."""

from __future__ import annotations

import math

from twin.inputs.power_phases import PhaseProfile
from twin.inputs.power_runs import PHASES
from twin.parts.presets import presets


def server_profile(name: str | None) -> PhaseProfile | None:
    """The profile of a preset of `cluster.server`; None where no run of such a server was measured."""
    if name is None or (block := presets("phases").get(name)) is None:
        return None
    server = presets("server")[name]
    levels, means = block["levels_kw"], block["mean_kw"]
    startup, training, evaluation = (means.get(phase, math.nan) for phase in PHASES)
    return PhaseProfile(
        startup_s=block["startup_s"],
        evaluation_share=block["evaluation_share"],
        evaluation_s=server["evaluation_s"],
        evaluation_period_s=server["evaluation_period_s"],
        mean_kw=(startup, training, evaluation),
        levels_kw=tuple(tuple(levels.get(phase, ())) for phase in PHASES),
    )
