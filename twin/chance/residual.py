"""How long the first of several durations goes on that have all reached some age: an expectation, compiled."""

from __future__ import annotations

import math
from typing import Any

from twin.chance.quantiles import cumulative_hazard, hazard_quantile
from twin.kernel import kernel

HAZARD_MOST = 40.0
"""Beyond it nothing survives that counts: exp(-40) = 4e-18."""
SPAN, STEPS = 20.0, 500
"""Of the logarithm of time: from exp(-20) of the longest time that counts on, in an even number of steps."""


@kernel
def first_end_h(codes: Any, a: Any, b: Any, table: Any, ends: Any, ages_h: Any) -> float:
    """Mean time until the first of several independent durations ends.

    The integral over t > 0 of the product of S_i(x_i + t) / S_i(x_i), by Simpson's rule in log t. Where the integrand
    and its derivatives vanish at both ends the rule converges faster than any power of its step; where a law ends
    at once, as the uniform one does, by its fourth power.

    Args:
        codes, a, b: of the laws, as in `twin.chance.quantiles`; none with atoms.
        table: their tables end to end; that of law i ends before `ends[i]`.
        ends: see `table`.
        ages_h: what each duration has reached [h].

    Returns:
        Hours; 0 where one of them cannot go on.
    """
    count = len(codes)
    longest = math.inf
    used = 0.0
    for i in range(count):
        own = table[(ends[i - 1] if i else 0) : ends[i]]
        hazard = cumulative_hazard(codes[i], a[i], b[i], own, ages_h[i])
        longest = min(longest, hazard_quantile(codes[i], a[i], b[i], own, hazard + HAZARD_MOST, 0) - ages_h[i])
        used += hazard
    if not longest > 0.0:
        return 0.0
    least, step = longest * math.exp(-SPAN), SPAN / STEPS
    total = 0.0
    for k in range(STEPS + 1):
        t = least * math.exp(k * step)
        hazard = -used
        for i in range(count):
            own = table[(ends[i - 1] if i else 0) : ends[i]]
            hazard += cumulative_hazard(codes[i], a[i], b[i], own, ages_h[i] + t)
        weight = 1.0 if k in (0, STEPS) else 4.0 if k % 2 else 2.0
        total += weight * t * math.exp(-hazard)
    return least + total * step / 3.0
