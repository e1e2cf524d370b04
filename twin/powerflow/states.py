"""Sort the cases of a call by what must be compiled: few topologies, each with the branches its cases open below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.errors import InputError, Problem
from twin.powerflow.network import Network, Source
from twin.powerflow.topology import Ints, Topology

_NONE = np.zeros(0, dtype=np.int64)


@dataclass
class Group:
    """Cases (row numbers) on one topology; `cuts[pointer[case]:pointer[case + 1]]` are the positions one is cut at."""

    rows: Ints
    topology: Topology
    pointer: Ints
    cuts: Ints


def group_cases(
    net: Network,
    cases: int,
    in_service: npt.ArrayLike | None,
    open_branch: npt.ArrayLike | None,
    sources: Sequence[Source] | None,
) -> list[Group]:
    """Opening branches of a forest cuts off ranges of positions at no cost; any other change is a topology."""
    closed, per_case = _in_service(net, cases, in_service)
    opened = _open_branch(net, cases, open_branch)
    base = net.topology(closed, sources)
    rows = np.arange(cases)
    if per_case is None and opened is None:
        return [Group(rows, base, _NONE, _NONE)]
    cuttable = base.ties.size == 0 and not net.charged
    if per_case is None and opened is not None and cuttable:
        cuts = np.where(opened >= 0, base.child[opened], -1)
        pointer = np.concatenate([[0], np.cumsum(cuts >= 0)]).astype(np.int64)
        return [Group(rows, base, pointer, cuts[cuts >= 0])]
    states = np.tile(closed, (cases, 1)) if per_case is None else per_case.copy()
    if opened is not None:
        states[rows[opened >= 0], opened[opened >= 0]] = False
    same = ~np.any(states & ~closed, axis=1) if cuttable else np.zeros(cases, dtype=bool)
    groups = []
    if np.any(same):
        case, branch = np.nonzero((closed & ~states) & same[:, None])
        below = base.child[branch]
        case, below = case[below >= 0], below[below >= 0]
        pointer = np.searchsorted(case, np.arange(cases + 1)).astype(np.int64)
        groups.append(Group(rows[same], base, pointer, below))
    other = rows[~same]
    if other.size:
        distinct, member = np.unique(np.packbits(states[other], axis=1), axis=0, return_inverse=True)
        for i in range(distinct.shape[0]):
            mine = other[member.reshape(-1) == i]
            groups.append(Group(mine, net.topology(states[mine[0]], sources), _NONE, _NONE))
    return groups


def _in_service(
    net: Network, cases: int, in_service: npt.ArrayLike | None
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_] | None]:
    if in_service is None:
        return net.in_service, None
    given = np.asarray(in_service)
    if given.shape == (net.branches,):
        return given.astype(bool), None
    if given.shape == (cases, net.branches):
        return net.in_service, given.astype(bool)
    raise InputError(
        Problem(
            f"has shape {given.shape}, not ({net.branches},) or ({cases}, {net.branches}): (cases, branches)",
            key="in_service",
        )
    )


def _open_branch(net: Network, cases: int, open_branch: npt.ArrayLike | None) -> Ints | None:
    if open_branch is None:
        return None
    given = np.asarray(open_branch)
    if given.shape != (cases,) or not np.issubdtype(given.dtype, np.integer):
        raise InputError(Problem(f"must be one branch number a case, ({cases},), not {given.shape}", key="open_branch"))
    wrong = np.nonzero((given < -1) | (given >= net.branches))[0]
    if wrong.size:
        raise InputError(
            Problem(
                f"case {wrong[0]} opens branch {given[wrong[0]]}; there are 0 to {net.branches - 1}, and -1 for none",
                key="open_branch",
            )
        )
    return given.astype(np.int64)
