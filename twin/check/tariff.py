"""What `twin check` says about a tariff: a floor above every peak, a discount or a baseline out of reach."""

from __future__ import annotations

from collections.abc import Iterator

from twin.check.warnings import kw
from twin.estimate import number
from twin.parts.tariff import DemandSpec
from twin.scenario.model import SiteSpec
from twin.tariff_terms import transformer_kva

_LONGEST_MONTH_H = 744.0


def tariff_warnings(import_kw: float, site: SiteSpec) -> Iterator[str]:
    """What a site at full level (`import_kw`) cannot gain or lose by, in words."""
    tariff = site.tariff
    if tariff is None:
        return
    if tariff.demand is not None:
        yield from _of_demand(import_kw, tariff.demand, transformer_kva(site.model_dump(mode="json")) or 0.0)
    for name, programme in sorted(tariff.demand_response.items()):
        if programme.baseline_kw - import_kw >= programme.kw:
            yield (
                f"demand response {name}: the baseline of {kw(programme.baseline_kw)} is so far above the site's"
                f" {kw(import_kw)} at full level that calls are met by doing nothing"
            )


def _of_demand(import_kw: float, demand: DemandSpec, kva: float) -> Iterator[str]:
    floor_kw = demand.floor_fraction * kva
    if demand.mode == "contracted" and floor_kw >= import_kw:
        floor = f"{kw(floor_kw)} at least ({100 * demand.floor_fraction:g} % of {number(kva, 0)} kVA)"
        yield (
            f"the contract counts as {floor}, more than the site's {kw(import_kw)} at full level:"
            " a lower peak saves nothing"
        )
    least_kwh = demand.discount.from_kwh_per_kva_month * kva if demand.discount else 0.0
    if demand.discount and demand.mode != "capacity" and import_kw * _LONGEST_MONTH_H < least_kwh:
        per_kva = import_kw * _LONGEST_MONTH_H / kva
        yield (
            f"the demand price is never cut: at most {per_kva:.0f} kWh a month for each kVA,"
            f" {demand.discount.from_kwh_per_kva_month:g} are needed"
        )
