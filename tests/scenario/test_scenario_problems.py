"""Validation errors in plain words: one problem for each real mistake, with line, key path and remedy."""

from collections.abc import Callable

import pytest
from small_model import Ups

from twin.errors import Problem
from twin.scenario.words import meant

Problems = Callable[..., list[Problem]]


def site(entries: str) -> str:
    return f"sites:\n  campus:\n    feeders: {{}}\n    {entries}\n"


def feeder(entries: str) -> str:
    return f"sites:\n  campus:\n    feeders:\n      A: {{rated_kw: 1, {entries}}}\n"


@pytest.mark.parametrize(
    ("entries", "key", "message", "remedy"),
    [
        ("protecton: {}", "protecton", "unknown key", "did you mean protection?"),
        ("xyz: 1", "xyz", "unknown key", "known keys here: export_allowed, feeders, protection, rows, steps"),
        ("rows: 3", "rows", "must be a list, is 3", None),
        ("steps: [1, x]", "steps[1]", "must be a number, is the text 'x'", None),
        ("protection: []", "protection", "must be a block of keys, is a list", None),
        (
            "export_allowed: yes",
            "export_allowed",
            "must be true or false, is the text 'yes'",
            "write true or false without quotation marks",
        ),
        ("protection: {cabinets: 2.0}", "protection.cabinets", "must be a whole number, is 2.0", "write 2"),
        ("protection: {cabinets: 2.5}", "protection.cabinets", "must be a whole number, is 2.5", None),
        ("protection: {cabinets: true}", "protection.cabinets", "must be a whole number, is true", None),
        ("protection: {ups: {modules: 3}}", "protection.ups.rated_kw", "missing key", "add rated_kw"),
        ("rows: [{rated_kw: 1}, {rated_kw: 0}]", "rows[1].rated_kw", "must be greater than 0, is 0", None),
        (
            "rows: [{rated_kw: '5'}]",
            "rows[0].rated_kw",
            "must be a number, is the text '5'",
            "leave the quotation marks out",
        ),
        ("source: 3", "source", "must be text, is 3", "put it in quotation marks"),
    ],
)
def test_a_mistake_in_a_block_is_one_problem(
    problems: Problems, entries: str, key: str, message: str, remedy: str
) -> None:
    (problem,) = problems(site(entries))
    assert (problem.line, problem.key, problem.message) == (4, f"sites.campus.{key}", message)
    assert problem.remedy == remedy


@pytest.mark.parametrize(
    ("entries", "key", "message", "remedy"),
    [
        ("per_year: -3", "per_year", "must be at least 0, is -3", None),
        (
            "per_year: 12 kW",
            "per_year",
            "must be a number, is the text '12 kW'",
            "write the number alone; the unit is in the key's name",
        ),
        ("per_year: 1, duration_s: -4", "duration_s", "must be greater than 0, is -4", None),
        (
            "per_year: 1, duration_s: text",
            "duration_s",
            "must be a number or a block of keys, is the text 'text'",
            None,
        ),
        (
            "per_year: 1, duration_s: {law: lognorml, median: 1, sigma: 1}",
            "duration_s.law",
            "unknown law 'lognorml'",
            "did you mean lognormal?",
        ),
        (
            "per_year: 1, duration_s: {median: 1}",
            "duration_s.law",
            "missing key",
            "add law: one of exponential, lognormal, empirical",
        ),
        (
            "per_year: 1, duration_s: {law: exponential, mean: 0}",
            "duration_s.mean",
            "must be greater than 0, is 0",
            None,
        ),
        (
            "per_year: 1, duration_s: {law: exponential, meen: 3}",
            "duration_s.meen",
            "unknown key",
            "did you mean mean?",
        ),
    ],
)
def test_a_union_makes_no_noise(problems: Problems, entries: str, key: str, message: str, remedy: str) -> None:
    (problem,) = problems(feeder(f"momentary: {{{entries}}}"))
    assert (problem.line, problem.key) == (4, f"sites.campus.feeders.A.momentary.{key}")
    assert (problem.message, problem.remedy) == (message, remedy)


