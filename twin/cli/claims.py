"""`twin claims`: what vendors claim, what the twin finds, and which assumptions reproduce it, if any."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import click

from twin.cli.show import say, say_json, say_wrapped, with_format

if TYPE_CHECKING:
    from twin.claims import Finding, Verdict
    from twin.estimate import Estimate
    from twin.scenario.model import Scenario
    from twin.scenario.study import Study

_WORDS = {True: "met", False: "not met", None: "not resolved"}


@click.command()
@click.argument("scenarios", nargs=-1)
@click.option("--workers", type=click.IntRange(min=1), help="processes on this machine; its cores if absent")
@with_format
def claims(scenarios: tuple[str, ...], workers: int | None, style: str) -> None:
    """Print vendors' claims beside what the twin finds; all shipped ones (claims/...) without SCENARIOS."""
    from twin.errors import InputError, Problem
    from twin.scenario.load import load
    from twin.scenario.shipped import shipped

    names = scenarios or tuple(name for name in shipped() if name.startswith("claims/"))
    studies = [load(name) for name in names]
    for study in studies:
        if study.base.claims is None:
            raise InputError(Problem("has no claims: block", str(study.path), remedy="see claims/truck_1mwh"))
    found = []
    for study in studies:
        verdicts = _judged(study, workers)
        if style == "json":
            found.append(_as_json(study, verdicts))
        else:
            _print(study, verdicts)
    if style == "json":
        say_json({"claims": found})


def _judged(study: Study[Scenario], workers: int | None) -> list[Verdict]:
    from twin.campaign.run import run_campaign
    from twin.claims import Runs, judge
    from twin.cli.campaign_progress import campaign_progress
    from twin.cli.progress import note_cold_kernels

    claims = study.base.claims
    assert claims is not None
    pairs = [(one.design, one.against, one.prior) for one in claims.sets.values()]
    wanted = [name for name in study.designs if any(name in one for one in pairs)]
    note_cold_kernels()
    with campaign_progress(None) as show:
        result = run_campaign(
            study,
            replications=claims.replications,
            designs=_known(study, pairs, wanted),
            workers=workers,
            progress=show,
        )
    values = {name: result.values[:, place] for place, name in enumerate(result.designs)}
    texts = {name: json.loads(study.resolved_json(name)) for name in result.designs}
    return judge(json.loads(study.resolved_json())["claims"], Runs(values, result.metrics, texts))


def _known(study: Study[Scenario], pairs: Any, wanted: list[str]) -> list[str]:
    """The designs to simulate; an unknown one is named."""
    from twin.experiment import check_designs

    check_designs(study, list(dict.fromkeys(name for one in pairs for name in one if name is not None)))
    return wanted


def _print(study: Study[Scenario], verdicts: list[Verdict]) -> None:
    claims = study.base.claims
    assert claims is not None
    years = claims.replications * study.base.horizon.hours / 8760.0
    say()
    say_wrapped(f"{study.name}: {years:g} simulated years of each design, {study.base.currency}")
    pairs = {(one.design, one.against) for one in claims.sets.values() if one.design != one.against}
    judged = [f"{design} against {against}" for design, against in sorted(pairs)]
    say_wrapped(f"compared as built, on the same luck: {', '.join(judged)}", "         ")
    for verdict in verdicts:
        say()
        say_wrapped(f"claim    {verdict.says}", "         ")
        say_wrapped(f"judged   {verdict.judged}", "         ")
        say_wrapped(f"verdict  {_in_words(verdict)}", "         ")
        for one in verdict.findings:
            outcome = _WORDS[one.met] if one.starts else "other start"
            say_wrapped(f"  {outcome:13}{one.name:21}{_found(one)}", " " * 36)
    for left in claims.not_judged:
        say()
        say_wrapped(f"claim    {left.says}", "         ")
        say_wrapped(f"verdict  NOT JUDGED: {left.reason}", "         ")


def _in_words(verdict: Verdict) -> str:
    side, bound = verdict.bound
    text = verdict.outcome.upper()
    if verdict.outcome == "reproduced only if":
        return f"{text}: {'; or: '.join(one.assumes for one in verdict.findings if one.met)}"
    if not any(one.starts for one in verdict.findings):
        return f"{text}: no set starts where the claim does"
    if verdict.outcome != "reproduced":
        nearest = verdict.nearest
        text += f" in any set: {side.replace('_', ' ')} {bound:g} is claimed, nearest is {_value(nearest.estimate)}"
        unsure = [one.name for one in verdict.findings if one.met is None]
        return f"{text} ({nearest.assumes})" + (f"; more years must say for {', '.join(unsure)}" if unsure else "")
    return text


def _found(one: Finding) -> str:
    text = _value(one.estimate)
    if one.before is not None:
        text = f"{_value(one.before)} before, {text} after"
    return text


def _value(estimate: Estimate) -> str:
    """Value and interval; zero in all replications has only an upper bound of how often it is not."""
    from twin.estimate import number, round_to_error

    if not estimate.n:
        return "never"
    if estimate.n > 1 and not estimate.events and estimate.mean == 0.0:
        return f"0 in all {estimate.n} years seen"
    if not estimate.events or not math.isfinite(estimate.low):
        return number(estimate.mean, 3 if abs(estimate.mean) < 100 else 0)
    rounded = round_to_error(estimate)
    return f"{rounded.value} ({rounded.interval})"


def _as_json(study: Study[Scenario], verdicts: list[Verdict]) -> dict[str, Any]:
    def estimate(one: Estimate | None) -> dict[str, Any] | None:
        return None if one is None else {"estimate": one.mean, "low": one.low, "high": one.high, "n": one.n}

    assert study.base.claims is not None
    return {
        "scenario": study.name,
        "digest": study.digest,
        "statements": [
            {
                "name": one.name,
                "says": one.says,
                "judged": one.judged,
                one.bound[0]: one.bound[1],
                "verdict": one.outcome,
                "sets": [
                    {
                        "name": found.name,
                        "assumes": found.assumes,
                        "met": found.met,
                        "starts_as_claimed": found.starts,
                        "found": estimate(found.estimate),
                        "before": estimate(found.before),
                    }
                    for found in one.findings
                ],
            }
            for one in verdicts
        ],
        "not_judged": [{"says": one.says, "reason": one.reason} for one in study.base.claims.not_judged],
    }
