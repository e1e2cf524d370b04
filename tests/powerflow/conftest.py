"""Fixtures of the power-flow tests: the reference solutions, and random radial networks."""

import os
from pathlib import Path

import numpy as np
import pytest

from twin.powerflow import Network

TOOLS = Path(__file__).resolve().parents[3] / "shared" / "tools"


@pytest.fixture(scope="session")
def reference():
    """A function from a network's name to its fields in pf_reference.npz; skips or fails without it."""
    path = TOOLS / "pf_reference.npz"
    if not path.is_file():
        message = f"there are no reference solutions {path}"
        if os.environ.get("TWIN_REQUIRE_DATA") == "1":
            pytest.fail(message)
        pytest.skip(message)
    with np.load(path) as held:
        fields = dict(held)

    def find(name):
        return {key.split("/", 1)[1]: value for key, value in fields.items() if key.startswith(f"{name}/")}

    return find


@pytest.fixture(scope="session")
def network_of():
    """A function from reference fields to a Network."""

    def build(g):
        return Network(
            g["f"], g["t"], g["r_ohm"], g["x_ohm"], float(g["kv"]), int(g.get("slack", 0)),
            in_service=g["status"].astype(bool), base_kva=1e3 * float(g["mva"]),
        )  # fmt: skip

    return build