def test_an_unknown_kind_and_an_unknown_choice_are_suggested(problems: Problems) -> None:
    first, second = problems("currency: USDD\nsites: {}\njobs:\n  t: {kind: gangs, gpus: 3}\n")
    assert (first.line, first.key, first.remedy) == (1, "currency", "did you mean USD?")
    assert first.message == "must be 'CNY', 'USD' or 'EUR', is the text 'USDD'"
    assert (second.line, second.key, second.message, second.remedy) == (
        4,
        "jobs.t.kind",
        "unknown kind 'gangs'",
        "did you mean gang?",
    )


def test_a_missing_key_says_what_it_is_and_stands_at_its_block(problems: Problems) -> None:
    (problem,) = problems("sites:\n  campus:\n    feeders:\n      A: {}\n")
    assert (problem.line, problem.key) == (4, "sites.campus.feeders.A.rated_kw")
    assert problem.remedy == "add rated_kw: what the feeder carries"


def test_a_missing_key_that_a_design_removed_stands_at_the_removal(problems: Problems) -> None:
    (problem,) = problems(feeder("") + "designs:\n  d:\n    sites.campus.feeders.A.rated_kw: null\n")
    assert (problem.line, problem.key) == (7, "designs.d: sites.campus.feeders.A.rated_kw")


def test_a_key_with_another_unit_is_one_problem_and_names_the_right_key(problems: Problems) -> None:
    (problem,) = problems("sites:\n  campus:\n    feeders:\n      A: {rated_mw: 3}\n")
    assert (problem.message, problem.key) == ("unknown key", "sites.campus.feeders.A.rated_mw")
    assert problem.remedy == "did you mean rated_kw? (units are in the name)"


@pytest.mark.parametrize(
    ("key", "known", "wanted"),
    [
        ("rated_mwh", ["rated_kw", "rated_kwh"], "rated_kwh"),
        ("rated_w", ["rated_kw", "rated_kwh"], "rated_kw"),
        ("loss_percent", ["loss_fraction", "loss_kw"], "loss_fraction"),
        ("duration_hours", ["duration_s", "notice_h"], "duration_s"),
        ("hold_up_seconds", ["hold_up_ms", "hold_up_kw"], "hold_up_ms"),
        ("hold_up", ["hold_up_ms"], "hold_up_ms"),
        ("capex_cny", ["capex", "opex_per_year"], "capex"),
        ("price_per_mwh", ["price_per_kwh", "price_per_kw_month"], "price_per_kwh"),
    ],
)
def test_the_stem_of_a_key_finds_the_right_unit(key: str, known: list[str], wanted: str) -> None:
    assert meant(key, known) == f"did you mean {wanted}? (units are in the name)"


def test_a_model_without_close_fields_lists_them() -> None:
    assert meant("zzz", Ups.model_fields) == "known keys here: auxiliary_kw, modules, rated_kw"


def test_an_error_of_the_base_is_not_repeated_by_designs_and_all_come_in_order(problems: Problems) -> None:
    text = (
        site("steps: x")
        + "designs:\n  a: {sites.campus.rows: 1}\n  b: {like: a}\n  c: {sites.campus.steps: y}\nstart: 3\n"
    )
    assert [(problem.line, problem.key) for problem in problems(text)] == [
        (4, "sites.campus.steps"),
        (6, "designs.a: sites.campus.rows"),
        (8, "designs.c: sites.campus.steps"),
        (9, "start"),
    ]


def test_keys_that_the_loader_does_not_know_are_unknown_keys(problems: Problems) -> None:
    (problem,) = problems("sites: {}\nsweeps: {}\n")
    assert (problem.line, problem.key, problem.message) == (2, "sweeps", "unknown key")
