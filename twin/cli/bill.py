"""`twin bill`: what the sites of a trace pay for electricity, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from twin.cli.show import new_table, say, say_json, say_table, say_wrapped, with_format

if TYPE_CHECKING:
    from twin.finance import Bill


@click.command()
@click.argument("trace", type=click.Path())
@with_format
def bill(trace: str, style: str) -> None:
    """Print the electricity bills of a trace: lines over the horizon, totals by month."""
    from twin.errors import InputError, Problem
    from twin.finance import bill as bill_of
    from twin.trace import Trace

    opened = Trace.open(trace)
    bills = [one for site in opened.meta["sites"] if (one := bill_of(opened, site)) is not None]
    if not bills:
        raise InputError(Problem("no site has a tariff", trace, remedy="give one: sites.NAME.tariff: {preset: ...}"))
    if style == "json":
        say_json({"bills": [_as_json(one) for one in bills]})
        return
    for one in bills:
        _print(one)


def _as_json(one: Bill) -> dict[str, Any]:
    lines = [asdict(line) for line in one.lines]
    return {"site": one.site, "currency": one.currency, "total": one.total, "by_month": one.by_month(), "lines": lines}


def _print(one: Bill) -> None:
    table = new_table(one.site, "quantity", "unit", "mean price", one.currency or "amount")
    for what, unit, quantity, amount in _summed(one):
        amount_of_money = unit == "money"
        price = amount / quantity if quantity else 0.0
        shown = "" if amount_of_money else f"{quantity:,.0f}"
        table.add_row(what, shown, "" if amount_of_money else unit, f"{price:,.4f}", f"{amount:,.2f}")
    table.add_row("total", "", "", "", f"{one.total:,.2f}")
    say_table(table)
    say()
    by_month = "; ".join(f"{month} {total:,.2f}" for month, total in one.by_month().items())
    say_wrapped(f"by month  {by_month}", "          ")


def _summed(one: Bill) -> Iterator[tuple[str, str, float, float]]:
    """Lines of one kind and unit together, in the order in which they first stand."""
    for what, unit in dict.fromkeys((line.what, line.unit) for line in one.lines):
        own = [line for line in one.lines if (line.what, line.unit) == (what, unit)]
        yield what, unit, sum(line.quantity for line in own), round(sum(line.amount for line in own), 2)
