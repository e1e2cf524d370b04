"""Verdicts on claims from metric rows by hand."""

import numpy as np
import pytest

from twin.claims import Runs, judge, meets, starts_there
from twin.errors import InputError
from twin.estimate import mean_interval

NAMES = (
    "bill_per_year", "truck_cost_per_year", "lending_income_per_year", "lost_value_per_year", "peak_import_kw",
    "lost_gpu_h_capped_per_year", "lost_gpu_h_capacity_per_year",
)  # fmt: skip


def scenario(per_unit):
    truck = {
        "rated_kw": 500,
        "rated_kwh": 1000,
        "capital": per_unit and {"per_kwh": 0, "per_kw": 0, "per_unit": per_unit},
    }
    protection = dict.fromkeys(("cabinets", "ups", "core_ups", "gensets"))
    cluster = {"rows": 2, "servers_per_row": 5, "gpus_per_server": 8}
    return {"sites": {"edge": {"protection": protection, "cluster": cluster, "pv": None}}, "trucks": {"t": truck}}


def runs(**rows):
    """By design its figures in three replications, in the order of NAMES; those not given are 0."""
    values = {}
    for design, columns in rows.items():
        values[design] = np.array([columns.get(name, [0.0] * 3) for name in NAMES]).T
    texts = {design: scenario(600.0) if design != "bare" else scenario(1e-9) for design in rows}
    return Runs(values, NAMES, texts)


def claim(sets=("own",), **changes):
    statement = {
        "name": "it", "says": "it is so", "judged": "so", "figure": "peak_import_kw", "reading": "value",
        "divided_by": 1.0, "other_costs_per_gpu_year": 0.0, "counts_lost_gpu_h": False, "before": None,
        "start_within_fraction": 0.05, "at_most": None, "at_least": None, "sets": list(sets),
    } | changes  # fmt: skip
    known = {
        name: {"design": name, "against": "bare", "prior": "own", "assumes": f"{name} is assumed"} for name in sets
    }
    return {"sets": known, "statements": [statement]}


def test_a_claim_is_reproduced_as_described_only_by_its_first_set():
    found = runs(bare={}, own={"peak_import_kw": [99, 100, 101]}, other={"peak_import_kw": [49, 50, 51]})
    (one,) = judge(claim(("own", "other"), at_most=110), found)
    assert one.outcome == "reproduced"
    (two,) = judge(claim(("own", "other"), at_most=60), found)
    assert two.outcome == "reproduced only if"
    assert [each.met for each in two.findings] == [False, True]
    (three,) = judge(claim(("own", "other"), at_most=40), found)
    assert three.outcome == "not reproduced"
    assert three.nearest.name == "other"


def test_an_interval_on_both_sides_of_the_bound_resolves_nothing():
    estimate = mean_interval([99.0, 100.0, 101.0])
    assert meets(estimate, ("at_most", 100.5)) is None
    assert meets(estimate, ("at_least", 99.5)) is None
    assert meets(estimate, ("at_least", 90.0)) is True
    assert meets(estimate, ("at_most", 90.0)) is False
    assert meets(mean_interval([100.0]), ("at_most", 100.0)) is True
    (one,) = judge(claim(at_most=100.5), runs(bare={}, own={"peak_import_kw": [99, 100, 101]}))
    assert one.outcome == "not resolved"


def test_a_claim_that_starts_elsewhere_is_not_met_wherever_it_ends():
    found = runs(bare={"peak_import_kw": [150, 150, 150]}, own={"peak_import_kw": [99, 100, 101]})
    (one,) = judge(claim(at_most=110, before=200), found)
    assert (one.outcome, one.findings[0].starts) == ("not reproduced", False)
    (two,) = judge(claim(at_most=110, before=155), found)
    assert two.outcome == "reproduced"
    assert starts_there(mean_interval([5.0, 25.0, 15.0]), 15.0, 0.01)


def test_a_saving_is_that_of_each_pair_over_bill_and_other_costs():
    found = runs(bare={"bill_per_year": [1000, 2000, 3000]}, own={"bill_per_year": [800, 1600, 2400]})
    (one,) = judge(claim(figure="bill_per_year", reading="saving_fraction", at_least=0.19), found)
    assert one.findings[0].estimate.mean == pytest.approx(0.2)
    other = claim(figure="bill_per_year", reading="saving_fraction", at_least=0.19, other_costs_per_gpu_year=10.0)
    (two,) = judge(other, found)
    assert two.findings[0].estimate.mean == pytest.approx(np.mean([200 / 1800, 400 / 2800, 600 / 3800]))


def test_payback_counts_lending_and_what_it_costs_and_never_comes_without_a_benefit():
    own = {"bill_per_year": [700] * 3}
    lent = {"bill_per_year": [750] * 3, "lending_income_per_year": [200] * 3, "truck_cost_per_year": [20] * 3,
            "lost_value_per_year": [30] * 3}  # fmt: skip
    found = runs(bare={"bill_per_year": [1000] * 3}, own=own, lent=lent)
    (one,) = judge(claim(("own", "lent"), figure="payback_years", at_most=2.0), found)
    assert [each.estimate.mean for each in one.findings] == pytest.approx([600 / 300, 600 / 430])
    shorter = claim(("lent",), figure="payback_years", reading="shorter_fraction", at_least=0.2, counts_lost_gpu_h=True)
    (two,) = judge(shorter, found)
    assert two.findings[0].estimate.mean == pytest.approx(1 - 300 / 400)
    (three,) = judge(claim(figure="payback_years", at_most=9.0), runs(bare={}, own={"bill_per_year": [1] * 3}))
    assert three.findings[0].estimate.n == 0
    assert three.outcome == "not reproduced"


def test_what_a_limit_costs_is_capped_and_shed_together():
    limit = {"lost_gpu_h_capped_per_year": [60] * 3, "lost_gpu_h_capacity_per_year": [40] * 3}
    found = runs(bare=limit, own={"lost_gpu_h_capped_per_year": [5] * 3})
    asked = claim(figure="lost_gpu_h_by_limit_per_year", reading="saving_fraction", at_least=0.9)
    assert judge(asked, found)[0].findings[0].estimate.mean == pytest.approx(0.95)


def test_a_payback_without_capital_cost_is_refused():
    found = runs(bare={}, own={"bill_per_year": [-1] * 3})
    found.scenarios["own"]["trucks"]["t"]["capital"] = None
    with pytest.raises(InputError, match=r"trucks\.t: has no capital cost"):
        judge(claim(figure="payback_years", at_most=9.0), found)
