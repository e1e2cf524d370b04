"""The scenario of failure models: what its head comment says of four designs, beside closed forms."""

import numpy as np
import pytest
from simulation import Story

from twin.scenario.load import load
from twin.simulator import Simulator
from twin.validate.markov import long_run

REPLICATIONS = 4
EACH = 24.0 / 524.0


def shares(design: str) -> np.ndarray:
    """By replication, the share of short interruptions that a row does not survive."""
    made = Simulator(load("19_common_causes"), design)
    found = []
    for replication in range(REPLICATIONS):
        story = Story(made.run(replication, "ledger"))
        asked = len(story.at("grid/A/momentary", "strikes"))
        found += [len(story.dark(f"row-00{k}")) / asked for k in (1, 2)]
    return np.array(found)


def beta_of_three(beta: float) -> float:
    """At least two of three down, lives of 500 h, repairs of 24 h, a common cause."""
    rates = np.zeros((4, 4))
    for down in range(3):
        rates[down, down + 1] += (3 - down) * (1.0 - beta) / 500.0
        rates[down, 3] += beta / 500.0
        rates[down + 1, down] = (down + 1) / 24.0
    return float(long_run(rates)[2:].sum())


def test_what_the_head_comment_says_of_each_design():
    found = {design: shares(design) for design in ("plain", "common", "hidden", "one_crew")}
    mean = {design: share.mean() for design, share in found.items()}
    error = {design: share.std(ddof=1) / np.sqrt(share.size) for design, share in found.items()}
    assert abs(mean["plain"] - (3 * EACH**2 - 2 * EACH**3)) < 3 * error["plain"]
    assert abs(mean["common"] - beta_of_three(0.1)) < 3 * error["common"]
    assert mean["plain"] < mean["common"] < mean["one_crew"] < mean["hidden"]
    for design, said in (("plain", 0.006), ("common", 0.009), ("one_crew", 0.026), ("hidden", 0.054)):
        assert mean[design] == pytest.approx(said, rel=0.35)
