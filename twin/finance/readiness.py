"""Whether designs have all that their money needs, asked before anything is simulated for it."""

from __future__ import annotations

from collections.abc import Mapping

from twin.errors import InputError, Problem
from twin.finance.equipment import equipment
from twin.finance.options import check_same_trucks
from twin.finance.terms import Data


def check_money(scenarios: Mapping[str, Data], file: str | None = None, *, to_compare: bool = True) -> None:
    """Raise `InputError`, naming everything at once, where a table of money would fail after the simulation.

    Args:
        scenarios: by design the resolved scenario; nothing is asked of those without a `finance:` block.
        file: named in messages.
        to_compare: whether a counterfactual must be among the designs.
    """
    finance = next(iter(scenarios.values())).get("finance")
    if not finance:
        return
    problems: dict[str, Problem] = {}
    if to_compare and not set(finance["counterfactuals"]) & set(scenarios):
        text = f"none of the counterfactuals {', '.join(finance['counterfactuals'])} is among the designs"
        remedy = f"there are {', '.join(scenarios)}"
        problems["counterfactuals"] = Problem(text, file, None, "finance.counterfactuals", remedy)
    for scenario in scenarios.values():
        if "capital" in scenario["finance"]["off"]:
            continue
        try:
            equipment(scenario, file)
        except InputError as error:
            problems |= {str(problem): problem for problem in error.problems}
    uses = finance.get("truck_uses")
    if uses and "option" not in finance["off"] and set(uses["designs"]) <= set(scenarios):
        try:
            check_same_trucks(uses["designs"], scenarios)
        except InputError as error:
            problems |= {str(problem): problem for problem in error.problems}
    if problems:
        raise InputError(list(problems.values()))
