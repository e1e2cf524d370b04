"""Laws of durations as a scenario writes them, and the same laws compiled to draw hours from a stream.

The blocks carry no units: the key that holds the law does (`duration_s`, `mttr_h`), and `compile_law` is told how many
hours that unit has. A bare number is the fixed law.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from twin.chance import quantiles
from twin.spec import NonNegative, Positive, Spec

Shape = Annotated[float, Field(ge=0.01)]
"""Below 0.01 a Weibull's mean leaves the range of floats."""
Sigma = Annotated[float, Field(ge=0, le=30)]
"""Above 30 a lognormal's mean leaves the range of floats."""


def _need_exactly_one(block: Spec, *names: str) -> None:
    given = [name for name in names if getattr(block, name) is not None]
    if len(given) != 1:
        found = " and ".join(given) if given else "none"
        raise ValueError(f"give exactly one of {', '.join(names)}; found {found}")


class FixedLaw(Spec):
    """Always the same value."""

    law: Literal["fixed"] = Field(default="fixed", description="names the law; a bare number is short for it")
    value: NonNegative = Field(description="always drawn")


class ExponentialLaw(Spec):
    """Constant rate 1/mean."""

    law: Literal["exponential"] = Field(description="names the law")
    mean: Positive = Field(description="1 over the rate")


class WeibullLaw(Spec):
    """Survival exp(-(x/scale)**shape); shape above 1 wears out, below 1 has early failures."""

    law: Literal["weibull"] = Field(description="names the law")
    shape: Shape = Field(description="above 1 wears out, below 1 has early failures")
    scale: Positive | None = Field(default=None, description="life that 1/e survive; or give mean")
    mean: Positive | None = Field(default=None, description="instead of scale")

    @model_validator(mode="after")
    def _scale_or_mean(self) -> Self:
        _need_exactly_one(self, "scale", "mean")
        return self


class LognormalLaw(Spec):
    """The logarithm is normal with standard deviation sigma."""

    law: Literal["lognormal"] = Field(description="names the law")
    sigma: Sigma = Field(description="standard deviation of the natural logarithm")
    median: Positive | None = Field(default=None, description="half are below; or give mean")
    mean: Positive | None = Field(default=None, description="instead of median")

    @model_validator(mode="after")
    def _median_or_mean(self) -> Self:
        _need_exactly_one(self, "median", "mean")
        return self


class GammaLaw(Spec):
    """Gamma with coefficient of variation 1/sqrt(shape)."""

    law: Literal["gamma"] = Field(description="names the law")
    shape: Shape = Field(description="1 over the squared coefficient of variation")
    mean: Positive = Field(description="of the draws")


