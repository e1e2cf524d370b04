"""Tables of what led to the losses: chains of causes of traces, pairs of root and outcome of campaigns, load points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.cli.show import new_table, say, say_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from twin.compare import Comparison
    from twin.estimate import Estimate
    from twin.metrics.chain_estimates import ChainEstimate
    from twin.trace import Trace

_SHOWN = 8


def say_chains(name: str, traces: Sequence[Trace]) -> None:
    """The chains that lost most, with their shares; nothing where nothing was lost and nobody was dark."""
    from twin.metrics.chain_estimates import estimate_chains

    chains = estimate_chains(traces)
    if not chains:
        return
    say()
    of_jobs = any(one.lost_gpu_h.mean > 0.0 for one in chains)
    what = ("GPU-h lost a year", "job stops a year") if of_jobs else ("dark h a year", "times a year")
    table = _table(*what, f"{name}: what led to it" if of_jobs else f"{name}: what led to it (times customers)")
    for one in chains[:_SHOWN]:
        loss, times = (one.lost_gpu_h, one.job_interruptions) if of_jobs else (one.dark_h, one.supply_interruptions)
        share = one.lost_share if of_jobs else one.dark_share
        table.add_row(_percent(share), _cell(loss), _cell(times, interval=False), " > ".join(one.chain))
    if len(chains) > _SHOWN:
        rest = sum(one.lost_share if of_jobs else one.dark_share for one in chains[_SHOWN:])
        table.add_row(_percent(rest), "", "", f"{len(chains) - _SHOWN} more")
    say_table(table)


def _table(*columns: str) -> Table:
    """Shares, numbers, and in the last column words that may take several lines."""
    table = new_table("share", *columns)
    table.columns[-1].justify, table.columns[-1].no_wrap = "left", False
    return table


def say_outcomes(comparison: Comparison) -> None:
    """By design, what began the losses and what came last on the way."""
    from twin.metrics.chain_estimates import loss_outcomes

    for design in comparison.designs:
        rows = loss_outcomes(comparison, design)
        if not rows:
            continue
        say()
        table = _table("GPU-h lost a year", f"{design}: what led to it")
        for began, ended, lost, share in rows[:_SHOWN]:
            table.add_row(_percent(share), _cell(lost), f"{began}; {ended}" if ended else began)
        if len(rows) > _SHOWN:
            rest = sum(share for *_, share in rows[_SHOWN:])
            table.add_row(_percent(rest), "", f"{len(rows) - _SHOWN} more")
        say_table(table)


def chains_json(chains: list[ChainEstimate]) -> list[dict[str, Any]]:
    """All chains of a design."""
    return [
        {
            "chain": list(one.chain),
            "lost_share": one.lost_share,
            "dark_share": one.dark_share,
            **_numbers("lost_gpu_h_per_year", one.lost_gpu_h),
            **_numbers("job_interruptions_per_year", one.job_interruptions),
            **_numbers("dark_customer_h_per_year", one.dark_h),
            **_numbers("customer_interruptions_per_year", one.supply_interruptions),
        }
        for one in chains
    ]


def outcomes_json(comparison: Comparison) -> list[dict[str, Any]]:
    """All pairs of root and outcome of all designs."""
    from twin.metrics.chain_estimates import loss_outcomes

    return [
        {"design": design, "root": began, "outcome": ended, "lost_share": share} | _numbers("lost_gpu_h_per_year", lost)
        for design in comparison.designs
        for began, ended, lost, share in loss_outcomes(comparison, design)
    ]


def load_points_json(trace: Trace) -> list[dict[str, Any]]:
    """One trace's load points, one by one."""
    from twin.metrics.load_points import load_point_indices

    table = load_point_indices(trace)
    columns = [column if isinstance(column, list) else column.tolist() for column in table.values()]
    return [dict(zip(table, row, strict=True)) for row in zip(*columns, strict=True)]


def say_load_points(trace: Trace) -> None:
    """Indices of single load points, where some have customers of their own."""
    from twin.metrics.load_points import load_point_indices

    if not trace.meta.get("customers"):
        return
    found = load_point_indices(trace)
    say()
    table = new_table("load point", "customers", "times a year", "h a year", "h each", "kWh a year")
    columns = [found[name] for name in ("customers", "interruptions_per_year", "dark_h_per_year")]
    columns += [found[name] for name in ("mean_interruption_h", "unserved_kwh_per_year")]
    for name, *row in zip(found["name"], *(column.tolist() for column in columns), strict=True):
        count, times, hours, each, kwh = row
        table.add_row(name, f"{count:.0f}", f"{times:.3g}", f"{hours:.3g}", f"{each:.3g}", f"{kwh:,.0f}")
    say_table(table)


def _numbers(name: str, one: Estimate) -> dict[str, float]:
    return {name: one.mean, f"{name}_low": one.low, f"{name}_high": one.high}


def _cell(one: Estimate, *, interval: bool = True) -> str:
    from twin.estimate import round_to_error

    rounded = round_to_error(one)
    return f"{rounded.value}  ({rounded.interval})" if interval and rounded.interval else rounded.value


def _percent(share: float) -> str:
    return "\u2013" if share != share else f"{100.0 * share:.1f} %"  # noqa: PLR0124 - nan
