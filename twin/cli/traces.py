"""`twin run` and `twin metrics`: one replication into a trace, and figures from traces alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from twin.cli.attribution import chains_json, load_points_json, say_chains, say_load_points
from twin.cli.money import money_json, print_money
from twin.cli.money_studies import print_sweep_money, print_tornados, studies_json
from twin.cli.show import (
    blocks,
    new_table,
    refuse_to_replace,
    replaying,
    say,
    say_json,
    say_table,
    say_wrapped,
    with_code,
    with_format,
    with_outages,
)
from twin.units import HOURS_PER_YEAR

if TYPE_CHECKING:
    from twin.campaign.result import CampaignResult
    from twin.compare import Comparison
    from twin.trace import Trace

_COUNT = click.IntRange(0, 2**63 - 1)
_HDF5 = b"\x89HDF\r\n\x1a\n"
_LOSSES_SHOWN = 5
_TENANTS_SHOWN = 8
_SHORT_YEARS = 0.5
"""A yearly rate from a shorter run needs a word of caution."""


@click.command()
@click.argument("scenario")
@click.option("--design", help="one of the scenario's designs; the first if absent")
@click.option("--seed", type=_COUNT, help="instead of the scenario's own")
@click.option("--replication", type=_COUNT, default=0, show_default=True, help="which luck, under this seed")
@click.option("-o", "output", type=click.Path(), help="write the trace to this HDF5 file")
@with_outages
@with_code
@with_format
def run(
    scenario: str,
    design: str | None,
    seed: int | None,
    replication: int,
    output: str | None,
    outages: str | None,
    style: str,
    allow_code: bool,
) -> None:
    """Simulate one replication of one design and print its summary."""
    from twin.cli.progress import note_cold_kernels
    from twin.experiment import check_designs, reseeded
    from twin.scenario.load import load
    from twin.simulator import simulate

    study = load(scenario, allow_code=allow_code)
    if design is not None:
        check_designs(study, [design])
    if output is not None:
        refuse_to_replace(output, lambda start: start.startswith(_HDF5), "trace")
    if seed is not None:
        study = reseeded(study, seed)
    study = replaying(study, outages)
    note_cold_kernels()
    trace = simulate(study, design, replication, level="ledger" if output is None else "units")
    if output is not None:
        trace.save(output)
    own = _name(trace)
    tables = {own: _estimates({own: [trace]})[own]}
    if style == "json":
        say_json({"traces": [_as_json([output], [trace], tables[own])]})
        return
    meta = trace.meta
    say_wrapped(
        f"{meta['scenario']}, design {meta['design']}: {trace.years * HOURS_PER_YEAR:.6g} h from {meta['start']}, "
        f"seed {meta['seed']}, replication {meta['replication']}"
    )
    say()
    _print(tables, 1)
    _print_losses(trace)
    _print_tenants(trace)
    say()
    text = "note   One replication: no statement about other years; twin compare simulates many."
    if trace.years < _SHORT_YEARS:
        text += f" Rates are those of {trace.years * HOURS_PER_YEAR:.3g} h, times {1 / trace.years:.3g}."
    fallen = int((trace.events["what"] == trace.what("fell_back")).sum())
    if fallen:
        text += f" The policy made no usable plan {fallen} times: the capped rule took its place each time."
    say_wrapped(text, "       ")
    say(f"trace  {output}" if output else "       Nothing was written; -o FILE.h5 keeps the trace.")


@click.command()
@click.argument("traces", nargs=-1, required=True, type=click.Path())
@click.option("--money", is_flag=True, help="of a campaign's results: what designs are worth against counterfactuals")
@with_format
def metrics(traces: tuple[str, ...], style: str, money: bool) -> None:
    """Print the figures of traces, or of a campaign's results; traces of one design are its replications."""
    from twin.trace import Trace

    if len(traces) == 1 and _print_if_campaign(traces[0], style, money):
        return
    if money:
        raise click.UsageError("--money needs the results of one campaign: pairs of designs on the same luck")
    opened = [(path, Trace.open(path)) for path in traces]
    groups = _grouped(opened)
    tables = _estimates({name: [trace for _, trace in group] for name, group in groups.items()})
    if style == "json":
        found = [
            _as_json([path for path, _ in group], [trace for _, trace in group], tables[name])
            for name, group in groups.items()
        ]
        say_json({"traces": found})
        return
    most = max(len(group) for group in groups.values())
    for name, group in groups.items():
        trace = group[0][1]
        say_wrapped(f"{name}: {len(group)} x {trace.years:.3g} years, seed {trace.meta['seed']}")
    say()
    _print(tables, most)
    for name, group in groups.items():
        say_chains(name, [trace for _, trace in group])
    if len(opened) == 1:
        say_load_points(opened[0][1])


def _print_if_campaign(path: str, style: str, money: bool) -> bool:
    from twin.campaign.export import is_campaign

    if not is_campaign(path):
        return False
    from twin.campaign.rare.result import open_result
    from twin.cli.campaigning import campaign_json, print_campaign

    result = open_result(path)
    if money:
        _show_money(result, style)
    elif style == "json":
        say_json(campaign_json(result))
    else:
        print_campaign(result)
    return True


