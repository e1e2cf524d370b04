"""Keyed draws: draw n of a stream is a pure function of its key, the replication and n.

The generator is Philox4x64-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11).
Its key is (stream key, replication) and its counter block is (n, 0, 0, 0); a draw is the first of the block's four
words. numpy counts up *before* it generates, so word n here is the first word of numpy's generator set to n - 1:

    philox_word(key, replication, n)
        == np.random.Philox(key=[key, replication], counter=(n - 1) % 2**256).random_raw()
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from operator import index

import numpy as np
from numpy.typing import NDArray

from twin.kernel import kernel

# Every constant is a uint64: numba turns an operation between uint64 and int64 into float64.
_MULTIPLIER_0 = np.uint64(0xD2E7470EE14C6C93)
_MULTIPLIER_1 = np.uint64(0xCA5A826395121157)
_WEYL_0 = np.uint64(0x9E3779B97F4A7C15)
_WEYL_1 = np.uint64(0xBB67AE8584CAA73B)
_LOW_HALF = np.uint64(0xFFFFFFFF)
_HALF_BITS = np.uint64(32)
_SPARE_BITS = np.uint64(11)
_ONE = np.uint64(1)
_ROUNDS = 10
_STEP = 2.0**-53


@lru_cache(maxsize=1 << 16)
def stream_key(seed: int, item: str, purpose: str) -> np.uint64:
    """The key of one stream: a digest that is the same on every machine, today and in ten years.

    Args:
        seed: the scenario's seed.
        item: the item's name; names, not positions, so that one more item moves nobody's draws.
        purpose: what the stream is for, e.g. "failure".

    Returns:
        The first 8 bytes of BLAKE2b, little-endian, of the JSON list [seed, item, purpose], which is unambiguous.
    """
    text = json.dumps([index(seed), item, purpose])
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode("ascii"), digest_size=8).digest(), "little"))


@lru_cache(maxsize=1 << 12)
def stream_keys(seed: int, items: tuple[str, ...], purpose: str) -> NDArray[np.uint64]:
    """The keys of a row of items, kept as a row: 100,000 single ones would drive each other out of the cache.

    Args:
        seed: the scenario's seed.
        items: their names.
        purpose: as in `stream_key`.

    Returns:
        (items,) keys, read-only.
    """
    keys = np.array([stream_key.__wrapped__(seed, item, purpose) for item in items], np.uint64)
    keys.flags.writeable = False
    return keys


@kernel
def _high_word(x: np.uint64, y: np.uint64) -> np.uint64:
    """Upper 64 bits of the 128-bit product, by 32-bit halves."""
    x_low = x & _LOW_HALF
    x_high = x >> _HALF_BITS
    y_low = y & _LOW_HALF
    y_high = y >> _HALF_BITS
    middle = x_high * y_low + ((x_low * y_low) >> _HALF_BITS)
    carry = x_low * y_high + (middle & _LOW_HALF)
    return x_high * y_high + (middle >> _HALF_BITS) + (carry >> _HALF_BITS)


@kernel
def philox_word(key: np.uint64, replication: np.uint64, n: int) -> np.uint64:
    """The 64-bit word of draw n.

    Args:
        key: of the stream, from `stream_key`.
        replication: second key word. From Python pass a np.uint64: each new mix of types compiles once more.
        n: number of the draw, 0 <= n < 2**62.

    Returns:
        A word, as uint64 (a Python int where Python is the caller).
    """
    key_0 = np.uint64(key)
    key_1 = np.uint64(replication)
    word_0 = np.uint64(n)
    word_1 = np.uint64(0)
    word_2 = np.uint64(0)
    word_3 = np.uint64(0)
    # np.multiply and np.add where overflow is meant: uncompiled, numpy warns of it only for * and +.
    for _ in range(_ROUNDS):
        high_0 = _high_word(_MULTIPLIER_0, word_0)
        low_0 = np.multiply(_MULTIPLIER_0, word_0)
        high_1 = _high_word(_MULTIPLIER_1, word_2)
        low_1 = np.multiply(_MULTIPLIER_1, word_2)
        word_0 = high_1 ^ word_1 ^ key_0
        word_1 = low_1
        word_2 = high_0 ^ word_3 ^ key_1
        word_3 = low_0
        key_0 = np.add(key_0, _WEYL_0)
        key_1 = np.add(key_1, _WEYL_1)
    return word_0


@kernel
def uniform(key: np.uint64, replication: np.uint64, n: int) -> float:
    """Draw n as a uniform strictly inside (0, 1): an odd multiple of 2**-53; arguments as in `philox_word`.

    Odd multiples are the midpoints of 2**52 equal cells, and all of them are exact. (The midpoints of 2**53 cells are
    not: the last one rounds to 1.)
    """
    return np.float64((philox_word(key, replication, n) >> _SPARE_BITS) | _ONE) * _STEP
