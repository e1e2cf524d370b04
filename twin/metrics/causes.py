"""What began each interruption: losses by root cause, and cause chains in words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.schema_trace import TRUCK_PHASES, Table
from twin.trace import Trace
from twin.units import TICKS_PER_H

Float = NDArray[np.float64]
Int = NDArray[np.int64]

TRUCK_KINDS = ("truck", "generator_truck")
GROUPS = ("hardware", "planned", "sag", "momentary", "sustained", "common", "script", "capacity", "protection", "other",
          "network", "application")  # fmt: skip
"""Groups of root causes. All but the first two are power."""
PROTECTION_KINDS = (
    "ups_block",
    "ups_module",
    "battery_string",
    "static_switch",
    "switching",
    "cabinet",
    "genset",
    "genset_plant",
    "tie",
    "truck",
    "generator_truck",
    "connection_point",
    "common_cause",
    "shock",
)
"""Item kinds whose own failure counts as protection."""
NETWORK_KINDS = ("line", "transformer", "bus_bar", "breaker", "busway")
"""Item kinds of the site's own network."""
_GROUP_OF = {name: number for number, name in enumerate(GROUPS)}
_GROUP_OF |= dict.fromkeys(PROTECTION_KINDS, GROUPS.index("protection"))
_GROUP_OF |= dict.fromkeys(NETWORK_KINDS, GROUPS.index("network"))
_GROUP_OF["regional"] = GROUPS.index("common")
_OTHER = GROUPS.index("other")

_WORDS = {
    ("strikes", None): "strikes",
    ("up", 0): "fails",
    ("up", 1): "is restored",
    ("energised", 0): "loses supply",
    ("energised", 1): "has supply again",
    ("closed", 0): "opens",
    ("closed", 1): "closes",
    ("lit", 0): "goes dark",
    ("lit", 1): "is energised again",
    ("shed", 0): "is reconnected",
    ("shed", 1): "is shed, import being above its limit",
    ("hardware", None): "failure stops a job",
    ("application", 0): "lets a job go on",
    ("application", 1): "caps a job",
    ("application", 2): "pauses a job",
    ("application", 3): "has a job saved and stopped",
    ("announced", None): "is announced",
    ("ordered", None): "is ordered away",
    ("isolated", 1): "is isolated",
    ("failed_to_operate", 1): "fails to operate",
    ("failed_to_load", None): "fails to take load",
    ("failed_to_transfer", None): "fails to transfer in time",
    ("transferred", None): "moves to its other feed",
    ("locked_out", 1): "locks out after too many transfers",
    ("human_error", None): "is switched wrongly",
    ("thermal_event", 1): "burns",
    ("started_dark", None): "lights its dark load",
    ("delivered", None): "gets fuel",
    ("drained", None): "has the jobs drained",
    ("found", 1): "hidden failure is found by a test",
    ("found", 2): "hidden failure is found by need",
    ("attended", 1): "is attended by a crew",
    ("plugged", 0): "is unplugged",
    ("plugged", 1): "is plugged in",
}
"""Phrases for (what, value); None for any value. Other facts are named as they are."""


def loss_gpu_h(trace: Trace) -> Float:
    """GPU-hours lost by each interruption: GPUs x (rollback + time until the job trains again)."""
    table = trace.interruptions
    lost_us = table["end_us"] - table["start_us"] + table["rollback_us"]
    return np.asarray(table["gpus"] * (lost_us / TICKS_PER_H))


SLOWED = ("capped", "fewer_rows", "paused")
"""What slows a gang job down without interrupting it."""


def slowed_gpu_h(trace: Trace) -> dict[str, Float]:
    """Training lost by each job without an interruption [GPU-h], by what slowed it down (`SLOWED`).

    Caps cost what is missing from a job's time since its first start.
    """
    jobs = trace.jobs
    end_us = np.where(jobs["end_us"] >= 0, jobs["end_us"], trace.meta["horizon_us"])
    booked_us = jobs["useful_us"] + jobs["stall_us"] + jobs["rollback_us"] + jobs["down_us"]
    fewer_us, paused_us = jobs["fewer_rows_us"], jobs["paused_us"]
    capped_us = end_us - jobs["start_us"] - booked_us - fewer_us - paused_us
    return {
        name: np.asarray(np.where(jobs["start_us"] >= 0, jobs["gpus"] / TICKS_PER_H * lost_us, 0.0), np.float64)
        for name, lost_us in zip(SLOWED, (capped_us, fewer_us, paused_us), strict=True)
    }


def slowed_by_cause(trace: Trace) -> list[tuple[str, Int, Int, Float]]:
    """What caps, fewer rows and pauses cost jobs, shared out over the spans for which they held, by their length.

    Returns:
        (account, starts and ends of spans [us], their GPU-hours): "lost_gpu_h_supply" where a supply event or the
        application layer began the span, "lost_gpu_h_capacity" above the import limit.
    """
    found: list[tuple[str, Int, Int, Float]] = []
    for reason, lost in slowed_gpu_h(trace).items():
        item = trace.jobs["item"]
        shared = trace.items["site"][item] if reason == "capped" else item  # a cap is the whole site's
        for one in np.unique(shared[lost > 0.0]):
            own = shared == one
            total = float(lost[own].sum())
            start, at_us, ends_us = _slow_spans(trace, reason, int(item[own][0]))
            length = (ends_us - at_us).astype(np.float64)
            if not length.sum() > 0.0:
                whole = (np.zeros(1, np.int64), np.array([trace.meta["horizon_us"]], np.int64))
                found.append(("lost_gpu_h_supply", *whole, np.array([total])))
                continue
            gpu_h = total * length / length.sum()
            root = trace.root_cause()[start]
            kinds = (trace.items["kind"][k] for k in trace.events["item"][root])
            kind = np.array([_GROUP_OF.get(name, _OTHER) for name in kinds], np.int64)
            by_supply = (kind != _OTHER) & (kind != _GROUP_OF["capacity"])
            for name, mine in (("lost_gpu_h_supply", by_supply), ("lost_gpu_h_capacity", ~by_supply)):
                found.append((name, at_us[mine], ends_us[mine], gpu_h[mine]))
    return found


