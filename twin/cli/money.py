"""Tables of money: what each design is worth against each counterfactual, line by line, and its distribution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from twin.cli.show import blocks, say, say_wrapped

if TYPE_CHECKING:
    from twin.estimate import Estimate
    from twin.finance.appraisal import Appraisal, Money
    from twin.finance.options import TruckOption

_MILLION = 1e-6
_RULES = {"forecast": "a forecast (the quarter's mean in the other replications)", "past": "the quarters seen so far"}


def appraisals(money: Money) -> list[list[Appraisal]]:
    """By counterfactual, every other design against it."""
    return [
        [money.appraise(design, against) for design in money.designs if design != against]
        for against in money.counterfactuals
    ]


def print_money(money: Money) -> None:
    """One table for each counterfactual, and what the figures are."""
    finance = next(iter(money.scenarios.values()))["finance"]
    currency = next(iter(money.scenarios.values()))["currency"]
    found = appraisals(money)
    for several in found:
        if several:
            say()
            _print_against(several, currency)
            _print_option(money, several[0].counterfactual, currency)
    years = len(found[0][0].total) - 1 if found[0] else 0
    say()
    text = (
        f"money  Net present values over {years} simulated year{'s' * (years > 1)} at"
        f" {100 * finance['discount_rate']:g} % a year, in million {currency}; a pair is two designs on the same luck. "
    )
    if finance["price_per_gpu_h"]:
        text += f"A GPU-hour counts at its {finance['priced_at']} price. "
    text += "Paybacks count from the start, construction included, without what equipment is worth at the horizon; "
    text += "beside the median: share of pairs that have one. "
    missing = [name for name in finance["counterfactuals"] if name not in money.designs]
    if missing:
        text += f"Not simulated: the counterfactual{'s' * (len(missing) > 1)} {', '.join(missing)}. "
    uses = finance["truck_uses"]
    if uses and (away := [name for name in uses["designs"] if name not in money.designs]):
        text += f"No option value: the use{'s' * (len(away) > 1)} {', '.join(away)} not simulated. "
    elif uses and uses["chosen_by"] == "forecast" and money.replications < 2:
        text += "No option value: a forecast needs other replications. "
    if finance["off"]:
        text += f"Switched off: {', '.join(finance['off'])}."
    say_wrapped(text, "       ")


def _print_against(several: list[Appraisal], currency: str) -> None:
    """Rows are lines and figures, columns are designs; lines that are zero for all are left out."""
    names = [name for name in several[0].lines if any(one.line_npv[name].any() for one in several)]
    labels = [(name.replace("_", " "), f"million {currency}") for name in names]
    labels += [("NPV", "mean, 95 % interval"), ("NPV of pairs", "P10, P50, P90"), ("pairs with NPV < 0", "share")]
    labels += [(f"NPV at {name} price", "of a GPU-hour, mean") for name in several[0].npv_at]
    labels += [("IRR", "median"), ("MIRR", "median"), ("payback", "years, median"), ("discounted", "years, median")]
    labels += [("LCOS", f"{currency}/kWh, equipment alone"), ("break-even capital", "x its cost")]
    labels += [("break-even GPU-hour", f"{currency}, NPV = 0")]
    labels.append(("compared", "capital and kWh within 1 %"))
    columns = [
        (one.design, [*(_line(one, name) for name in names), *_figures(one), (one.compared_as, "")]) for one in several
    ]
    blocks(labels, columns, f"against {several[0].counterfactual}")


def _print_option(money: Money, against: str, currency: str) -> None:
    """What choosing the use of trucks is worth, below the table of the counterfactual that has none."""
    option = money.option(against, next(iter(money.scenarios.values()))["finance"])
    if option is None:
        return
    value, bound = (f"{_million(one)} million {currency}" for one in (option.value, option.bound))
    rule = f"{_RULES[option.chosen_by]} ({option.changes.mean:.1f} changes in all)"
    say_wrapped(
        f"option Against {against}, as built: the best fixed use of the trucks is {option.fixed}. To choose among "
        f"{', '.join(option.designs)} anew each quarter by {rule} is worth {value} more, which the line option counts "
        f"with {option.fixed} alone. Perfect choice would gain {bound}: an upper bound, since nobody knows the quarter "
        "to come.",
        "       ",
    )


def _million(one: Estimate) -> str:
    text = f"{_MILLION * one.mean:,.3f}"
    return f"{text} ({_MILLION * one.low:,.3f} to {_MILLION * one.high:,.3f})" if math.isfinite(one.low) else text


def _line(one: Appraisal, name: str) -> tuple[str, str]:
    return f"{_MILLION * one.line_npv[name].mean():,.3f}", ""


def _figures(one: Appraisal) -> list[tuple[str, str]]:
    mean, spread = one.mean_npv, one.quantiles("npv")
    ends = f"{_MILLION * mean.low:,.3f} to {_MILLION * mean.high:,.3f}" if math.isfinite(mean.low) else ""
    cells = [(f"{_MILLION * mean.mean:,.3f}", ends)]
    quantiles = ", ".join(f"{_MILLION * value:,.2f}" for value in spread.values()) if one.n > 1 else ""
    cells.append((quantiles or "-", f"of {one.n} pairs"))
    cells.append((f"{100 * one.p_negative:.0f} %", f"{round(one.p_negative * one.n)} of {one.n}"))
    cells += [(f"{_MILLION * values.mean():,.3f}", "") for values in one.npv_at.values()]
    cells += [_median(one, "irr", 100.0, " %"), _median(one, "mirr", 100.0, " %")]
    cells += [_median(one, "payback", 1.0, ""), _median(one, "discounted_payback", 1.0, "")]
    has_lcos = math.isfinite(one.lcos)
    cells.append((f"{one.lcos:.3f}", f"{one.lcos_equipment:.3f}") if has_lcos else ("-", ""))
    cells.append((_number(one.capital_factor), ""))
    cells.append((_number(one.price_per_gpu_h), ""))
    return cells


def _median(one: Appraisal, figure: str, scale: float, unit: str) -> tuple[str, str]:
    value = one.quantiles(figure)["p50"]
    if figure.endswith("payback") and one.total[0] >= 0.0:
        return "-", "no outlay"
    share = f"in {100 * one.share(figure):.0f} % of pairs"
    if figure == "irr" and one.total[0] > 0.0:
        share = "a loan's: gains come first"
    return (f"{scale * value:.2f}{unit}", share) if math.isfinite(value) else ("none", share)


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:,.3g}"


def money_json(money: Money) -> dict[str, Any]:
    """All appraisals, and the option value of trucks against each counterfactual that has none, for JSON."""
    finance = next(iter(money.scenarios.values()))["finance"]
    found = {"money": [_appraisal_json(one) for several in appraisals(money) for one in several]}
    options = {against: money.option(against, finance) for against in money.counterfactuals}
    shown = [_option_json(against, one) for against, one in options.items() if one is not None]
    return found | ({"truck_options": shown} if shown else {})


def _option_json(against: str, one: TruckOption) -> dict[str, Any]:
    def estimate(of: Estimate) -> dict[str, float]:
        return {"mean": of.mean, "standard_error": of.standard_error, "low": of.low, "high": of.high}

    return {
        "counterfactual": against,
        "compared_as": "as built",
        "uses": list(one.designs),
        "best_fixed_use": one.fixed,
        "chosen_by": one.chosen_by,
        "changes": one.changes.mean,
        "option_value": estimate(one.value),
        "perfect_choice_upper_bound": estimate(one.bound),
    }


def _appraisal_json(one: Appraisal) -> dict[str, Any]:
    mean = one.mean_npv
    figures = ("npv", "irr", "mirr", "payback", "discounted_payback")
    return {
        "design": one.design,
        "counterfactual": one.counterfactual,
        "compared_as": one.compared_as,
        "pairs": one.n,
        "discount_rate": one.rate,
        "lines": {name: row.tolist() for name, row in one.lines.items()},
        "total": one.total.tolist(),
        "npv": {"mean": mean.mean, "standard_error": mean.standard_error, "low": mean.low, "high": mean.high},
        "npv_of_lines": {name: float(values.mean()) for name, values in one.line_npv.items()},
        "npv_at_price_of_gpu_h": {name: float(values.mean()) for name, values in one.npv_at.items()},
        "p_negative": one.p_negative,
        "quantiles": {name: one.quantiles(name) for name in figures},
        "share_of_pairs": {name: one.share(name) for name in figures},
        "lcos_per_kwh": one.lcos,
        "lcos_equipment_per_kwh": one.lcos_equipment,
        "break_even_capital_factor": one.capital_factor,
        "break_even_price_per_gpu_h": one.price_per_gpu_h,
    }