class UniformLaw(Spec):
    """Equally likely between low and high."""

    law: Literal["uniform"] = Field(description="names the law")
    low: NonNegative = Field(description="least")
    high: NonNegative = Field(description="largest")

    @model_validator(mode="after")
    def _low_before_high(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low ({self.low}) must not exceed high ({self.high})")
        return self


_ABOUT_FILES = ("column", "multiply_by", "minimum", "maximum", "where")


class EmpiricalLaw(Spec):
    """Observations, resampled: from a column of a CSV file, or listed."""

    law: Literal["empirical"] = Field(description="names the law")
    file: str | None = Field(default=None, description="CSV with one observation a row; or list values")
    column: str | None = Field(default=None, description="of the file")
    multiply_by: Positive = Field(
        default=1.0, description="brings the column to the unit of the key that holds the law"
    )
    minimum: float | None = Field(default=None, description="observations below are left out, in the law's unit")
    maximum: float | None = Field(default=None, description="observations above are left out, in the law's unit")
    where: dict[str, str | int] | None = Field(default=None, description="column: value of the rows to keep")
    values: list[NonNegative] | None = Field(
        default=None, min_length=1, description="the observations themselves, instead of a file"
    )

    @model_validator(mode="after")
    def _file_or_values(self) -> Self:
        _need_exactly_one(self, "file", "values")
        if self.file is not None and self.column is None:
            raise ValueError("a file needs a column")
        defaults = {name: type(self).model_fields[name].default for name in _ABOUT_FILES}
        reading = [name for name, default in defaults.items() if getattr(self, name) != default]
        if self.values is not None and reading:
            raise ValueError(f"{' and '.join(reading)}: only for a file, but values are listed")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum ({self.minimum}) must not exceed maximum ({self.maximum})")
        return self


class ScriptedLaw(Spec):
    """The first draw is the first value, and so on; after the last value it never happens again."""

    law: Literal["scripted"] = Field(description="names the law")
    values: list[NonNegative] = Field(min_length=1, description="of the first draw, the second, and so on")


class PiecewiseLaw(Spec):
    """A hazard that is constant between ages: early failures, useful life, wear-out.

    Up to age `until[0]` the rate is 1/means[0], then 1/means[1] up to `until[1]`, and so on; the last has no end.
    """

    law: Literal["piecewise"] = Field(description="names the law")
    until: list[Positive] = Field(min_length=1, description="ages at which the rate changes, ascending")
    means: list[Positive] = Field(description="mean lives at the rates before, between and after those ages")

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if any(later <= age for age, later in pairwise(self.until)):
            raise ValueError("until: ages must ascend")
        if len(self.means) != len(self.until) + 1:
            raise ValueError(f"means: give {len(self.until) + 1}, one more than ages; found {len(self.means)}")
        return self


LawSpec: TypeAlias = (
    FixedLaw
    | ExponentialLaw
    | WeibullLaw
    | LognormalLaw
    | GammaLaw
    | UniformLaw
    | EmpiricalLaw
    | ScriptedLaw
    | PiecewiseLaw
)
TabledLaw: TypeAlias = EmpiricalLaw | ScriptedLaw | PiecewiseLaw
"""Laws that need a table, which a switch's transfer time has no room for."""
_Block: TypeAlias = Annotated[LawSpec, Field(discriminator="law")]


def _number_is_fixed(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"law": "fixed", "value": value}
    return value


Law: TypeAlias = Annotated[_Block, BeforeValidator(_number_is_fixed, json_schema_input_type=NonNegative | _Block)]
"""Type of a field that holds a law, e.g. `duration_h: Law`."""


@dataclass(frozen=True, slots=True, eq=False)
class CompiledLaw:
    """A law in hours, as kernels take it: (code, a, b, table) of `twin.chance.quantiles`, and its exact mean."""

    code: int
    a: float
    b: float
    table: NDArray[np.float64]
    mean: float

    @property
    def has_hazard(self) -> bool:
        """Whether the law has a hazard rate, so that its clock can be aged, shared out or run faster."""
        atoms = (quantiles.FIXED, quantiles.EMPIRICAL, quantiles.SCRIPTED)
        return self.code not in atoms and not (self.code == quantiles.LOGNORMAL and self.b == 0.0)

    @property
    def columns(self) -> tuple[int, float, float, NDArray[np.float64]]:
        """(code, a, b, table): the law as one argument of a kernel."""
        return self.code, self.a, self.b, self.table

    def draw(self, key: np.uint64, replication: np.uint64, n: int) -> float:
        """Draw n of the stream, in hours; pass key and replication as np.uint64."""
        return float(quantiles.draw(self.code, self.a, self.b, self.table, key, replication, n))


def compile_law(law: LawSpec | float, *, to_h: float = 1.0, base: Path | None = None) -> CompiledLaw:
    """Compile a law to draw hours.

    Args:
        law: a block, or a number for the fixed law.
        to_h: hours in one unit of the key that holds the law, e.g. 1/3600 for `duration_s`.
        base: folder that a relative `file` is relative to.

    Raises:
        InputError: the file of an empirical law cannot be read.
    """
    match law:
        case int() | float():
            return compile_law(FixedLaw(value=law), to_h=to_h)
        case FixedLaw():
            return _plain(quantiles.FIXED, to_h * law.value, 0.0, to_h * law.value)
        case ExponentialLaw():
            return exponential(to_h * law.mean)
        case WeibullLaw():
            return _scaled(quantiles.WEIBULL, law.scale, law.mean, math.gamma(1.0 + 1.0 / law.shape), law.shape, to_h)
        case LognormalLaw():
            return _scaled(quantiles.LOGNORMAL, law.median, law.mean, math.exp(0.5 * law.sigma**2), law.sigma, to_h)
        case GammaLaw():
            return _plain(quantiles.GAMMA, to_h * law.mean / law.shape, law.shape, to_h * law.mean)
        case UniformLaw():
            return _plain(quantiles.UNIFORM, to_h * law.low, to_h * law.high, to_h * 0.5 * (law.low + law.high))
        case EmpiricalLaw():
            return _tabled(quantiles.EMPIRICAL, np.sort(_observations(law, base)), to_h)
        case ScriptedLaw():
            return _tabled(quantiles.SCRIPTED, np.array(law.values, dtype=np.float64), to_h)
        case PiecewiseLaw():
            return _piecewise(np.array([0.0, *law.until]) * to_h, 1.0 / (np.array(law.means) * to_h))


def exponential(mean_h: float) -> CompiledLaw:
    """The law of a constant rate, by its mean [h]: a life of a given MTBF."""
    return _plain(quantiles.EXPONENTIAL, mean_h, 0.0, mean_h)


def _piecewise(ages: NDArray[np.float64], rates: NDArray[np.float64]) -> CompiledLaw:
    used = np.concatenate([[0.0], np.cumsum(np.diff(ages) * rates[:-1])])
    left = np.exp(-used)
    mean = math.fsum(np.append(left[:-1] - left[1:], left[-1]) / rates)
    return CompiledLaw(quantiles.PIECEWISE, 0.0, 0.0, np.concatenate([ages, used, rates]), mean)


def _plain(code: int, a: float, b: float, mean: float) -> CompiledLaw:
    return CompiledLaw(code, float(a), float(b), np.zeros(0), float(mean))


def _scaled(
    code: int, scale: float | None, mean: float | None, mean_of_unit_scale: float, b: float, to_h: float
) -> CompiledLaw:
    """A law given by its scale or by its mean."""
    if scale is None:
        assert mean is not None, "the block holds exactly one of them"
        return _plain(code, to_h * mean / mean_of_unit_scale, b, to_h * mean)
    return _plain(code, to_h * scale, b, to_h * scale * mean_of_unit_scale)


def _tabled(code: int, values: NDArray[np.float64], to_h: float) -> CompiledLaw:
    table = values * to_h
    return CompiledLaw(code, 0.0, 0.0, table, math.fsum(table) / len(table))


def _observations(law: EmpiricalLaw, base: Path | None) -> NDArray[np.float64]:
    if law.values is not None:
        return np.array(law.values, dtype=np.float64)
    from twin.inputs.durations_csv import read_durations

    assert law.file is not None, "the block holds values or a file"
    assert law.column is not None, "a file has a column"
    return read_durations(
        (base or Path()) / law.file,
        law.column,
        where=None if law.where is None else {column: str(value) for column, value in law.where.items()},
        multiply_by=law.multiply_by,
        minimum=law.minimum,
        maximum=law.maximum,
    )
