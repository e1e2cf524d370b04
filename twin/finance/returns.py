"""What a row of yearly flows is worth: NPV, IRR with all its roots, MIRR, payback.

Flow 0 falls at the start, flow t at the end of year t (the convention of textbooks; a spreadsheet's NPV() discounts the
first flow too). Rates are fractions a year, nominal for nominal flows. Money has whatever currency the flows have.

A rate of return is a root of a polynomial in 1/(1 + rate), which may have none or several: they are all found between
the turning points of the polynomial, by bisection, and none is preferred in silence.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.errors import InputError

Float = NDArray[np.float64]

IRR_LEAST = -0.9
"""`irr` takes no root below: a loss of nine tenths a year is an artefact of small last flows, not a return."""
_SAME = 1e-9
"""Rates that differ by less, relative to 1 + rate, are one root."""
_ZERO = 1e-12
"""Of the sum of all absolute flows: less is the rounding of sums."""


class ReturnWarning(UserWarning):
    """A rate of return is not unique, or there is none."""


def checked_flows(flows: ArrayLike, least: int = 1) -> Float:
    """Flows as a vector of finite floats.

    Raises:
        InputError: not one-dimensional, fewer than `least`, or not finite.
    """
    row = np.asarray(flows, np.float64)
    if row.ndim != 1:
        raise InputError(f"flows: one row of yearly amounts is needed, these have {row.ndim} dimensions")
    if len(row) < least:
        raise InputError(f"flows: {len(row)} of them; at least {least} are needed, the first at the start")
    if not np.isfinite(row).all():
        raise InputError(f"flows: the one of year {int(np.flatnonzero(~np.isfinite(row))[0])} is not a finite number")
    return row


def checked_rate(rate: float, name: str = "rate") -> float:
    """A rate a year that discounting can use.

    Raises:
        InputError: it is -1 or less, or not finite.
    """
    if not np.isfinite(rate) or rate <= -1.0:
        raise InputError(f"{name} {rate:g}: must be above -1 (0.08 means 8 % a year)")
    return float(rate)


def discount_factors(rate: float, count: int) -> Float:
    """(1 + rate)^-t for t = 0 .. count - 1."""
    return np.asarray((1.0 + checked_rate(rate)) ** -np.arange(count, dtype=np.float64))


def npv(rate: float, flows: ArrayLike) -> float:
    """Net present value: the sum of flows[t] / (1 + rate)^t, the first flow undiscounted.

    Raises:
        InputError: a rate of -1 or less, or flows that are no row of finite numbers.
    """
    row = checked_flows(flows)
    return float(row @ discount_factors(rate, len(row)))


def irr_roots(flows: ArrayLike) -> tuple[float, ...]:
    """All rates above -1 at which the NPV is zero, ascending.

    Raises:
        InputError: flows without a change of sign have no rate of return.
    """
    row = checked_flows(flows, 2)
    if not ((row > 0).any() and (row < 0).any()):
        raise InputError("flows: none is positive or none is negative, so there is no rate of return")
    used = np.trim_zeros(row / np.abs(row).max())
    signs = np.sign(used[used != 0.0])
    if np.count_nonzero(np.diff(signs)) == 1:
        return (_only_root(used),)
    above = [1.0 / x - 1.0 for x in _roots(used)]  # x = 1 / (1 + rate) in (0, 1]: rates of 0 and more
    below = [x - 1.0 for x in _roots(used[::-1])]  # x = 1 + rate in (0, 1]
    found: list[float] = []
    for rate in sorted(above + below):
        if not found or rate - found[-1] > _SAME * (1.0 + rate):
            found.append(rate)
    return tuple(found)


def irr(flows: ArrayLike) -> float | None:
    """The internal rate of return; None, with a `ReturnWarning` that names all, unless one root is above `IRR_LEAST`.

    Raises:
        InputError: flows without a change of sign have no rate of return.
    """
    roots = irr_roots(flows)
    kept = [rate for rate in roots if rate >= IRR_LEAST]
    if len(kept) == 1:
        return kept[0]
    named = ", ".join(f"{100 * rate:.6g} %" for rate in (kept or roots))
    if kept:
        text = f"these flows have {len(kept)} rates of return: {named}; look at the NPV instead"
    elif roots:
        text = f"the only rates of return of these flows are artefacts below {100 * IRR_LEAST:.0f} %: {named}"
    else:
        text = "these flows have no rate of return: their NPV has one sign at every rate"
    warnings.warn(text, ReturnWarning, stacklevel=2)
    return None


def mirr(flows: ArrayLike, finance_rate: float, reinvest_rate: float) -> float:
    """Modified rate of return: (future value of gains / present value of costs)^(1/years) - 1.

    Args:
        flows: yearly amounts, the first at the start.
        finance_rate: at which costs are discounted to the start.
        reinvest_rate: at which gains grow to the end.

    Raises:
        InputError: flows without a change of sign, or a rate of -1 or less.
    """
    row = checked_flows(flows, 2)
    if not ((row > 0).any() and (row < 0).any()):
        raise InputError("flows: none is positive or none is negative, so there is no rate of return")
    years = len(row) - 1
    gains = npv(checked_rate(reinvest_rate, "reinvest_rate"), np.maximum(row, 0.0)) * (1.0 + reinvest_rate) ** years
    costs = -npv(checked_rate(finance_rate, "finance_rate"), np.minimum(row, 0.0))
    return float((gains / costs) ** (1.0 / years) - 1.0)


def payback(flows: ArrayLike) -> float | None:
    """Years until the flows have summed up to zero for the first time, linear inside the year; None if never.

    Construction is inside it where flow 0 is its start.
    """
    row = checked_flows(flows)
    total = np.cumsum(row)
    reached = np.flatnonzero(total >= -_ZERO * float(np.abs(row).sum()))
    if not len(reached):
        return None
    year = int(reached[0])
    return 0.0 if year == 0 else float(year - 1 + min(1.0, -total[year - 1] / row[year]))


def discounted_payback(rate: float, flows: ArrayLike) -> float | None:
    """`payback` of the flows discounted to the start."""
    row = checked_flows(flows)
    return payback(row * discount_factors(rate, len(row)))


def _only_root(coefficients: Float) -> float:
    """The rate of flows that change their sign once: they have exactly one root (rule of Descartes)."""
    total = float(coefficients.sum())
    if abs(total) <= _ZERO:
        return 0.0
    if (total > 0.0) != (coefficients[0] > 0.0):
        return 1.0 / _bisect(coefficients.tolist(), 0.0, 1.0, rises=total > 0.0) - 1.0
    return _bisect(coefficients[::-1].tolist(), 0.0, 1.0, rises=total > 0.0) - 1.0


def _roots(coefficients: Float) -> list[float]:
    """Roots in (0, 1] of c[0] + c[1] x + ... with c[0] not 0, ascending.

    Between two turning points (the roots of the derivative) the polynomial is monotonic and has at most one root. So
    the derivatives are solved from the last, a straight line, up. A turning point on the axis is a double root.
    """
    ladder = [coefficients]
    while len(ladder[-1]) > 2:
        lower = ladder[-1][1:] * np.arange(1, len(ladder[-1]))
        largest = float(np.abs(lower).max())
        ladder.append(lower / largest if largest else lower)
    turns: list[float] = []
    for one in reversed(ladder):
        turns = _between(one.tolist(), [0.0, *turns, 1.0])
    return turns


def _between(polynomial: list[float], ends: list[float]) -> list[float]:
    """Roots in (0, 1] where the polynomial is monotonic between neighbouring ends."""
    found: list[float] = []
    tiny = _ZERO * sum(abs(c) for c in polynomial) / len(polynomial)
    values = [_value(polynomial, x) for x in ends]
    for k in range(len(ends) - 1):
        (a, b), (low, high) = ends[k : k + 2], values[k : k + 2]
        if abs(high) <= tiny:
            found.append(b)
        elif abs(low) > tiny and (low < 0.0) != (high < 0.0):
            found.append(_bisect(polynomial, a, b, rises=high > 0.0))
    return [x for x in found if x > 0.0]


def _bisect(polynomial: list[float], a: float, b: float, rises: bool) -> float:
    while True:
        middle = 0.5 * (a + b)
        if not a < middle < b:
            return middle
        if (_value(polynomial, middle) > 0.0) == rises:
            b = middle
        else:
            a = middle


def _value(polynomial: list[float], x: float) -> float:
    total = 0.0
    for coefficient in reversed(polynomial):
        total = total * x + coefficient
    return total
