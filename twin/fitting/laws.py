"""Maximum likelihood for the laws of `twin.chance`, with right-censored durations.

The log-likelihood is the sum of log f(x) over durations that ended and of log S(c) over those that had not.
Exponential: total time over failures. Weibull: the shape solves its profile equation (Kalbfleisch and Prentice, The
Statistical Analysis of Failure Time Data, 2002, 3.3), which also holds with censoring. Lognormal: moments of the
logarithms, and gamma: psi(k) = log k - s by Newton (Choi and Wette, Technometrics 11, 1969) where nothing is censored;
else both by a quasi-Newton search from there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class FittedLaw:
    """A law with its parameters, as a scenario writes them.

    Attributes:
        law: its name in YAML.
        parameters: by YAML key, in the unit of the durations.
    """

    law: str
    parameters: dict[str, float]

    @property
    def mean(self) -> float:
        """Its mean; infinite where it is beyond all numbers."""
        p = self.parameters
        try:
            if self.law == "weibull":
                return p["scale"] * math.gamma(1.0 + 1.0 / p["shape"])
            if self.law == "lognormal":
                return p["median"] * math.exp(0.5 * p["sigma"] ** 2)
        except OverflowError:
            return math.inf
        return p["mean"]

    def survival(self, x: Float) -> Float:
        """Probability to exceed x."""
        return np.exp(self.log_survival(x))

    def log_survival(self, x: Float) -> Float:
        """Logarithm of the probability to exceed x > 0."""
        p = self.parameters
        if self.law == "exponential":
            return np.asarray(-x / p["mean"])
        if self.law == "weibull":
            return np.asarray(-((x / p["scale"]) ** p["shape"]))
        if self.law == "lognormal":
            return np.asarray(special.log_ndtr(-np.log(x / p["median"]) / p["sigma"]))
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(special.gammaincc(p["shape"], x * p["shape"] / p["mean"])))

    def log_density(self, x: Float) -> Float:
        """Logarithm of the density at x > 0."""
        p = self.parameters
        if self.law == "exponential":
            return np.asarray(-math.log(p["mean"]) - x / p["mean"])
        if self.law == "weibull":
            k, y = p["shape"], np.log(x / p["scale"])
            return np.asarray(math.log(k / p["scale"]) + (k - 1.0) * y - np.exp(k * y))
        if self.law == "lognormal":
            z = np.log(x / p["median"]) / p["sigma"]
            return np.asarray(-np.log(x * p["sigma"]) - 0.5 * z * z - 0.5 * math.log(2.0 * math.pi))
        k = p["shape"]
        scale = p["mean"] / k
        return np.asarray((k - 1.0) * np.log(x / scale) - x / scale - math.lgamma(k) - math.log(scale))

    def draws(self, u: Float) -> Float:
        """Quantiles at uniforms."""
        p = self.parameters
        if self.law == "exponential":
            return np.asarray(-p["mean"] * np.log1p(-u))
        if self.law == "weibull":
            return np.asarray(p["scale"] * (-np.log1p(-u)) ** (1.0 / p["shape"]))
        if self.law == "lognormal":
            return np.asarray(p["median"] * np.exp(p["sigma"] * special.ndtri(u)))
        return np.asarray(special.gammaincinv(p["shape"], u) * p["mean"] / p["shape"])

    def log_likelihood(self, x: Float, observed: Bool) -> float:
        """Of durations x, of which those not observed had not ended."""
        return float(self.log_density(x[observed]).sum() + self.log_survival(x[~observed]).sum())


def _exponential(x: Float, observed: Bool, near: FittedLaw | None = None) -> FittedLaw:  # noqa: ARG001 - as the others
    return FittedLaw("exponential", {"mean": float(x.sum() / observed.sum())})


def _weibull(x: Float, observed: Bool, near: FittedLaw | None = None) -> FittedLaw:  # noqa: ARG001 - as the others
    y = np.log(x / x.max())
    target = float(y[observed].mean())

    def slope(shape: float) -> float:
        weights = np.exp(shape * y)
        return float((weights * y).sum() / weights.sum()) - 1.0 / shape - target

    high = 1.0
    while slope(high) < 0.0:
        high *= 2.0
    low = high
    while slope(low) > 0.0:
        low *= 0.5
    shape = float(optimize.brentq(slope, low, high, rtol=1e-12)) if low < high else low
    scale = float(x.max()) * float((np.exp(shape * y).sum() / observed.sum()) ** (1.0 / shape))
    return FittedLaw("weibull", {"shape": shape, "scale": scale})


def _lognormal(x: Float, observed: Bool, near: FittedLaw | None = None) -> FittedLaw:
    y = np.log(x[observed])
    sigma = max(float(y.std()), 1e-9)
    first = FittedLaw("lognormal", {"sigma": sigma, "median": math.exp(float(y.mean()))})
    if observed.all():
        return first
    return _search(lambda p: FittedLaw("lognormal", {"sigma": p[0], "median": p[1]}), near or first, x, observed)


def _gamma(x: Float, observed: Bool, near: FittedLaw | None = None) -> FittedLaw:
    own = x[observed]
    mean = float(own.mean())
    s = math.log(mean) - float(np.log(own).mean())
    k = (3.0 - s + math.sqrt((s - 3.0) ** 2 + 24.0 * s)) / (12.0 * s)
    for _ in range(50):
        step = (math.log(k) - float(special.digamma(k)) - s) / (1.0 / k - float(special.polygamma(1, k)))
        k = k - step if step < k else 0.5 * k
        if abs(step) <= 1e-12 * k:
            break
    first = FittedLaw("gamma", {"shape": k, "mean": mean})
    if observed.all():
        return first
    return _search(lambda p: FittedLaw("gamma", {"shape": p[0], "mean": p[1]}), near or first, x, observed)


def _search(make: Callable[[list[float]], FittedLaw], first: FittedLaw, x: Float, observed: Bool) -> FittedLaw:
    """Climb the likelihood of two positive parameters, in their logarithms."""

    def cost(logs: Float) -> float:
        return -make(np.exp(np.clip(logs, -300.0, 300.0)).tolist()).log_likelihood(x, observed)

    start = np.log(list(first.parameters.values()))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = optimize.minimize(cost, start, method="BFGS", options={"gtol": 1e-7 * len(x)})
        if not found.success:
            found = optimize.minimize(cost, found.x, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9})
    return make(np.exp(found.x).tolist())


FITS: dict[str, Callable[..., FittedLaw]] = {
    "exponential": _exponential, "weibull": _weibull, "lognormal": _lognormal, "gamma": _gamma,
}  # fmt: skip
"""By name, the law that makes durations most likely: x float64 [n] above 0, observed bool [n], a law to start from."""