def _slow_spans(trace: Trace, reason: str, job: int) -> tuple[Int, Int, Int]:
    """Event rows that begin a job's spans of being slowed down, and their starts and ends [us]."""
    events, site_of = trace.events, trace.items["site"]
    fact = "rows_held" if reason == "fewer_rows" else reason
    of_job = site_of[events["item"]] == site_of[job] if reason == "capped" else events["item"] == job
    own = np.flatnonzero(of_job & (events["what"] == trace.what(fact)))
    value = events["value"][own]
    if reason == "fewer_rows":  # rows given up make the number fall, rows taken back make it rise
        begins = (np.diff(value, prepend=value[:1]) <= 0) & (events["cause"][own] >= 0)
    else:
        begins = value == 1
    ends_us = np.append(events["time_us"][own[1:]], trace.meta["horizon_us"])
    return own[begins], events["time_us"][own[begins]], ends_us[begins]


def roots(trace: Trace) -> Int:
    """Event row at the start of each interruption's cause chain, -1 where it has no cause."""
    cause = trace.interruptions["cause"]
    known = cause >= 0
    if not known.any():
        return np.full(len(cause), -1)
    return np.where(known, trace.root_cause()[cause], -1)


def groups(trace: Trace) -> Int:
    """The group of each interruption's root cause, as a place in `GROUPS`."""
    root = roots(trace)
    if not len(root) or not len(trace.events["item"]):
        return np.full(len(root), _OTHER)
    group_of_item = np.array([_GROUP_OF.get(kind, _OTHER) for kind in trace.items["kind"]], np.int64)
    group: Int = group_of_item[trace.events["item"][root]]
    group[trace.events["what"][root] == trace.what("hardware")] = _GROUP_OF["hardware"]
    group[trace.events["what"][root] == trace.what("shed")] = _GROUP_OF["capacity"]
    group[root < 0] = _OTHER
    return group


def by_root_cause(trace: Trace) -> Table:
    """Interruptions and losses by the kind of item that began them, largest loss first.

    Returns:
        Columns `kind` (item kind of the root, "hardware" for server failures, "unknown" without a cause),
        `interruptions` (count) and `lost_gpu_h`, over the whole horizon.
    """
    sums: dict[str, list[float]] = {}
    hardware, kinds = trace.what("hardware"), trace.items["kind"]
    for root, lost in zip(roots(trace).tolist(), loss_gpu_h(trace).tolist(), strict=True):
        kind = "unknown"
        if root >= 0:
            is_hardware = trace.events["what"][root] == hardware
            kind = "hardware" if is_hardware else kinds[trace.events["item"][root]]
        total = sums.setdefault(kind, [0, 0.0])
        total[0] += 1
        total[1] += lost
    order = sorted(sums, key=lambda kind: (-sums[kind][1], kind))
    return {
        "kind": order,
        "interruptions": np.array([sums[kind][0] for kind in order], np.int64),
        "lost_gpu_h": np.array([sums[kind][1] for kind in order], np.float64),
    }


def cause_chain(trace: Trace, event_row: int) -> list[str]:
    """The events from the root cause to this one in words, e.g. ["campus/grid/a strikes", "campus/row-3 goes dark"]."""
    rows = [int(event_row)]
    while trace.events["cause"][rows[-1]] >= 0:
        rows.append(int(trace.events["cause"][rows[-1]]))
    return [_in_words(trace, row) for row in reversed(rows)]


def interruption_chain(trace: Trace, interruption_row: int) -> list[str]:
    """The cause chain of an interruption in words, ending with the job, e.g. [..., "training interrupted"]."""
    table = trace.interruptions
    cause = int(table["cause"][interruption_row])
    chain = cause_chain(trace, cause) if cause >= 0 else []
    return [*chain, f"{trace.items['name'][table['item'][interruption_row]]} interrupted"]


def _in_words(trace: Trace, row: int) -> str:
    events: dict[str, Any] = trace.events
    item, value = int(events["item"][row]), int(events["value"][row])
    what = trace.meta["whats"][events["what"][row]]
    name = trace.items["name"][item]
    if what == "phase":
        table = trace.interruptions
        stopped = (table["item"] == item) & (table["start_us"] == events["time_us"][row])
        if trace.items["kind"][item] in TRUCK_KINDS:
            return f"{name} is {TRUCK_PHASES[value].replace('_', ' ')}"
        return f"{name} interrupted" if stopped.any() else f"{name} enters phase {value}"
    return f"{name} {_WORDS.get((what, value)) or _WORDS.get((what, None)) or what}"
