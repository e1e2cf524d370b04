"""`twin campaign` and `twin merge`: many replications into one results file, and parts of them joined."""

from __future__ import annotations

import math
import re
import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from twin.cli.comparing import check_money_of
from twin.cli.show import (
    complain,
    say,
    say_json,
    say_wrapped,
    with_code,
    with_equal,
    with_equal_sizes,
    with_format,
)

if TYPE_CHECKING:
    from twin.campaign.loop import State
    from twin.campaign.result import CampaignResult
    from twin.compare import Comparison

_TIME = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_FILE = click.Path(exists=True, dir_okay=False)


def _share(text: str) -> float:
    """A share: `5%` or `0.05`."""
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise click.BadParameter(f"'{text}' is no share; write 5% or 0.05") from None


def _seconds(text: str) -> float:
    """A time: `90s`, `10m`, `2h`; seconds without a unit."""
    match = re.fullmatch(r"(\d+(?:\.\d*)?)\s*(s|min|m|h|d)?", text.strip())
    if match is None:
        raise click.BadParameter(f"'{text}' is no time; write 90s, 10m or 2h")
    return float(match[1]) * _TIME[match[2] or "s"]


@click.command()
@click.argument("scenario")
@click.option("-n", "--replications", type=click.IntRange(min=1), help="of each design, at most")
@click.option("--range", "part", metavar="A:B", help="replications A to B - 1 alone, a part for twin merge")
@click.option("--designs", help="names, separated by commas; all if absent")
@click.option("--until-ci", type=_share, metavar="SHARE", help="stop at this half-width of the 95 % intervals: 5%")
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME", help="what --until-ci or --rare is about; may be repeated"
)
@click.option("--until-time", type=_seconds, metavar="TIME", help="stop after 90s, 10m, 2h")
@click.option("--rare", is_flag=True, help="make the events of --metric frequent, and weigh them back")
@click.option("--sweep", metavar="NAME", help="one of the scenario's sweeps: every design at every point")
@click.option("--workers", type=click.IntRange(min=1), help="processes on this machine; its cores if absent")
@click.option("--scheduler", metavar="ADDRESS", help="a Dask cluster instead: tcp://127.0.0.1:8786")
@click.option("--tls-ca-file", type=_FILE, help="for tls:// schedulers: who signed their certificate")
@click.option("--tls-cert", type=_FILE, help="for tls:// schedulers: our certificate")
@click.option("--tls-key", type=_FILE, help="for tls:// schedulers: our key")
@click.option("-o", "output", required=True, type=click.Path(), help="results file (HDF5); FILE.journal while running")
@click.option("--resume", is_flag=True, help="go on with what is there")
@with_equal
@with_code
@with_format
def campaign(
    scenario: str,
    replications: int | None,
    part: str | None,
    designs: str | None,
    style: str,
    **options: Any,
) -> None:
    """Simulate many replications of all designs; survives kills.

    The results file is written at the end. Until then finished replications are safe in its journal: after Ctrl-C, a
    kill or a full disk the same command with --resume goes on, and ends with the same bytes.
    """
    from twin.campaign.plan import span_of

    if replications is None and part is None:
        raise click.UsageError("name -n/--replications, or --range for a part of them")
    span: Any = span_of(part) if part is not None else replications
    if part is not None and replications is not None and span[1] > replications:
        raise click.UsageError(f"--range {part} ends beyond the {replications} replications of -n")
    if options["scheduler"] and options["workers"]:
        raise click.UsageError("--workers are processes on this machine; a cluster has its own (--scheduler)")
    chosen = None if designs is None else [name.strip() for name in designs.split(",") if name.strip()]
    result = _run(scenario, span, chosen, options)
    if style == "json":
        say_json(campaign_json(result))
        return
    print_campaign(result)
    say(f"results {options['output']}")


def _run(scenario: str, span: Any, designs: list[str] | None, options: dict[str, Any]) -> CampaignResult:
    from twin.campaign.cluster import exposure
    from twin.campaign.run import run_campaign
    from twin.cli.campaign_progress import campaign_progress
    from twin.cli.guard import StoppedError
    from twin.cli.progress import note_cold_kernels
    from twin.experiment import check_designs
    from twin.scenario.load import load

    study = load(scenario, allow_code=options["allow_code"])
    chosen = list(study.designs) if designs is None else designs
    check_designs(study, chosen)
    if options["equal"] and options["sweep"]:
        raise click.UsageError("--equal with --sweep: sizes would be equal at the scenario's own values alone")
    study, chosen = with_equal_sizes(study, chosen, options["equal"], options["equal_to"])
    check_money_of(study, chosen, to_compare=False)
    tls = {name: options[f"tls_{name}"] for name in ("ca_file", "cert", "key") if options[f"tls_{name}"]}
    warning = exposure(options["scheduler"]) if options["scheduler"] else None
    if warning:
        complain(f"warning: {warning}")
    note_cold_kernels()
    state: State | None = None
    try:
        with campaign_progress(options["until_ci"]) as show:

            def note(now: State) -> None:
                nonlocal state
                state = now
                show(now)

            return run_campaign(
                study, replications=span, designs=chosen, until_ci=options["until_ci"],
                metrics=options["metrics"] or None, until_time_s=options["until_time"], sweep=options["sweep"],
                rare=options["rare"],
                path=options["output"], resume=options["resume"], workers=options["workers"],
                scheduler=options["scheduler"], tls=tls or None, progress=note,
            )  # fmt: skip
    except KeyboardInterrupt:
        done = f"{state.done} of {state.total} replications are kept" if state else "what was done is kept"
        raise StoppedError(f"{done}; go on with: {_again()}") from None


