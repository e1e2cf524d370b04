"""What money hangs on: tornado and flip values of a campaign; of a sweep the frontier, the map and Sobol indices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.cli.show import new_table, say, say_table, say_wrapped

if TYPE_CHECKING:
    from twin.campaign.result import CampaignResult
    from twin.finance.appraisal import Money
    from twin.finance.sensitivity import Bar, Sobol
    from twin.finance.sweeps import CheapestMap, Choice, Crossing

_MILLION = 1e-6
_BARS_SHOWN = 8
_FRONTIERS_MOST = 6
"""Circumstances beyond which no frontier is printed for each."""
_WIDE = 0.5
"""Bounds of a Sobol index further apart say nothing of it."""

Ranges = dict[str, tuple[float, float]]


def tornados(money: Money, ranges: Ranges) -> dict[tuple[str, str], list[Bar]]:
    """By counterfactual and design, its tornado; empty where nothing of money has a range."""
    from twin.finance.sensitivity import tornado

    pairs = [(against, name) for against in money.counterfactuals for name in money.designs if name != against]
    found = {pair: tornado(money, pair[1], pair[0], ranges) for pair in pairs}
    return {pair: bars for pair, bars in found.items() if bars}


def print_tornados(money: Money, ranges: Ranges) -> None:
    """The widest bars of every design against each counterfactual, and where a range holds a flip value."""
    found = tornados(money, ranges)
    for (against, design), bars in found.items():
        say()
        title = f"{design} against {against}, {money.compared_as(design, against)}"
        table = new_table(title, "low", "high", "NPV at low", "at high", "flips at")
        for bar in bars[:_BARS_SHOWN]:
            flips = "-" if bar.flips_at is None else f"{bar.flips_at:.4g}"
            ends = [f"{_MILLION * value:,.2f}" for value in (bar.npv_low, bar.npv_high)]
            table.add_row(_short(bar.parameter), f"{bar.low:g}", f"{bar.high:g}", *ends, flips)
        say_table(table)
    if found:
        say_wrapped(
            "       Mean NPV in millions with one input at a bound and the others at their values; where an input "
            "flips, the NPV is zero. What changes the simulation has its flip value in a sweep.",
            "       ",
        )


def _short(parameter: str) -> str:
    """The end of a key path that still says what it is."""
    parts = parameter.split(".")
    return ".".join(parts[-3:] if "capital" in parts else parts[-2:])


def sweep_studies(result: CampaignResult) -> dict[str, Any]:
    """Frontiers, map and flips (of a sweep of one parameter), Sobol indices (of method saltelli)."""
    from twin.finance.sensitivity import sobol
    from twin.finance.sweeps import cheapest_map, crossing, frontiers, is_circumstance

    sweep = result.identity["sweep"]
    moneys = [result.money(point) for point in range(len(sweep["points"]))]
    against = moneys[0].counterfactuals[0]
    given = [place for place, name in enumerate(sweep["parameters"]) if is_circumstance(name)]
    circumstances = [tuple(point[place] for place in given) for point in sweep["points"]]
    found: dict[str, Any] = {"against": against, "frontiers": frontiers(moneys, against, circumstances)}
    pairs = [(name, other) for other in moneys[0].counterfactuals for name in moneys[0].designs if name != other]
    if len(sweep["parameters"]) == 1:
        rows = [(point[0], money) for point, money in zip(sweep["points"], moneys, strict=True)]
        found["map"] = cheapest_map(rows, against)
        found["crossings"] = [crossing(rows, name, other) for name, other in pairs]
    if sweep["method"] == "saltelli":
        found["sobol"] = {pair: sobol(_npvs(moneys, *pair), sweep["parameters"]) for pair in pairs}
    return found


def _npvs(moneys: list[Money], design: str, against: str) -> Any:
    import numpy as np

    return np.array([money.npv(design, against).mean() for money in moneys])


def print_sweep_money(result: CampaignResult) -> None:
    """The studies of a sweep as tables."""
    sweep, found = result.identity["sweep"], sweep_studies(result)
    say_wrapped(
        f"sweep {sweep['name']}: {len(sweep['points'])} points of {', '.join(sweep['parameters'])}, "
        f"{result.replications} replications"
    )
    if len(found["frontiers"]) <= _FRONTIERS_MOST:
        for choices in found["frontiers"]:
            _print_frontier(choices, sweep, found["against"])
        say_wrapped(
            "       Present values, GPU-hours discounted like money, both beyond the counterfactual at the same point; "
            "another counterfactual moves all choices alike. None is cheaper and loses fewer GPU-hours than these.",
            "       ",
        )
    if "map" in found:
        _print_map(found["map"], sweep["parameters"][0], found["against"])
        for one in found["crossings"]:
            _print_crossing(one, sweep["parameters"][0])
    for (design, against), indices in found.get("sobol", {}).items():
        _print_sobol(f"NPV of {design} against {against}, as built", indices)


def _print_frontier(choices: list[Choice], sweep: dict[str, Any], against: str) -> None:
    from twin.finance.sweeps import is_circumstance

    say()
    efficient = [one for one in choices if one.is_efficient]
    say_wrapped(f"{len(efficient)} efficient of {len(choices)} choices, cost and GPU-hours against {against}")
    table = new_table("design", "cost, million", "1000 GPU-h saved", *map(_short, sweep["parameters"]), "compared")
    for one in efficient:
        shown = [
            "-" if one.design == against and not is_circumstance(name) else f"{value:.4g}"
            for name, value in zip(sweep["parameters"], sweep["points"][one.point], strict=True)
        ]
        compared = "-" if one.design == against else one.compared_as
        table.add_row(one.design, f"{_MILLION * one.cost:,.3f}", f"{one.gpu_hours / 1000:,.2f}", *shown, compared)
    say_table(table)


def _print_map(found: CheapestMap, parameter: str, against: str) -> None:
    """For each value the designs by the price of a GPU-hour from which they are the cheapest."""
    say()
    say_wrapped(f"break-even map: the cheapest design by the price of a GPU-hour, at each {_short(parameter)}")
    for value, row in zip(found.values, found.steps, strict=True):
        steps = [name if k == 0 else f"{name} from {begins:,.4g}" for k, (name, begins) in enumerate(row)]
        say_wrapped(f"  {value:10.4g}  {', '.join(steps)}", " " * 14)
    say_wrapped(
        f"       All as built, costs beyond {against}'s at the same value: the cheapest is the same against any "
        "counterfactual. Means alone, without their intervals.",
        "       ",
    )


def _print_crossing(one: Crossing, parameter: str) -> None:
    say()
    kinds = sorted(set(one.compared_as))
    title = f"{one.design} against {one.counterfactual}, {' or '.join(kinds)}"
    table = new_table(title, "NPV, million", "95 %", "" if len(kinds) == 1 else "compared")
    for value, estimate, compared in zip(one.values, one.npv, one.compared_as, strict=True):
        ends = f"{_MILLION * estimate.low:,.3f} to {_MILLION * estimate.high:,.3f}" if estimate.n > 1 else ""
        shown = "" if len(kinds) == 1 else compared
        table.add_row(f"{_short(parameter)} {value:.4g}", f"{_MILLION * estimate.mean:,.3f}", ends, shown)
    say_table(table)
    flips = ", ".join(f"{value:.4g}" for value in one.flips_at)
    say_wrapped(
        f"       flips at {flips} (straight between the points)" if flips else "       no change of sign", "       "
    )


def _print_sobol(title: str, found: Sobol) -> None:
    say()
    say_wrapped(f"shares of the variance of the {title}")
    table = new_table("Sobol indices", "first order", "95 %", "total", "95 %")
    for k, parameter in enumerate(found.parameters):
        first, total = found.first_bounds[k], found.total_bounds[k]
        table.add_row(
            _short(parameter), f"{found.first[k]:.2f}", f"{first[0]:.2f} to {first[1]:.2f}",
            f"{found.total[k]:.2f}", f"{total[0]:.2f} to {total[1]:.2f}",
        )  # fmt: skip
    say_table(table)
    if max(float((ends[:, 1] - ends[:, 0]).max()) for ends in (found.first_bounds, found.total_bounds)) > _WIDE:
        say_wrapped("       Bounds this wide rank nothing: give the sweep more samples.", "       ")


def studies_json(result: CampaignResult) -> dict[str, Any]:
    """The studies of a sweep for JSON."""
    from dataclasses import asdict

    found = sweep_studies(result)
    shown: dict[str, Any] = {
        "against": found["against"],
        "frontiers": [[asdict(one) for one in choices] for choices in found["frontiers"]],
    }
    if "map" in found:
        steps = [[{"design": name, "from_price": begins} for name, begins in row] for row in found["map"].steps]
        shown["map"] = {"values": found["map"].values.tolist(), "steps": steps}
        shown["crossings"] = [_crossing_json(one) for one in found["crossings"]]
    shown["sobol"] = [
        {"design": design, "counterfactual": against, "compared_as": "as built", **_plain(asdict(one))}
        for (design, against), one in found.get("sobol", {}).items()
    ]
    return shown


def _crossing_json(one: Crossing) -> dict[str, Any]:
    estimates = [{"mean": npv.mean, "low": npv.low, "high": npv.high} for npv in one.npv]
    return {
        "design": one.design, "counterfactual": one.counterfactual, "compared_as": one.compared_as,
        "values": one.values.tolist(), "npv": estimates, "flips_at": one.flips_at,
    }  # fmt: skip


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value.tolist() if hasattr(value, "tolist") else value for key, value in data.items()}
