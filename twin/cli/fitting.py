"""`twin fit`: laws for a record of failures, repairs or outages."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twin.cli.show import new_table, say, say_json, say_table, say_wrapped, with_format

if TYPE_CHECKING:
    from twin.fitting.goodness import Fit
    from twin.inputs.lifetimes_csv import Lifetimes

UNITS = ("ms", "s", "min", "h", "day")
LAWS = ("exponential", "weibull", "lognormal", "gamma")


def _pairs(ctx: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:  # noqa: ARG001
    pairs = dict(text.partition("=")[::2] for text in texts)
    if any("=" not in text for text in texts):
        raise click.BadParameter("write COLUMN=VALUE")
    return pairs


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--column", help="durations; or give --start")
@click.option("--unit", type=click.Choice(UNITS), default="h", show_default=True, help="of --column")
@click.option("--censored", help="column that says 1, true or yes where a duration had not ended")
@click.option("--start", help="begin of each down time, as 2026-01-31 08:00")
@click.option("--end", help="end of each down time; an empty cell has not ended")
@click.option("--between", is_flag=True, help="times between failures instead of down times")
@click.option("--by", multiple=True, help="column that tells items apart, for --between; may be repeated")
@click.option("--where", multiple=True, callback=_pairs, help="COLUMN=VALUE: keep these rows; may be repeated")
@click.option(
    "--law", "laws", multiple=True, type=click.Choice(LAWS), help="fit this one; may be repeated; default all"
)
@click.option("--key", help="YAML key of the block; default duration_h, or life_h for --between")
@click.option("--plot", type=click.Path(path_type=Path), help="write survival of record and laws as png, svg or pdf")
@with_format
def fit(
    file: Path,
    column: str | None,
    unit: str,
    censored: str | None,
    start: str | None,
    end: str | None,
    between: bool,
    by: tuple[str, ...],
    where: dict[str, str],
    laws: tuple[str, ...],
    key: str | None,
    plot: Path | None,
    style: str,
) -> None:
    """Fit laws to a record of failures or outages, by maximum likelihood, and print the YAML to paste."""
    from twin.errors import InputError, Problem
    from twin.fitting.block import law_block, record_block
    from twin.fitting.goodness import fit_all
    from twin.inputs.lifetimes_csv import Layout, read_lifetimes

    if key is not None and not key.endswith("_h"):
        raise InputError(Problem(f"{key!r}: the block is in hours", key="--key", remedy="name a key that ends in _h"))
    layout = Layout(column, unit, censored, start, end, between, by, where or None)
    record = read_lifetimes(file, layout)
    if len(set(record.hours[record.observed].tolist())) < 2:
        raise InputError(Problem("all durations are the same: there is nothing to fit", str(file)))
    fits = fit_all(record, laws or LAWS)
    name = key or ("life_h" if between else "duration_h")
    block = law_block(name, fits[0], record, file)
    own = record_block(name, layout, file)
    if plot is not None:
        from twin.fitting.plot import draw

        draw(record, fits, file.name, plot)
    if style == "json":
        say_json({
            "file": str(file), "record": _about(record), "fits": [_as_json(one) for one in fits], "yaml": block,
            "empirical_yaml": own,
        })  # fmt: skip
        return
    _print(record, fits)
    say()
    say(block)
    if own is not None:
        say(f"# or the record itself, resampled:\n# {own}")


def _about(record: Lifetimes) -> dict[str, float]:
    return {
        "durations": len(record.hours), "censored": int((~record.observed).sum()), "items": record.items,
        "empty_rows": record.empty_rows, "cut_rows": record.cut_rows,
        "observed_mean_h": float(record.hours[record.observed].mean()),
    }  # fmt: skip


def _as_json(one: Fit) -> dict[str, object]:
    return {"law": one.law.law, "mean_h": one.law.mean, **asdict(one)["law"], "errors": one.errors,
            "log_likelihood": one.log_likelihood, "aic": one.aic, "ks_distance": one.distance, "p": one.p}  # fmt: skip


def _print(record: Lifetimes, fits: list[Fit]) -> None:
    about = _about(record)
    items = f" of {record.items} items" if record.items else ""
    say_wrapped(
        f"{about['durations']} durations{items}, {about['censored']} not ended; {record.empty_rows} rows without one,"
        f" {record.cut_rows} of no length left out"
    )
    table = new_table("law", "parameters [h]", "mean\n[h]", "AIC\n- best", "KS\ndistance", "p")
    for one in fits:
        shown = "\n".join(f"{name} {value:.4g} +- {one.errors[name]:.2g}" for name, value in one.law.parameters.items())
        table.add_row(
            one.law.law,
            shown,
            f"{one.law.mean:.4g}",
            f"{one.aic - fits[0].aic:.1f}",
            f"{one.distance:.3f}",
            f"{one.p:.3f}",
        )
    say_table(table)
    if fits[0].p < 0.05:
        say_wrapped(
            "No law here draws such a record (p < 0.05): look at --plot; resampling the record keeps its shape."
        )
