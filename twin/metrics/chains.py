"""Attribution: which chain of causes each interruption and each lost GPU-hour has; shares add up to the whole.

A chain begins with the root cause and names what failed after it, in order of time: links of the event's own causes,
gensets and protection that failed in the same event before, and storage of the same feed that was down already. All is
read from the trace alone. Each loss has exactly one chain, so that nothing is counted twice and nothing is left over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twin.metrics.causes import GROUPS, loss_gpu_h, slowed_gpu_h
from twin.metrics.darkness import customers, dark_spans
from twin.metrics.names import CHAIN_ROOTS, OUTCOMES, chain_metric
from twin.schema_trace import Table
from twin.trace import Trace
from twin.units import TICKS_PER_H

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Chain = tuple[str, ...]

SLOWED_CHAINS: dict[str, Chain] = {"capped": ("power cap",), "fewer_rows": ("fewer rows",), "paused": ("pause",)}
UNKNOWN: Chain = ("unknown",)
HARDWARE: Chain = ("hardware",)

_STEPS: dict[str, tuple[str, str]] = {
    "failed_to_pick_up": ("storage does not pick up", "not_picked_up"),
    "overloaded": ("storage overloaded", "overloaded"),
    "empty": ("storage empty", "empty"),
    "failed_to_start": ("genset fails to start", "genset"),
    "failed_to_load": ("genset fails to take load", "genset"),
    "failed_to_run": ("genset fails while running", "genset"),
    "tripped_on_heat": ("rows trip on heat", "heat"),
    "failed_to_transfer": ("transfer fails", "switching"),
    "human_error": ("human error", "switching"),
    "failed_to_operate": ("protection fails to operate", "switching"),
    "locked_out": ("block locked out", "switching"),
}
"""Of facts that are a step of a chain: words, and the outcome that a chain has whose last step it is."""
_METRICS = tuple(chain_metric(root, outcome) for root in CHAIN_ROOTS for outcome in OUTCOMES)
_HARDWARE = GROUPS.index("hardware")
_GENSETS = {"genset", "genset_plant"}
_UNITS = {"cabinet", "ups_module", "battery_string"}
_ROOTS = {"sag": "sag", "momentary": "momentary interruption", "sustained": "sustained interruption",
          "common": "interruption of both feeders", "regional": "regional event", "planned": "planned work",
          "script": "scripted event", "shock": "shock"}  # fmt: skip


@dataclass(frozen=True)
class Attributed:
    """The chains of a trace, one for each interruption.

    Attributes:
        jobs: by interruption of a job (row of the table `interruptions`), its chain.
        supply: by dark span of a load point with customers (rows count as one), its chain.
        weight: by dark span, customers.
        dark_h: by dark span, hours.
    """

    jobs: list[Chain]
    supply: list[Chain]
    weight: Float
    dark_h: Float


def attribute(trace: Trace) -> Attributed:
    """The chain of every interruption of jobs and of load points."""
    reader = _Reader(trace)
    weight = customers(trace)
    spans = dark_spans(trace).of(weight > 0.0)
    return Attributed(
        jobs=[reader.chain(row) for row in trace.interruptions["cause"].tolist()],
        supply=[reader.chain(row) for row in spans.row.tolist()],
        weight=weight[spans.item],
        dark_h=(spans.end_us - spans.start_us) / TICKS_PER_H,
    )


def losses_by_chain(trace: Trace) -> Table:
    """Losses and interruptions by chain of causes, largest loss first.

    Returns:
        Columns `chain` (steps joined by " > "), `job_interruptions`, `lost_gpu_h` with its `lost_share`,
        `supply_interruptions` (of load points, each times its customers; a row is one), `dark_h` (customer-hours) with
        its `dark_share`; over the whole horizon. Shares are of all there is, hardware and slow training too, and nan
        where there is nothing.
    """
    found = attribute(trace)
    sums: dict[Chain, list[float]] = defaultdict(lambda: [0.0] * 4)
    for chain, lost in zip(found.jobs, loss_gpu_h(trace).tolist(), strict=True):
        _add(sums[chain], (1.0, lost, 0.0, 0.0))
    for chain, weight, hours in zip(found.supply, found.weight.tolist(), found.dark_h.tolist(), strict=True):
        _add(sums[chain], (0.0, 0.0, weight, weight * hours))
    for reason, of_jobs in slowed_gpu_h(trace).items():
        slowed = float(of_jobs.sum())
        if slowed > 0.0:
            _add(sums[SLOWED_CHAINS[reason]], (0.0, slowed, 0.0, 0.0))
    order = sorted(sums, key=lambda chain: (-sums[chain][1], -sums[chain][3], chain))
    values = np.array([sums[chain] for chain in order], np.float64).reshape(-1, 4)
    whole = values.sum(axis=0)
    with np.errstate(invalid="ignore"):
        share = values / whole
    return {
        "chain": [" > ".join(chain) for chain in order],
        "job_interruptions": values[:, 0],
        "lost_gpu_h": values[:, 1],
        "lost_share": share[:, 1],
        "supply_interruptions": values[:, 2],
        "dark_h": values[:, 3],
        "dark_share": share[:, 3],
    }


def outcome_values(trace: Trace, group: Int, lost_gpu_h: Float) -> dict[str, float]:
    """GPU-hours lost a year by root cause and outcome, as metrics; hardware and slow training have their own."""
    sums = dict.fromkeys(_METRICS, 0.0)
    cause, years, reader = trace.interruptions["cause"], trace.years, _Reader(trace)
    for k in np.flatnonzero(group != _HARDWARE).tolist():
        sums[chain_metric(GROUPS[group[k]], reader.outcome(int(cause[k])))] += float(lost_gpu_h[k]) / years
    return sums


def _add(total: list[float], values: Iterable[float]) -> None:
    for place, value in enumerate(values):
        total[place] += value


class _Reader:
    """Reads chains of one trace; what is asked of all events is worked out once, and only if it is asked."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        events = trace.events
        self._item, self._what, self._value = events["item"], events["what"], events["value"]
        self._time_us, self._cause = events["time_us"], events["cause"]
        self._names, self._kinds = trace.items["name"], trace.items["kind"]
        whats: list[str] = trace.meta["whats"]
        self._steps = {number: _STEPS[name] for number, name in enumerate(whats) if name in _STEPS}
        self._up, self._hardware = trace.what("up"), trace.what("hardware")
        self._operation = trace.what("failed_to_operate")
        self._known: dict[int, Chain] = {}

    def chain(self, row: int) -> Chain:
        """Chain of what the event in `row` brought about."""
        if row < 0:
            return UNKNOWN
        if row not in self._known:
            self._known[row] = self._read(row)
        return self._known[row]

    def outcome(self, row: int) -> str:
        """What came last on that chain."""
        return next((led_to for _, led_to in map(self._step, reversed(self._on_the_way(row))) if led_to != "direct"),
                    "direct") if row >= 0 else "direct"  # fmt: skip

    def _read(self, row: int) -> Chain:
        links = self._links(row)
        root = links[-1]
        if self._what[root] == self._hardware:
            return HARDWARE
        words = [self._begin(root)]
        for link in self._on_the_way(row):
            said, _ = self._step(link)
            if self._down_units(link):
                _say("a unit down already", words)
            if said:
                _say(said, words)
        failed = [link for link in links[:-1] if self._what[link] == self._up and self._value[link] == 0]
        for link in failed:
            kind = self._kinds[self._item[link]]
            said = f"{_words(kind)} fails"
            if kind != "feeder" and said not in words:
                words.insert(1, said)
        return tuple(words)

    def _links(self, row: int) -> list[int]:
        """Events from this one back to its root."""
        links = [row]
        while self._cause[links[-1]] >= 0:
            links.append(int(self._cause[links[-1]]))
        return links

    def _on_the_way(self, row: int) -> list[int]:
        """Events that are steps between the root and this event, in order of time."""
        links = self._links(row)
        root, at_us = links[-1], self._time_us[row]
        upon = {link for link in links if int(self._what[link]) in self._steps}
        return sorted((upon | {link for link in self._beside.get(root, ()) if self._time_us[link] <= at_us}) - {root})

    def _begin(self, root: int) -> str:
        kind = self._kinds[self._item[root]]
        if kind in _ROOTS:
            return _ROOTS[kind]
        step = self._steps.get(int(self._what[root]))
        if step is not None:
            return step[0]
        if self._what[root] == self._up:
            return f"{_words(kind)} fails"
        return f"{_words(kind)}: {self._trace.meta['whats'][self._what[root]].replace('_', ' ')}"

    def _step(self, link: int) -> tuple[str, str]:
        """Words and outcome of a step; no words for a load point without storage that has lost its supply."""
        said, led_to = self._steps[int(self._what[link])]
        item = int(self._item[link])
        if led_to == "not_picked_up" and self._names[item].endswith("/feed"):
            return "", "direct"
        if led_to == "empty" and self._kinds[item] in _GENSETS:
            return "fuel tank empty", "genset"
        return said, led_to

    @cached_property
    def _beside(self) -> dict[int, list[int]]:
        """By root event, the failures of gensets and of breakers and fuses that have it: no link leads to them."""
        found: dict[int, list[int]] = defaultdict(list)
        chosen = np.zeros(len(self._trace.meta["whats"]), bool)
        chosen[[what for what, (_, outcome) in self._steps.items() if outcome in {"genset", "empty", "switching"}]] = (
            True
        )
        for row in np.flatnonzero(chosen[self._what]).tolist():
            if self._kinds[self._item[row]] in _GENSETS or self._what[row] == self._operation:
                found[self._links(row)[-1]].append(row)
        return found

    @cached_property
    def _units(self) -> dict[str, list[int]]:
        """Storage units by the name of what they belong to: a row's cabinets, a block's modules."""
        found: dict[str, list[int]] = defaultdict(list)
        for item, kind in enumerate(self._kinds):
            if kind in _UNITS:
                found[self._names[item].rpartition("/")[0]].append(item)
        return found

    def _down_units(self, link: int) -> bool:
        """Whether a unit of the feed that the event is about had failed before, for reasons of its own."""
        name = self._names[self._item[link]]
        units = self._units.get(name) or self._units.get(name.removesuffix("/cabinets"), [])
        for unit in units:
            own = np.flatnonzero((self._item[:link] == unit) & (self._what[:link] == self._up))
            if own.size and self._value[own[-1]] == 0:
                return True
        return False


def _say(said: str, words: list[str]) -> None:
    if said not in words:
        words.append(said)


def _words(kind: str) -> str:
    return kind.replace("_", " ")
