"""What money hangs on: tornado and flip values of a campaign; of a sweep the frontier, the map and Sobol indices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.cli.show import new_table, say, say_table, say_wrapped

if TYPE_CHECKING:
    from twin.campaign.result import CampaignResult
    from twin.finance.appraisal import Money
    from twin.finance.sensitivity import Bar, CheapestMap, Choice, Sobol

_MILLION = 1e-6
_BARS_SHOWN = 8
PRICES = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Of a GPU-hour, for the map."""

Ranges = dict[str, tuple[float, float]]


def tornados(money: Money, ranges: Ranges) -> dict[str, list[Bar]]:
    """By design, its tornado against the first counterfactual; empty where nothing of money has a range."""
    from twin.finance.sensitivity import tornado

    against = money.counterfactuals[0]
    found = {name: tornado(money, name, against, ranges) for name in money.designs if name != against}
    return {name: bars for name, bars in found.items() if bars}


def print_tornados(money: Money, ranges: Ranges) -> None:
    """The widest bars of every design, and where a range holds a flip value."""
    against = money.counterfactuals[0]
    for design, bars in tornados(money, ranges).items():
        say()
        table = new_table(f"{design} against {against}", "low", "high", "NPV at low", "at high", "flips at")
        for bar in bars[:_BARS_SHOWN]:
            flips = "-" if bar.flips_at is None else f"{bar.flips_at:.4g}"
            ends = [f"{_MILLION * value:,.2f}" for value in (bar.npv_low, bar.npv_high)]
            table.add_row(_short(bar.parameter), f"{bar.low:g}", f"{bar.high:g}", *ends, flips)
        say_table(table)


def _short(parameter: str) -> str:
    """The end of a key path that still says what it is."""
    parts = parameter.split(".")
    return ".".join(parts[-3:] if "capital" in parts else parts[-2:])


def sweep_studies(result: CampaignResult) -> dict[str, Any]:
    """Frontier, map (of a sweep of one parameter) and Sobol indices (of method saltelli), by counterfactual."""
    from twin.finance.sensitivity import cheapest_map, frontier, sobol

    sweep = result.identity["sweep"]
    moneys = [result.money(point) for point in range(len(sweep["points"]))]
    against = moneys[0].counterfactuals[0]
    found: dict[str, Any] = {"against": against, "frontier": frontier(moneys, against)}
    if len(sweep["parameters"]) == 1:
        rows = [(point[0], money) for point, money in zip(sweep["points"], moneys, strict=True)]
        found["map"] = cheapest_map(rows, against, PRICES)
    if sweep["method"] == "saltelli":
        found["sobol"] = {
            design: sobol(_npvs(moneys, design, against), sweep["parameters"])
            for design in moneys[0].designs
            if design != against
        }
    return found


def _npvs(moneys: list[Money], design: str, against: str) -> Any:
    import numpy as np

    from twin.finance.sensitivity import mean_npv

    return np.array([mean_npv(money, design, against, {}) for money in moneys])


def print_sweep_money(result: CampaignResult) -> None:
    """The studies of a sweep as tables."""
    sweep, found = result.identity["sweep"], sweep_studies(result)
    say_wrapped(
        f"sweep {sweep['name']}: {len(sweep['points'])} points of {', '.join(sweep['parameters'])}, "
        f"{result.replications} replications, money against {found['against']} at the same point"
    )
    _print_frontier(found["frontier"], sweep)
    if "map" in found:
        _print_map(found["map"], sweep["parameters"][0])
    for design, indices in found.get("sobol", {}).items():
        _print_sobol(design, indices)


def _print_frontier(choices: list[Choice], sweep: dict[str, Any]) -> None:
    say()
    table = new_table("efficient choices", "cost, million", "1000 GPU-h saved", *map(_short, sweep["parameters"]))
    efficient = [one for one in choices if one.is_efficient]
    for one in efficient:
        point = ["-"] * len(sweep["parameters"]) if not (one.cost or one.gpu_hours) else sweep["points"][one.point]
        shown = [value if isinstance(value, str) else f"{value:.4g}" for value in point]
        table.add_row(one.design, f"{_MILLION * one.cost:,.3f}", f"{one.gpu_hours / 1000:,.2f}", *shown)
    say_table(table)
    say_wrapped(
        f"       {len(efficient)} of {len(choices)}; present values, GPU-hours discounted like money", "       "
    )


def _print_map(found: CheapestMap, parameter: str) -> None:
    """For each value the designs by the price of a GPU-hour from which they are the cheapest."""
    say()
    say_wrapped(f"cheapest design by the price of a GPU-hour, at each {_short(parameter)}")
    for value, row in zip(found.values, found.designs, strict=True):
        steps = [f"{row[0]} at {found.prices[0]:g}"]
        steps += [f"{row[k]} from {found.prices[k]:g}" for k in range(1, len(row)) if row[k] != row[k - 1]]
        say_wrapped(f"  {value:10.4g}  {', '.join(steps)}", " " * 14)
    say_wrapped(f"       prices tried: {', '.join(f'{price:g}' for price in found.prices)}", "       ")


def _print_sobol(design: str, found: Sobol) -> None:
    say()
    table = new_table(f"NPV of {design}", "first order", "95 %", "total", "95 %")
    for k, parameter in enumerate(found.parameters):
        first, total = found.first_bounds[k], found.total_bounds[k]
        table.add_row(
            _short(parameter), f"{found.first[k]:.2f}", f"{first[0]:.2f} to {first[1]:.2f}",
            f"{found.total[k]:.2f}", f"{total[0]:.2f} to {total[1]:.2f}",
        )  # fmt: skip
    say_table(table)


def studies_json(result: CampaignResult) -> dict[str, Any]:
    """The studies of a sweep for JSON."""
    from dataclasses import asdict

    found = sweep_studies(result)
    indices = {design: _plain(asdict(one)) for design, one in found.get("sobol", {}).items()}
    shown = {"map": _plain(asdict(found["map"]))} if "map" in found else {}
    return {
        "against": found["against"],
        "frontier": [asdict(one) for one in found["frontier"]],
        **shown,
        "sobol": indices,
    }


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value.tolist() if hasattr(value, "tolist") else value for key, value in data.items()}