def _show_money(result: CampaignResult, style: str) -> None:
    """What designs are worth and what that hangs on; of a sweep its studies."""
    if result.identity.get("sweep") is not None:
        if style == "json":
            say_json({"money": studies_json(result)})
        else:
            print_sweep_money(result)
        return
    found = result.money()
    if style == "json":
        say_json(money_json(found))
        return
    print_money(found)
    print_tornados(found, result.ranges)


def _name(trace: Trace) -> str:
    return str(trace.meta.get("design", "design"))


def _grouped(opened: list[tuple[str, Trace]]) -> dict[str, list[tuple[str, Trace]]]:
    """Traces by design, named with the scenario where several scenarios (or versions of one) meet.

    Raises:
        InputError: one replication is there twice.
    """
    from twin.errors import InputError, Problem

    groups: dict[tuple[str, str, str], list[tuple[str, Trace]]] = {}
    seen: dict[tuple[Any, ...], str] = {}
    for path, trace in opened:
        meta = trace.meta
        key = (str(meta.get("digest", "")), str(meta.get("scenario", "")), _name(trace))
        once = (*key, meta.get("replication"))
        if once in seen:
            raise InputError(Problem(f"is the same replication as {seen[once]}", path, remedy="name it once"))
        seen[once] = path
        groups.setdefault(key, []).append((path, trace))
    several = len({key[:2] for key in groups}) > 1
    named: dict[str, list[tuple[str, Trace]]] = {}
    for (_, scenario, design), group in groups.items():
        name = f"{scenario}/{design}" if several else design
        count = sum(other == name or other.startswith(f"{name} #") for other in named)
        named[f"{name} #{count + 1}" if count else name] = group
    return named


def _estimates(groups: dict[str, list[Trace]]) -> dict[str, Comparison]:
    """By name the figures of a group of traces, estimated over its replications."""
    import numpy as np

    from twin import metrics as figures
    from twin.compare import compare_designs

    return {
        name: compare_designs(
            {name: np.array([figures.row(one)[1] for one in group])}, figures.NAMES, None, group[0].years
        )
        for name, group in groups.items()
    }


def _as_json(paths: list[str | None] | list[str], traces: list[Trace], table: Comparison) -> dict[str, Any]:
    from twin.cli.figures import figure
    from twin.metrics.chain_estimates import estimate_chains

    meta = traces[0].meta
    keep = ("scenario", "design", "seed", "digest", "twin_version")
    return {key: meta.get(key) for key in keep} | {
        "files": paths,
        "replications": [trace.meta.get("replication") for trace in traces],
        "years_each": traces[0].years,
        "chains": chains_json(estimate_chains(traces)),
        "load_points": load_points_json(traces[0]) if len(traces) == 1 else [],
        "figures": [figure(row.metric, row.estimates[table.reference]) for row in table.rows],
    }


def _print(tables: dict[str, Comparison], most: int) -> None:
    from twin.cli.figures import estimate_cells, labels, shown_metrics

    chosen = shown_metrics([table.rows for table in tables.values()])
    columns = []
    for name, table in tables.items():
        rows = {row.metric: row for row in table.rows}
        columns.append((name, estimate_cells(chosen, rows, name, table.n * table.years_each)))
    head = "mean, 95 % interval" if most > 1 else "one replication"
    blocks(labels(chosen), columns, head)


def _print_losses(trace: Trace) -> None:
    """The largest losses to power, each with what led to it."""
    import numpy as np

    from twin.metrics import interruption_chain
    from twin.metrics.causes import groups, loss_gpu_h

    lost = loss_gpu_h(trace)
    by_power = np.flatnonzero(groups(trace) > 0)
    if not len(by_power):
        return
    worst = by_power[np.argsort(-lost[by_power], kind="stable")][:_LOSSES_SHOWN]
    say()
    say(f"largest losses to supply events ({len(worst)} of {len(by_power)})")
    for place in worst:
        start_h = trace.interruptions["start_us"][place] / 3.6e9
        chain = interruption_chain(trace, int(place))
        shown = chain if len(chain) <= 4 else [*chain[:2], "...", *chain[-2:]]
        say_wrapped(f"  {lost[place]:8,.0f} GPU-h at {start_h:,.1f} h: {'; '.join(shown)}", "  " + " " * 20)


def _print_tenants(trace: Trace) -> None:
    """Queued jobs by whose they are; nothing where the record does not say."""
    from twin.metrics import by_tenant

    found = by_tenant(trace)
    count = len(found["tenant"])
    if count < 2:
        return
    columns = ("jobs", "completed", "mean_wait_h", "mean_slowdown", "useful_gpu_h", "lost_gpu_h")
    table = new_table("tenant", "jobs", "completed", "wait [h]", "slowdown", "useful\n[GPU-h]", "lost\n[GPU-h]")
    for k in range(min(count, _TENANTS_SHOWN)):
        cells = [float(found[name][k]) for name in columns]
        table.add_row(found["tenant"][k], *(f"{cell:,.4g}" if math.isfinite(cell) else "" for cell in cells))
    say()
    say(f"queued jobs by tenant ({min(count, _TENANTS_SHOWN)} of {count})")
    say_table(table)
