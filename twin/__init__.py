"""A discrete-event digital twin for the power supply of large GPU training clusters.

The public face, loaded on first use so that `import twin` stays quick:

    study = twin.load("01_flagship")                            # a file, or the name of a shipped scenario
    trace = twin.simulate(study, "cabinets", replication=3)     # trace.save(path), twin.Trace.open(path)
    twin.measure(trace)                                         # all metrics, a pandas Series
    result = twin.run_campaign(study, replications=1000)        # result.summary(), result.to_frame()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from twin.errors import InputError
from twin.version import VERSION as __version__

if TYPE_CHECKING:
    from twin.campaign.levels import run_levels
    from twin.campaign.result import CampaignResult
    from twin.campaign.run import run_campaign
    from twin.metrics import measure
    from twin.scenario.load import load
    from twin.scenario.study import Study
    from twin.simulator import simulate
    from twin.trace import Trace

__all__ = [
    "CampaignResult",
    "InputError",
    "Study",
    "Trace",
    "__version__",
    "load",
    "measure",
    "run_campaign",
    "run_levels",
    "simulate",
]

_HOMES = {
    "CampaignResult": "twin.campaign.result",
    "run_campaign": "twin.campaign.run",
    "run_levels": "twin.campaign.levels",
    "Study": "twin.scenario.study",
    "Trace": "twin.trace",
    "load": "twin.scenario.load",
    "measure": "twin.metrics",
    "simulate": "twin.simulator",
}
"""The module that each lazily loaded name lives in."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'twin' has no attribute '{name}'")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