def _again() -> str:
    """The command that goes on."""
    words = sys.argv[1:]
    return shlex.join(["twin", *words, *([] if "--resume" in words else ["--resume"])])


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("-o", "output", required=True, type=click.Path(), help="results file (HDF5) of all of them")
def merge(files: tuple[str, ...], output: str) -> None:
    """Join parts of a campaign (--range) into one results file; journals of unfinished ones too."""
    import os

    from twin.campaign import export
    from twin.campaign.merge import merge as merged
    from twin.errors import InputError, Problem

    if os.path.exists(output):
        raise InputError(Problem("is there already", output, remedy="name another file"))
    content = merged(files)
    export.write(output, content)
    say(f"replications {content.first} to {content.first + len(content.values) - 1} of {len(files)} files")
    say(f"results {output}")


def campaign_json(result: CampaignResult, reference: str | None = None) -> dict[str, Any]:
    """A campaign for JSON: what it is, all estimates with quantiles and events, all paired differences."""
    from twin.campaign.rare.result import RareResult
    from twin.campaign.result import ends, quantiles
    from twin.cli.attribution import outcomes_json
    from twin.cli.figures import comparison_json

    if isinstance(result, RareResult):
        return _head(result) | result.as_data()
    comparison = result.comparison(reference)
    found = comparison_json(comparison)
    for one in found["estimates"]:
        one.update(quantiles(comparison.column(one["design"], one["metric"])))
        estimate = comparison.row(one["metric"]).estimates[one["design"]]
        one.update(ends(estimate), events=estimate.events)
    for one in found["differences"]:
        paired = comparison.row(one["metric"]).differences[one["design"]]
        one.update(ends(paired.estimate), events=paired.estimate.events, variance_ratio=paired.variance_ratio)
    return _head(result) | {"outcomes": outcomes_json(comparison)} | found


def _head(result: CampaignResult) -> dict[str, Any]:
    keep = ("scenario", "digest", "seed", "twin_version", "sweep")
    head = {key: result.identity.get(key) for key in keep}
    return head | {"first_replication": result.first, "stopped_by": result.stopped_by}


def _say_what_pairing_bought(comparison: Comparison) -> None:
    """How much wider the intervals of the differences would be with luck of their own for each design."""
    from twin.compare import HEADLINE

    ratios = {name: one.variance_ratio for name, one in comparison.row(HEADLINE).differences.items()}
    known = [f"{name} {ratio:.3g}" for name, ratio in ratios.items() if math.isfinite(ratio)]
    if known:
        say_wrapped(
            f"       The same luck for all designs divides the variance of the difference in lost GPU-hours to "
            f"{comparison.reference} by: {', '.join(known)}.",
            "       ",
        )


def print_campaign(result: CampaignResult) -> None:
    """The tables and the answer of a campaign."""
    from twin.campaign.rare.result import RareResult
    from twin.cli.attribution import say_outcomes
    from twin.cli.comparing import print_comparison
    from twin.cli.figures import shown_metrics
    from twin.cli.rare import print_rare

    identity = result.identity
    by = {"count": "", "interval": ", stopped by its interval", "time": ", stopped by the clock"}[result.stopped_by]
    last = result.first + result.replications - 1
    say_wrapped(f"{identity['scenario']}: replications {result.first} to {last}, seed {identity['seed']}{by}")
    if result.stopped_by == "time":
        say_wrapped("note   A repetition may end at another look: a clock is no property of the scenario.", "       ")
    if identity.get("sweep"):
        sweep = identity["sweep"]
        say_wrapped(
            f"sweep {sweep['name']}: {len(sweep['points'])} points of {', '.join(sweep['parameters'])} for"
            f" {len(sweep['designs'])} designs; CampaignResult.summary() has all figures"
        )
        return
    if isinstance(result, RareResult):
        print_rare(result)
        return
    comparison = result.comparison()
    print_comparison(comparison, shown_metrics([comparison.rows]))
    say_outcomes(comparison)
    _say_what_pairing_bought(comparison)
