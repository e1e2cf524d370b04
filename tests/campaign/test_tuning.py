"""How hard a pilot pushes, against closed forms."""

import math

import numpy as np
import pytest
from scipy.integrate import trapezoid

from twin.campaign.rare.tuning import PROBABILITY_MOST, balance, best_push, completed, cross_entropy, onsets_most
from twin.chance.proposal import Proposal, Tally, log_weight

RNG = np.random.default_rng(3)


def waits(mean: float, count: int) -> list[Tally]:
    """Excursions after exponential waits in which a clock used a hazard of `mean` on average."""
    return [Tally(used={"onset feeder": float(hazard)}) for hazard in RNG.exponential(mean, count)]


def second_moment(speed: float, mean: float) -> float:
    """Of a first fault's weight over its probability squared, by quadrature over the wait.

    A wait ends by other faults after an exponential hazard of `mean` of this clock's, or by this one; p is its mean.
    """
    hazard = np.linspace(0.0, 40.0 * mean, 40_001)
    drawn = speed * np.exp(-(speed + 1.0 / mean) * hazard)
    fault = [Tally(used={"onset feeder": own}, fired={"onset feeder": 1}) for own in hazard.tolist()]
    weight = np.exp([log_weight(one, [Proposal(1.0, {"onset feeder": speed})]) for one in fault])
    return float(trapezoid(drawn * weight**2, hazard)) / mean**2


def test_a_first_fault_pushed_as_far_as_it_may_has_the_least_second_moment() -> None:
    mean = 1e-4
    most = 0.5 / mean
    assert second_moment(most, mean) == pytest.approx(4.0, rel=2e-3)
    assert second_moment(0.5 * most, mean) == pytest.approx(1.0 / (0.25 * 0.75), rel=2e-3)
    assert second_moment(1.5 * most, mean) == pytest.approx(1.0 / (0.75 * 0.25), rel=2e-3)


def test_the_most_of_a_clock_is_by_its_own_season() -> None:
    means, parts = (1e-3, 1e-5), (0.25, 0.75)
    natural = [tally for mean, part in zip(means, parts, strict=True) for tally in waits(mean, int(40_000 * part))]
    of_faults = sum(p * h * h for h, p in zip(means, parts, strict=True)) / np.dot(means, parts)
    assert onsets_most(natural)["onset feeder"] == pytest.approx(0.5 / of_faults, rel=0.05)


def test_no_multiple_of_a_push_goes_beyond_the_most() -> None:
    hits = [Tally(used={"onset feeder": 1e-5}, fired={"onset feeder": 1}) for _ in range(10)]
    tuned = cross_entropy(hits, np.ones(10))
    assert tuned.speed["onset feeder"] == pytest.approx(1e5)
    natural = Proposal(0.1)
    for most in (100.0, math.inf):
        pushed = best_push(hits, np.ones(10), np.ones(10), tuned, {"onset feeder": most}, lambda one: [natural, one])
        assert 1.0 < pushed.speed["onset feeder"] <= most


def test_a_demand_that_always_failed_may_work_in_half_of_all_excursions() -> None:
    hits = [Tally(failed={"start": 1}, natural={"start": 0.01}) for _ in range(20)]
    assert cross_entropy(hits, np.ones(20)).probability == {"start": PROBABILITY_MOST}
    worked_first = Tally(failed={"start": 1}, worked={"start": 1}, natural={"start": 0.01})
    alone = [Proposal(1.0, {}, {"start": PROBABILITY_MOST})]
    assert log_weight(worked_first, alone) - log_weight(hits[0], alone) < math.log(2.0)


def test_what_only_balanced_excursions_ask_is_balanced_too() -> None:
    natural = [Tally(used={"feeder": 0.01})] * 10
    deeper = [Tally(used={"feeder": 0.02}, worked={"start": 1}, natural={"start": 0.01})] * 10
    whole = completed(balance(natural, 1.0), balance(deeper, 1.0))
    assert whole.speed == {"feeder": pytest.approx(100.0)}
    assert whole.probability == {"start": pytest.approx(0.5)}
