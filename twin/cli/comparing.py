"""`twin demo` and `twin compare`: designs on the same years, differences with intervals, the answer in words."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import click

from twin.cli.money import money_json, print_money
from twin.cli.money_studies import print_tornados
from twin.cli.reporting import OutagesMet, content_of_study, refuse_other_than_pages, write_page
from twin.cli.show import (
    blocks,
    is_unicode,
    replaying,
    say,
    say_json,
    say_wrapped,
    with_code,
    with_equal,
    with_equal_sizes,
    with_format,
    with_outages,
)

if TYPE_CHECKING:
    from twin.compare import Comparison
    from twin.finance.appraisal import Money
    from twin.scenario.model import Scenario
    from twin.scenario.study import Study

_DEMO = "01_flagship_weak"
_DEMO_DESIGNS = ("utility_only", "central_ups", "cabinets")
_POSITIVE = click.IntRange(1, 100_000)  # more are work for twin campaign, which survives a kill


@click.command()
@click.option(
    "-n", "replications", type=_POSITIVE, default=20, show_default=True, help="simulated years of each design"
)
@click.option("--html", default="report.html", show_default=True, type=click.Path(), help="page to write; '' for none")
@with_format
def demo(replications: int, html: str, style: str) -> None:
    """Compare three supply designs of one campus; needs no file."""
    from twin.scenario.load import load

    if html and style == "table":
        refuse_other_than_pages(html)
    study = load(_DEMO)
    if style == "table":
        say_wrapped(
            "twin demo: one campus of 10,240 GPUs on a weak grid, three supply designs, the same weather and luck",
            indent="  ",
        )
    met = OutagesMet(_DEMO_DESIGNS, replications) if html and style == "table" else None
    comparison = _compared(study, _DEMO_DESIGNS, replications, None, met)
    if style == "json":
        say_json(_as_json(study, comparison))
        return
    from twin.cli.figures import IN_DEMO

    print_comparison(comparison, IN_DEMO)
    say()
    if html:
        write_page(content_of_study(study, comparison, met=met), html)
    say("next   twin check 01_flagship              can each design carry its load?")
    say("       twin compare 01_flagship -n 100     seven designs on a strong grid")
    say("       twin init 01_flagship -o mine.yaml  a file to make your own campus of")


@click.command()
@click.argument("scenario")
@click.option("-n", "replications", type=_POSITIVE, default=20, show_default=True, help="replications of each design")
@click.option("--designs", help="names, separated by commas; all if absent")
@click.option("--reference", help="design that differences are taken to; the first if absent")
@click.option("--html", type=click.Path(), help="also write one offline page with the answer and a replayed year")
@with_equal
@with_outages
@with_code
@with_format
def compare(
    scenario: str,
    replications: int,
    designs: str | None,
    reference: str | None,
    html: str | None,
    outages: str | None,
    style: str,
    allow_code: bool,
    equal: tuple[str, ...],
    equal_to: str | None,
) -> None:
    """Simulate all designs on the same luck; differences with intervals."""
    from twin.experiment import check_designs
    from twin.scenario.load import load

    study = load(scenario, allow_code=allow_code)
    chosen = list(study.designs) if designs is None else [name.strip() for name in designs.split(",") if name.strip()]
    check_designs(study, chosen)
    if reference is not None:
        check_designs(study, [reference])
        if reference not in chosen:
            raise click.UsageError(f"--reference {reference} is not among the designs {', '.join(chosen)}")
    if html:
        refuse_other_than_pages(html)
    study, chosen = with_equal_sizes(replaying(study, outages), chosen, equal, equal_to)
    check_money_of(study, chosen)
    met = OutagesMet(chosen, replications) if html else None
    comparison = _compared(study, chosen, replications, reference, met)
    money = _money_of(study, comparison)
    if style == "json":
        if html:
            write_page(content_of_study(study, comparison, met=met), html, tell=False)
        say_json(_as_json(study, comparison) | (money_json(money) if money else {}))
        return
    from twin.cli.figures import shown_metrics

    if study.base.question:
        say_wrapped(study.base.question)
    print_comparison(comparison, shown_metrics([comparison.rows]))
    if money is not None:
        print_money(money)
        print_tornados(money, {path: (low, high) for path, (low, high) in study.bounds(chosen).items()})
    if html:
        say()
        write_page(content_of_study(study, comparison, met=met), html)


def check_money_of(study: Study[Scenario], designs: list[str], *, to_compare: bool = True) -> None:
    """Refuse what a `finance:` block needs and some design lacks, before years are simulated for it."""
    if study.base.finance is None:
        return
    import json

    from twin.finance.readiness import check_money

    scenarios = {name: json.loads(study.resolved_json(name)) for name in designs}
    check_money(scenarios, str(study.path), to_compare=to_compare)


def _money_of(study: Study[Scenario], comparison: Comparison) -> Money | None:
    """The accounts of the designs, where the scenario has a `finance:` block."""
    if study.base.finance is None:
        return None
    import json

    from twin.finance.appraisal import money

    scenarios = {name: json.loads(study.resolved_json(name)) for name in comparison.designs}
    return money(comparison.values, comparison.names, scenarios)


def _compared(
    study: Study[Scenario], designs: Any, replications: int, reference: str | None, met: OutagesMet | None
) -> Comparison:
    from twin.cli.guard import StoppedError
    from twin.cli.progress import note_cold_kernels, progress
    from twin.compare import compare_designs
    from twin.experiment import run_designs, years_each

    note_cold_kernels()
    complete = 0
    try:
        with progress("simulating") as show:

            def count(done: int, total: int, values: Any) -> None:
                nonlocal complete
                complete = done // len(designs)
                show(done, total, values)

            names, values = run_designs(study, designs, replications, count, None if met is None else met.look)
    except KeyboardInterrupt:
        again = (
            f"run it again, with -n {complete} for as many as were done" if complete else "run it again to start over"
        )
        raise StoppedError(f"{complete} of {replications} replications done, nothing was written; {again}") from None
    return compare_designs(values, names, reference, years_each(study, designs[0]))


def _as_json(study: Study[Scenario], comparison: Comparison) -> dict[str, Any]:
    from twin.answer import answer
    from twin.cli.figures import comparison_json
    from twin.version import VERSION

    head = {
        "twin_version": VERSION,
        "scenario": study.name,
        "question": study.base.question,
        "digest": study.digest,
        "seed": study.base.seed,
        "answer": answer(comparison),
    }
    return head | comparison_json(comparison)


def print_comparison(comparison: Comparison, metrics: Any) -> None:
    """Estimates, differences, the answer in words, and what it does not say."""
    from twin.answer import answer
    from twin.cli.figures import difference_cells, estimate_cells, labels

    rows = {row.metric: row for row in comparison.rows}
    years = comparison.n * comparison.years_each
    n, each = comparison.n, comparison.years_each
    span = f"{n} year{'s' * (n > 1)}" if each == 1 else f"{n} replication{'s' * (n > 1)} of {each:.3g} years"
    say()
    columns = [(name, estimate_cells(metrics, rows, name, years)) for name in comparison.designs]
    blocks(labels(metrics), columns, f"{span} each")
    others = [name for name in comparison.designs if name != comparison.reference]
    if others:
        sign = "\u2212" if is_unicode(sys.stdout) else "-"
        say()
        differences = [
            (f"{name}\n{sign} {comparison.reference}", difference_cells(metrics, rows, name)) for name in others
        ]
        blocks(labels(metrics), differences, "difference")
    say()
    for sentence in _sentences(answer(comparison)):
        say_wrapped(sentence)
    say()
    _notes(n, years)


def _sentences(text: str) -> list[str]:
    """The answer as two paragraphs: who loses less, and power beside hardware."""
    head, mark, rest = text.partition("GPU-hours lost a year to power and to hardware:")
    return [part for part in (head.strip(), (mark + rest).strip()) if part]


def _notes(n: int, years: float) -> None:
    if n > 1:
        say_wrapped(
            "note   Below each estimate its 95 % interval: Student's t for means, exact Poisson for few events. It "
            "says how far these simulated years may be off, not how well the inputs are known.",
            indent="       ",
        )
    rare = years / -math.log(0.05)
    bound = "less than once a year" if rare < 1.5 else f"less than once in {rare:.2g} years"
    say_wrapped(
        f"       {years:.3g} simulated years cannot rank rare events: what happens {bound} may not have been seen at "
        "all. More years (-n) narrow every interval.",
        indent="       ",
    )
