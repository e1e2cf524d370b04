"""A workload of a GPU cluster as a few numbers, and what follows from them in closed form.

Sizes are powers of two: one GPU with probability `single_gpu_fraction`, else 2**k with probability in proportion to
`size_ratio` ** k, up to `gpus_max`. The end of a job (completed, cancelled, failed) is drawn by its probability. Given
size g and end s, the run time is lognormal with median `run_time_median_s` * f_s * g ** `run_time_size_exponent` and
sigma `run_time_sigma` of its logarithm, cut off at `run_time_max_s`: large jobs run longer, and cancelled ones longest,
as the published shares of GPU time say. Left out: users who resubmit, and what joins jobs but the bursts of arrivals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
ENDS = ("completed", "cancelled", "failed")
"""How a generated job ends; the order of all triples here."""

_erf = np.vectorize(math.erf, otypes=[np.float64])


def normal_cdf(z: Floats) -> Floats:
    """The standard normal distribution function."""
    found: Floats = 0.5 * (1.0 + _erf(z / math.sqrt(2.0)))
    return found


@dataclass(frozen=True)
class Workload:
    """The model's numbers; moments are exact, up to the error function."""

    single_gpu_fraction: float
    size_ratio: float
    gpus_max: int
    run_time_median_s: float
    """Of a completed job on one GPU."""
    run_time_sigma: float
    run_time_size_exponent: float
    run_time_max_s: float
    end_probability: Sequence[float]
    """Of a job, by `ENDS`; made to sum to 1."""
    end_run_time_factor: Sequence[float]
    """Median run time over that of a completed job of the size, by `ENDS`."""

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """GPUs of a job: 1, 2, 4 ... [sizes]."""
        return 1 << np.arange(int(math.log2(self.gpus_max)) + 1, dtype=np.int64)

    @property
    def size_probability(self) -> Floats:
        """Probability of each size [sizes]."""
        several: Floats = np.power(self.size_ratio, np.arange(self.sizes.size - 1.0))
        if not several.size:
            return np.ones(1)
        several *= (1.0 - self.single_gpu_fraction) / several.sum()
        return np.append(self.single_gpu_fraction, several)

    @property
    def ends(self) -> Floats:
        """Probability of each end [3]."""
        found: Floats = np.array(self.end_probability) / sum(self.end_probability)
        return found

    @property
    def medians_s(self) -> Floats:
        """Median run time before the cut [sizes, ends], in s."""
        by_size = np.power(self.sizes.astype(np.float64), self.run_time_size_exponent)
        found: Floats = self.run_time_median_s * by_size[:, None] * np.array(self.end_run_time_factor)[None, :]
        return found

    @property
    def _weights(self) -> Floats:
        return self.size_probability[:, None] * self.ends[None, :]

    @property
    def _means_s(self) -> Floats:
        """Mean run time [sizes, ends]: E min(T, t_max) of a lognormal T."""
        sigma, most_s = self.run_time_sigma, self.run_time_max_s
        z = np.log(most_s / self.medians_s) / sigma
        found: Floats = self.medians_s * math.exp(0.5 * sigma**2) * normal_cdf(z - sigma) + most_s * normal_cdf(-z)
        return found

    @property
    def mean_gpus(self) -> float:
        """Mean GPUs of a job."""
        return float(self.size_probability @ self.sizes)

    @property
    def mean_run_time_s(self) -> float:
        """Mean run time of a job [s]."""
        return float((self._weights * self._means_s).sum())

    @property
    def gpu_time_s(self) -> Floats:
        """Mean GPU-seconds of a job, split by size and end [sizes, ends]."""
        return self._weights * self._means_s * self.sizes[:, None]

    @property
    def mean_gpu_s(self) -> float:
        """Mean GPU-seconds of a job."""
        return float(self.gpu_time_s.sum())

    def shorter_than(self, seconds: float) -> float:
        """Share of jobs that run no longer."""
        if seconds >= self.run_time_max_s:
            return 1.0
        return float((self._weights * normal_cdf(np.log(seconds / self.medians_s) / self.run_time_sigma)).sum())


def bursts(cv: float) -> tuple[float, float, float]:
    """A hyperexponential law of gaps of mean 1 and this coefficient of variation >= 1, with balanced means.

    With probability p a gap has mean a, else mean b, and p a = (1 - p) b = 1/2 (Morse 1958; Allen, Probability,
    Statistics and Queueing Theory, 1990, section 3.2.9).

    Returns:
        p, a, b.
    """
    p = 0.5 * (1.0 + math.sqrt((cv**2 - 1.0) / (cv**2 + 1.0)))
    return p, 0.5 / p, 0.5 / (1.0 - p)


def thinned_cv(cv: float, share: float) -> float:
    """Coefficient of variation of gaps when each arrival of a renewal process is kept with probability `share`.

    A smaller cluster sees a share of a larger one's submissions: the sum of a geometric number of gaps, whose squared
    coefficient of variation is share * cv**2 + 1 - share. Shares above 1 leave it as it is.
    """
    kept = min(share, 1.0)
    return math.sqrt(kept * cv**2 + 1.0 - kept)


def clock_of_day(submit_by_hour: Sequence[float]) -> Floats:
    """Share of a day's submissions before each hour begins [25], from weights of the 24 hours."""
    weights = np.array(submit_by_hour, dtype=np.float64)
    return np.append(0.0, np.cumsum(weights) / weights.sum())
