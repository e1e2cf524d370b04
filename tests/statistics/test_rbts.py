"""RBTS Bus 2, simulated, against its published indices and against an enumeration of single faults."""

import json

import numpy as np
import pytest
from feeder_enumeration import CASES, indices
from simulation import simulator

from twin import metrics
from twin.inputs.feeder_record import read_feeders

NAMES = {"SAIFI": "saifi_per_year", "SAIDI": "saidi_h_per_year", "ENS": "unserved_kwh_per_year"}
OVERLAPS = 5e-4
"""Faults that overlap, and down time taken off the time at risk, change the means by this share at most."""


def simulated(file, letter, replications, years, repair_times="fixed"):
    """(replications, 3) SAIFI, SAIDI and ENS, MAIFI counted as the published figures do."""
    network = {"kind": "feeders", "file": str(file), "repair_times": repair_times, **CASES[letter].settings()}
    made = simulator(
        {
            "name": "rbts",
            "seed": 7,
            "horizon": {"hours": years * 8760.0},
            "sites": {"rbts": {"grid": {"feeders": {"source": {}}}, "network": network}},
        }
    )
    rows = []
    for k in range(replications):
        figures = dict(zip(*metrics.row(made.run(k, "ledger")), strict=True))
        rows.append([figures[name] for name in NAMES.values()])
    return np.array(rows)


def check(found, expected, most_error):
    mean, error = found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(len(found))
    assert np.all(error <= most_error * np.abs(expected))
    assert np.all(np.abs(mean - expected) <= 3.0 * error + OVERLAPS * np.abs(expected)), (mean, expected, error)


@pytest.mark.slow
@pytest.mark.parametrize("letter", ["A", "E"])
def test_published_indices_lie_within_three_standard_errors(real_data, letter):
    file = real_data("rbts_bus2") / "rbts_bus2.json"
    published = json.loads(file.read_text())["indices"][letter]
    expected = np.array([published["SAIFI"], published["SAIDI"], 1000.0 * published["ENS"]])
    check(simulated(file, letter, 30, 100), expected, 0.05)


@pytest.mark.long
@pytest.mark.parametrize("letter", ["A", "E"])
def test_published_indices_at_a_relative_standard_error_of_two_percent(real_data, letter):
    file = real_data("rbts_bus2") / "rbts_bus2.json"
    published = json.loads(file.read_text())["indices"][letter]
    expected = np.array([published["SAIFI"], published["SAIDI"], 1000.0 * published["ENS"]])
    check(simulated(file, letter, 180, 100), expected, 0.02)


@pytest.mark.long
@pytest.mark.parametrize("letter", ["B", "C", "D", "F"])
def test_the_other_cases_lie_within_three_standard_errors_of_the_enumeration(real_data, letter):
    file = real_data("rbts_bus2") / "rbts_bus2.json"
    found = indices(read_feeders(file), CASES[letter])
    check(simulated(file, letter, 180, 100), np.array([found[name] for name in NAMES]), 0.02)
