"""What a thread needs to solve its blocks, laid out once for a topology and kept with it: no case allocates."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.powerflow.lanes import LANES, ROW_BYTES, aligned
from twin.powerflow.runs import LINK, STATE
from twin.powerflow.sweep_lanes import TESTS
from twin.powerflow.topology import Floats, Topology


class Workspace:
    """Scratch of `threads` threads: rows of lanes (demand and voltage by bus, tests, state by kept bus), reduction."""

    def __init__(self, topology: Topology, threads: int) -> None:
        buses, m = topology.position.size, topology.order.size
        rows = 4 * buses + TESTS + STATE // ROW_BYTES * m
        lanes = aligned(threads * rows * LANES).reshape(threads, rows, LANES)
        lanes[:, 2 * buses : 4 * buses] = np.nan  # dead buses stay so
        lanes[:, 2 * buses + 2 * topology.order[topology.roots]] = 1.0
        lanes[:, 2 * buses + 2 * topology.order[topology.roots] + 1] = 0.0
        links = np.zeros((threads, m, LINK // 8))
        places = np.zeros((threads, 16), dtype=np.int64)
        addresses = np.array([a[t].ctypes.data for a in (lanes, places, links) for t in range(threads)], dtype=np.int64)
        self._counts = np.full((threads, max(1, topology.trees.shape[0])), -1, dtype=np.int64)
        self.arrays = (
            lanes, addresses, links, places, np.zeros((threads, m), dtype=np.bool_),
            *(np.zeros((threads, *shape), dtype=np.int64) for shape in ((3, m), (m,), (m,), (2 * m, 4))), self._counts,
        )  # fmt: skip

    def fresh(self) -> Any:
        """The arrays, with the last call's reduction forgotten: other shares of load may apply."""
        self._counts[:] = -1
        return self.arrays


def workspace(topology: Topology, threads: int) -> Workspace:
    """The topology's workspace for so many threads, made on the first call."""
    if threads not in topology.scratch:
        topology.scratch[threads] = Workspace(topology, threads)
    return topology.scratch[threads]


def forest(topology: Topology, manner: Floats, general: bool, limit: Floats) -> Any:
    """The topology as the lanes' kernels take it. limit: squared, of U's currents."""
    t = topology
    return t.order, t.parent, t.size, t.z, t.turn, t.turned, t.trees, manner, general, limit
