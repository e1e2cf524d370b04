"""Metrics: pure functions of a trace, in the words of the field."""

from twin.metrics.causes import GROUPS, by_root_cause, cause_chain, interruption_chain
from twin.metrics.chains import losses_by_chain
from twin.metrics.compute import by_tenant
from twin.metrics.darkness import Dark, dark_spans
from twin.metrics.figures import measure, row
from twin.metrics.load_points import load_point_indices
from twin.metrics.names import METRICS, NAMES, Metric

__all__ = [
    "GROUPS",
    "METRICS",
    "NAMES",
    "Dark",
    "Metric",
    "by_root_cause",
    "by_tenant",
    "cause_chain",
    "dark_spans",
    "interruption_chain",
    "load_point_indices",
    "losses_by_chain",
    "measure",
    "row",
]
