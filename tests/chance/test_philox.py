"""Draws are Philox4x64-10 words, equal to numpy's, keyed by names."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from twin.chance import philox
from twin.chance.philox import philox_word, stream_key, uniform
from twin.kernel import kernel

WORDS = st.integers(0, 2**64 - 1)
ORDINALS = st.integers(0, 2**62 - 1)


def _numpy_word(key: int, replication: int, n: int) -> int:
    generator = np.random.Philox(key=np.array([key, replication], dtype=np.uint64), counter=(n - 1) % 2**256)
    return int(generator.random_raw())


@settings(max_examples=500, deadline=None)
@given(key=WORDS, replication=WORDS, n=ORDINALS)
@example(key=0, replication=0, n=0)
@example(key=2**64 - 1, replication=2**64 - 1, n=2**62 - 1)
@example(key=2**63, replication=2**32, n=2**32)
def test_a_draw_is_the_word_that_numpy_gives(key, replication, n):
    assert philox_word(np.uint64(key), np.uint64(replication), n) == _numpy_word(key, replication, n)


def test_a_draw_uncompiled_is_the_word_that_numpy_gives():
    word = getattr(philox_word, "py_func", philox_word)(np.uint64(2**64 - 3), np.uint64(7), 2**40)
    assert int(word) == _numpy_word(2**64 - 3, 7, 2**40)


@kernel
def _total(key, replication, count):
    total = np.uint64(0)
    for n in range(count):
        total ^= philox_word(key, replication, n)
    return total


def test_draws_inside_a_kernel_are_the_words_that_numpy_gives():
    expected = 0
    for n in range(50):
        expected ^= _numpy_word(2**63 + 5, 2, n)
    assert _total(np.uint64(2**63 + 5), np.uint64(2), 50) == expected


@settings(deadline=None)
@given(key=WORDS, replication=WORDS, n=ORDINALS)
def test_a_uniform_is_the_upper_52_bits_of_its_word_at_the_middle_of_a_cell(key, replication, n):
    u = uniform(np.uint64(key), np.uint64(replication), n)
    assert u == ((_numpy_word(key, replication, n) >> 12) + 0.5) * 2.0**-52
    assert 0.0 < u < 1.0


def _to_unit(word: int) -> float:
    return float((np.uint64(word) >> philox._SPARE_BITS) | philox._ONE) * philox._STEP


def test_the_smallest_and_the_largest_word_stay_strictly_inside():
    assert _to_unit(0) == 2.0**-53
    assert _to_unit(2**64 - 1) == 1.0 - 2.0**-53


def test_uniforms_are_uniform():
    key = stream_key(1, "feeder_a", "failure")
    u = np.array([uniform(key, np.uint64(0), n) for n in range(10_000)])
    counts = np.histogram(u, bins=20, range=(0.0, 1.0))[0]
    chi_square = ((counts - 500.0) ** 2 / 500.0).sum()
    assert chi_square < 19 + 3 * np.sqrt(2 * 19)
    assert abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 3 / np.sqrt(len(u))


@pytest.mark.parametrize(
    "other", [(2, "campus/ups", "failure"), (1, "campus/ups_2", "failure"), (1, "campus/ups", "restoration")]
)
def test_another_seed_item_or_purpose_is_another_stream(other):
    assert stream_key(*other) != stream_key(1, "campus/ups", "failure")


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ((1, "a/b", "c"), (1, "a", "b/c")),
        ((1, "ab", "c"), (1, "a", "bc")),
        ((1, 'a", "b', "c"), (1, "a", 'b", "c')),
        ((11, "a", "b"), (1, "1a", "b")),
    ],
)
def test_names_do_not_run_into_each_other(one, two):
    assert stream_key(*one) != stream_key(*two)


def test_a_seed_of_numpy_is_the_same_seed():
    assert stream_key(np.int64(7), "a", "b") == stream_key(7, "a", "b")


def test_keys_and_draws_never_change():
    key = stream_key(1, "a", "failure")
    assert isinstance(key, np.uint64)
    assert int(key) == 16237627599642594044
    assert int(stream_key(2**40, "ÄÖ 机房/模块 3", "restoration")) == 12448072022296015930
    assert philox_word(key, np.uint64(3), 0) == 2480345320940916833
    assert philox_word(key, np.uint64(3), 1_000_000) == 14840123493259520716
    assert uniform(key, np.uint64(3), 0) == 0.13445978927392
