"""`twin check`, `twin init` and `twin schema`: scenario files before anything is simulated."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twin.cli.show import new_table, say, say_json, say_table, say_wrapped, with_format

if TYPE_CHECKING:
    from twin.check.findings import Carrier, DesignCheck, PointCheck, SiteCheck, SwingCheck

_BLASTS_SHOWN = 6


@click.command()
@click.argument("scenario")
@with_format
def check(scenario: str, style: str) -> None:
    """Validate a scenario; can each design carry its load? Warnings do not fail."""
    from twin.check.carrying import check_study
    from twin.scenario.load import load

    study = load(scenario, require_files=False)
    found = check_study(study)
    warnings = [text for one in found for text in one.warnings] + _sweep_warnings(study) + _money_warnings(study)
    missing = [str(problem) for problem in study.missing]
    if style == "json":
        designs = [
            {**asdict(one), "differences": _differences(study, one.design), "warnings": list(one.warnings)}
            for one in found
        ]
        say_json({
            "scenario": study.name, "file": str(study.path), "digest": study.digest, "designs": designs,
            "warnings": warnings, "missing_files": missing, "resolved": study.base.model_dump(mode="json"),
        })  # fmt: skip
        return
    say(f"{study.name}: {study.path}")
    if study.base.question:
        say_wrapped(study.base.question)
    say(f"digest {study.digest[:16]}, {len(study.ranges)} parameters with a range, {len(study.files)} data files")
    for one in found:
        say()
        _print_design(study, one)
    _print_warnings(warnings, missing)


def _sweep_warnings(study: Any) -> list[str]:
    from twin.scenario.sweeps import unknown_parameters
    from twin.scenario.text import path_text

    known = [path_text(path) for ranges in study.design_ranges.values() for path in ranges]
    return [str(problem) for problem in unknown_parameters(study.base.sweeps, known, study.positions)]


def _money_warnings(study: Any) -> list[str]:
    """What a `finance:` block needs and some design lacks: a comparison would refuse it."""
    from twin.cli.comparing import check_money_of
    from twin.errors import InputError

    try:
        check_money_of(study, list(study.designs))
    except InputError as error:
        return [str(problem) for problem in error.problems]
    return []


def _differences(study: Any, design: str) -> list[dict[str, Any]]:
    return [
        {"key": key, "base": old, "design": new}
        for key, old, new in study.design_differences(design)
        if key != "design_note"
    ]


def _print_design(study: Any, one: DesignCheck) -> None:
    say_wrapped(f"{one.design}: {one.note}" if one.note else one.design, "  ")
    for change in _differences(study, one.design):
        key, old, new = change["key"], change["base"], change["design"]
        if isinstance(new, dict) and old is None:
            inside = ", ".join(f"{name} {value}" for name, value in _leaves("", new))
            say_wrapped(f"  {key}: {inside}", "      ")
        else:
            say_wrapped(f"  {key}: {_plain(new)} (base: {_plain(old)})", "      ")
    for site in one.sites:
        if len(one.sites) > 1:
            say(f"  site {site.site}")
        _print_site(site)


def _leaves(key: str, value: Any) -> list[tuple[str, str]]:
    """The set values below a key by their key path; what is left at nothing is not worth a word."""
    if not isinstance(value, dict) or "law" in value:
        return [(key, _plain(value))]
    below = [(k, v) for k, v in value.items() if k != "source" and v is not None]
    return [leaf for k, v in below for leaf in _leaves(f"{key}.{k}" if key else k, v)]


def _plain(value: Any) -> str:
    """A value of a scenario in a few words."""
    if isinstance(value, dict) and value.get("law") == "fixed":
        return f"{value['value']:g}"
    if isinstance(value, dict):
        inside = ", ".join(f"{k} {_plain(v)}" for k, v in value.items() if k not in ("law", "source") and v is not None)
        return f"{value.get('law', '')}({inside})"
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, value))}]"
    return "nothing" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _print_site(site: SiteCheck) -> None:
    from twin.check.warnings import span
    from twin.estimate import number

    table = new_table(
        "carried by / load points", "needs\n[kW]", "storage\n[kW]", "one less\n[kW]", "autonomy\n[h]", "capped\n[h]"
    )
    for one in site.carriers:
        dark = one.kind == "bare" or not any(one.carries(group) for group in one.groups)
        cells = [number(one.needs_kw, 0)]
        if one.kind == "bare":
            cells += ["none", "", "", ""]
        else:
            cells += [number(one.storage_kw, 0), number(one.one_less_kw, 0)]
            cells += ["none", ""] if dark else [_hours(one.autonomy_h), _hours(one.capped_h)]
        table.add_row(f"{span(one.names).replace('/cabinets', '')}\n  {_about(one)}", *cells)
    plant = site.gensets
    if plant is not None:
        table.add_row(
            f"gensets\n  {plant.sets} x {number(plant.rated_kw, 0)} kW",
            number(plant.needs_kw, 0), number(plant.all_kw, 0), number(plant.one_less_kw, 0), "", "",
        )  # fmt: skip
    say_table(table)
    limit = "" if site.import_limit_kw is None else f", import limit {number(site.import_limit_kw, 0)} kW"
    say_wrapped(f"  the site draws {number(site.import_kw, 0)} kW at full level in its hottest season{limit}", "  ")
    if site.swing is not None:
        say_wrapped(f"  {_swing(site.swing)}", "    ")
    for point in site.points:
        say_wrapped(f"  {_point(point)}", "    ")
    for flow in site.flows:
        if not flow.loaded_branch:
            continue  # it has no solution: a warning says so
        share = 100 * flow.loss_kw / (site.import_kw + flow.loss_kw)
        volts = f"lowest {flow.min_voltage_pu:.3f} p.u. at {flow.min_voltage_bus}"
        amperes = f"fullest {flow.loaded_branch} at {100 * flow.loading_fraction:.0f} %"
        lost = f"{number(flow.loss_kw, 0)} kW lost ({share:.1f} %)"
        say_wrapped(f"  network {flow.state}: {lost}, {volts}, {amperes}", "    ")
    _print_blasts(site)


def _print_blasts(site: SiteCheck) -> None:
    """What each item darkens when it alone fails; a few lines, the largest first."""
    from twin.estimate import number

    told = [one for one in site.blasts if one.kw > 0.0 or one.on_storage_kw > 0.0]
    for one in told[:_BLASTS_SHOWN]:
        rows = f" ({one.rows} row{'s' * (one.rows != 1)}{', core' * one.core})" if one.rows or one.core else ""
        dark = f"{number(one.kw, 0)} kW dark{rows}" if one.kw > 0.0 else "nobody dark"
        held = f", {number(one.on_storage_kw, 0)} kW on storage" if one.on_storage_kw > 0.0 else ""
        many = f"each of {len(one.items)}, the first {one.items[0]},"
        who = " or ".join(one.items) if len(one.items) < 4 else f"{one.kind.replace('_', ' ')} {many}"
        say_wrapped(f"  {who} alone: {dark}{held}, until {one.until}", "    ")
    if len(told) > _BLASTS_SHOWN:
        say(f"  {len(told) - _BLASTS_SHOWN} smaller ones: --format json")


def _swing(one: SwingCheck) -> str:
    """What a job on all servers of a site does within a minute."""
    from twin.check.warnings import kw

    text = f"one job on all servers dips by {kw(one.dip_kw)} and peaks {kw(one.peak_kw)} above its mean within a minute"
    text += f", at up to {kw(one.fall_kw_per_s)} a second down and {kw(one.rise_kw_per_s)} up"
    if one.low_kw is not None and one.high_kw is not None:
        text += f"; 98 % of the time its servers take {kw(one.low_kw)} to {kw(one.high_kw)}"
    return text if one.checkpoint_dip_kw is None else f"{text}; a blocking checkpoint drops {kw(one.checkpoint_dip_kw)}"


def _point(one: PointCheck) -> str:
    """A connection point in a sentence."""
    from twin.estimate import number

    text = f"connection point {one.name}: {one.berths} berth{'s' * (one.berths > 1)}, {number(one.limit_kw, 0)} kW"
    text += f", serves {number(one.needs_kw, 0)} kW at full level"
    if one.able_kw > 0.0:
        text += f"; trucks give {number(one.able_kw, 0)} kW"
        text += " without end" if one.hours is None else f" for {one.hours:.1f} h"
    return text + (f"; {one.home} at home here" if one.home else "")


def _about(one: Carrier) -> str:
    from twin.check.warnings import span

    if one.kind == "bare":
        return "bare, then gensets" if one.by_genset else "bare"
    if one.kind == "ups":
        return span(one.loads).replace("continuous_cooling", "pumps")
    each = " each" if len(one.names) > 1 else ""
    kind = {"in_line": ", in line", "parallel": "", "following": ", grid-following"}[one.kind]
    text = f"{one.units} cabinet{'s' * (one.units > 1)}{each}{kind}"
    return text if one.in_time is None else f"{text}\n  in time {100 * one.in_time:.3g} %"


def _hours(hours: float | None) -> str:
    return "" if hours is None else f"{hours:.2f}"


def _print_warnings(warnings: list[str], missing: list[str]) -> None:
    say()
    if missing:
        say(f"{len(missing)} data file{'s are' if len(missing) > 1 else ' is'} missing (needed by run and compare):")
        for text in missing:
            say_wrapped(f"  {text}", "    ")
    if not warnings:
        say("no warnings")
        return
    say(f"{len(warnings)} warning{'s' if len(warnings) > 1 else ''}:")
    for text in warnings:
        say_wrapped(f"  {text}", "    ")


@click.command()
@click.argument("name", required=False)
@click.option("-o", "output", type=click.Path(), help="file to write; NAME.yaml here if absent")
def init(name: str | None, output: str | None) -> None:
    """Copy a shipped scenario to start from; without NAME, list them."""
    from twin.scenario.shipped import shipped

    known = shipped()
    if name is None:
        for own, path in known.items():
            first = path.read_text(encoding="utf-8").partition("\n")[0]
            say_wrapped(f"{own:<20} {first.removeprefix('# Question').strip()}", " " * 21)
        say()
        say("twin init NAME copies one of them to this folder")
        return
    copies = _copies(name, known, output)
    _refuse_existing(copies)
    from twin.files import write_whole

    for target, data in copies.items():
        if not os.path.lexists(target):
            write_whole(target, data)
        say(f"wrote {target}")
    say(f"next  twin check {next(iter(copies))}")


def _copies(name: str, known: dict[str, Path], output: str | None) -> dict[Path, bytes]:
    """What to write where: the scenario first, then the files that it extends, which keep their names."""
    from twin.errors import InputError, Problem
    from twin.scenario.merge import suggest
    from twin.scenario.text import read

    own = name.removesuffix(".yaml")
    if own not in known:
        raise InputError(Problem(f"no shipped scenario '{name}'", remedy=suggest(own, known)))
    source = known[own]
    target = Path(output or f"{own}.yaml")
    copies = {target: source.read_bytes()}
    link = read(source).entries.get("extends")
    while link is not None and isinstance(link.value, str):
        source = source.parent / link.value
        beside = target.with_name(source.name)
        if beside in copies:
            raise InputError(
                Problem("is the name of a file that the scenario extends", str(target), remedy="use another")
            )
        copies[beside] = source.read_bytes()
        link = read(source).entries.get("extends")
    return copies


def _refuse_existing(copies: dict[Path, bytes]) -> None:
    """Nothing is overwritten; a file that extended ones already match may stay."""
    from twin.errors import InputError, Problem

    problems = []
    for place, (target, data) in enumerate(copies.items()):
        same = place > 0 and os.path.isfile(target) and target.read_bytes() == data
        if os.path.lexists(target) and not same:
            problems.append(Problem("is there already", str(target), remedy="name another file with -o"))
    if problems:
        raise InputError(problems)


@click.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from twin.scenario.model import Scenario
    from twin.scenario.schema import json_schema

    say_json(json_schema(Scenario))
