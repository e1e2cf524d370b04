"""What `twin check` warns of, in plain words: loads that cannot be carried, cooling that gives up first, limits."""

from __future__ import annotations

from collections.abc import Iterator

from twin.check.findings import Carrier, GensetSupply, SiteCheck
from twin.estimate import number
from twin.scenario.model import SiteSpec


def warnings(found: SiteCheck, site: SiteSpec) -> Iterator[str]:
    """All warnings about a site under a design."""
    for carrier in found.carriers:
        if carrier.kind != "bare":
            yield from _of_carrier(carrier, site)
    yield from _bare(found)
    yield from _cooling(found, site)
    if found.gensets is not None:
        yield from _of_gensets(found, found.gensets, site)
    yield from _of_import(found, site)
    yield from _of_floor(found, site)
    yield from _of_ramp(site)


def kw(value: float) -> str:
    """A power for a sentence: whole kW, with a decimal where it is small."""
    return f"{number(value, 0 if abs(value) >= 10 else 1)} kW"


def span(names: tuple[str, ...]) -> str:
    """Names in a few words: the first and the last of a row of them."""
    rows = [name for name in names if name.startswith("row-")]
    others = [name for name in names if not name.startswith("row-")]
    parts = [rows[0] if len(rows) == 1 else f"{rows[0]}..{rows[-1]}"] if rows else []
    if len(others) > 2 and len({name.rstrip("0123456789") for name in others}) == 1:
        return ", ".join([*parts, f"{others[0]}..{others[-1]}"])
    return ", ".join(parts + others)


def _of_carrier(one: Carrier, site: SiteSpec) -> Iterator[str]:
    who = span(one.loads) if one.kind != "ups" else span(one.names)
    if one.kind == "following":
        yield f"{who}: grid-following cabinets trip with the grid and carry nothing"
        return
    if one.in_time == 0.0:
        yield f"{who}: the transfer never ends within the hold-up of {one.hold_up_ms:g} ms: storage picks up nothing"
    elif one.in_time is not None and one.in_time < 1.0:
        late = 100 * (1 - one.in_time)
        share = number(late, 0 if late >= 1 else 2)
        yield f"{who}: in about {share} of 100 events the transfer outlasts the hold-up of {one.hold_up_ms:g} ms"
    if one.kind == "ups":
        yield from _of_block(one, who, site)
        return
    own = "" if one.needs_kw > one.storage_kw else f" and {kw(one.own_kw)} for themselves"
    least = one.needs_kw + one.own_kw - one.sheds_kw
    if least > one.storage_kw * (1 + 1e-12):
        idle = f" (idle row {kw(one.idle_kw)})" if one.groups == {"rows"} else ""
        needs = one.needs_kw - one.sheds_kw
        yield f"{who} cannot be carried: {kw(one.storage_kw)} of cabinets against {kw(needs)}{own}{idle}"
    elif least > one.one_less_kw * (1 + 1e-12):
        yield (f"{who}: no cabinet to spare: with one in repair {kw(one.one_less_kw)} against {kw(least)}")
    elif one.sheds_kw and one.needs_kw + one.own_kw > one.storage_kw * (1 + 1e-12):
        yield f"{who}: chillers are dropped: {kw(one.storage_kw)} of cabinets against {kw(one.needs_kw)}"


def _of_block(one: Carrier, who: str, site: SiteSpec) -> Iterator[str]:
    ups = site.protection.ups_of(one.names[0])
    assert ups is not None, "a block belongs to a UPS"
    if ups.systems == 2 and one.needs_kw <= ups.block_kw < 2.0 * one.needs_kw:
        yield f"{who}: one system of two cannot carry all: rated {kw(ups.block_kw)} against {kw(2.0 * one.needs_kw)}"
    if one.needs_kw > one.storage_kw:
        yield f"{who} cannot carry its load: {kw(one.storage_kw)} with all modules against {kw(one.needs_kw)}"
    elif one.needs_kw > ups.block_kw:
        yield f"{who} is overloaded: rated {kw(ups.block_kw)} with {ups.modules.n} modules, load {kw(one.needs_kw)}"


def _protected(found: SiteCheck, group: str) -> list[Carrier]:
    return [one for one in found.carriers if one.carries(group)]


def _bare(found: SiteCheck) -> Iterator[str]:
    rows = _protected(found, "rows")
    bare = {name for one in found.carriers if one.kind == "bare" for name in one.groups}
    if rows and "core" in bare and not found.truck_h("core"):
        yield "the core is bare: every job stops with it, whatever carries the rows"


def _cooling(found: SiteCheck, site: SiteSpec) -> Iterator[str]:
    """Rows that storage carries, but that trip on heat while it lasts."""
    rows = _protected(found, "rows")
    if not rows or site.cooling is None:
        return
    lasts_h = min(one.autonomy_h for one in rows)
    gensets = site.protection.gensets
    served = gensets.serves if gensets else []
    after_h = gensets.all_load_s / 3600 if gensets else float("inf")
    limits = (
        ("continuous_cooling", "cooling pumps", site.cooling.ride_through_s / 3600, 0.0),
        ("restartable_cooling", "chillers", site.cooling.chilled_water_tank_min / 60, site.cooling.restart_min / 60),
    )
    for group, name, trips_h, restart_h in limits:
        if group == "restartable_cooling" and not any(group in one.groups for one in found.carriers):
            continue
        carried = _protected(found, group)
        stops_h = max(min((one.autonomy_h for one in carried), default=0.0), found.truck_h(group))
        back_h = after_h + restart_h if group in served else float("inf")
        if back_h <= stops_h + trips_h or lasts_h <= stops_h + trips_h:
            continue
        how = "are not carried" if not stops_h else f"are carried for {duration(stops_h)}"
        yield (
            f"{name} {how}: rows trip on heat {duration(stops_h + trips_h)} after a loss of supply, "
            f"though their storage lasts {duration(lasts_h)}"
        )
        return


def duration(hours: float) -> str:
    """A time in the unit that suits it."""
    if hours < 1 / 30:
        return f"{number(hours * 3600, 0)} s"
    return f"{number(hours * 60, 0)} min" if hours < 1 else f"{hours:.1f} h"


def _of_gensets(found: SiteCheck, plant: GensetSupply, site: SiteSpec) -> Iterator[str]:
    needed_kw = plant.needed_sets * plant.rated_kw
    if plant.needs_kw > needed_kw:
        sets = f"{plant.needed_sets} of {plant.sets} sets"
        text = f"gensets are short: {sets} give {kw(needed_kw)} against {kw(plant.needs_kw)} at full level"
        if plant.needs_kw <= plant.all_kw:
            text += f"; all {plant.sets} carry it"
        if plant.capped_kw < plant.needs_kw:
            fits = "which fits" if plant.capped_kw <= needed_kw else "which is still too much"
            has_cap = "the power cap lowers" if site.cluster.on_backup else "a power cap (on_backup) would lower"
            text += f"; {has_cap} it to {kw(plant.capped_kw)}, {fits}"
        rows = [one for one in found.carriers if "rows" in one.groups and one.by_genset]
        if rows and "rows" not in (site.protection.gensets.serves if site.protection.gensets else ()):
            text += "; they feed whole UPS blocks, rows included, though they are to serve others only"
        yield text
    for group in ("rows", "core"):
        of_group = [one for one in found.carriers if group in one.groups and one.by_genset]
        if of_group and not any(one.carries(group) for one in of_group):
            yield f"{group}: dark until gensets are on line (up to {plant.all_load_s:g} s): no storage until then"
        elif of_group and min(one.autonomy_h for one in of_group) * 3600 < plant.all_load_s:
            yield f"{group}: storage may be empty before all gensets are on line after {plant.all_load_s:g} s"


def _of_import(found: SiteCheck, site: SiteSpec) -> Iterator[str]:
    protection = site.protection
    recharge_kw = 0.0
    if protection.cabinets:
        spec = protection.cabinets
        count = spec.per_row * site.cluster.rows + spec.core + spec.cooling
        recharge_kw += count * (spec.recharge_kw or spec.rated_kw)
    for _, ups in protection.ups_systems:
        recharge_kw += ups.blocks * ups.block_kw / ups.recharge_multiple
    limit = site.recharge_after_outage
    held_kw = min(recharge_kw, limit.limit_kw) if limit else recharge_kw
    if found.import_limit_kw is None:
        if limit is None and recharge_kw > found.import_kw:
            yield f"recharge after an outage may draw {kw(recharge_kw)}, more than the site: set recharge_after_outage"
        return
    room_kw = found.import_limit_kw - found.import_kw
    if room_kw < 0:
        above = f"{kw(found.import_limit_kw)} is below the site's {kw(found.import_kw)} at full level"
        yield f"the import limit of {above}: GPUs are capped, then rows shed"
    elif held_kw > room_kw:
        yield f"recharge would draw {kw(held_kw)}, the import limit leaves {kw(room_kw)}: it takes longer"


def _of_floor(found: SiteCheck, site: SiteSpec) -> Iterator[str]:
    floor_kw = site.grid.import_floor_kw
    if floor_kw >= found.import_kw > 0.0 and (site.ems is not None or found.points):
        yield (
            f"the import floor of {kw(floor_kw)} is not below the site's {kw(found.import_kw)} at full level:"
            " storage beside the grid gives nothing (lower grid.import_floor_kw)"
        )


def _of_ramp(site: SiteSpec) -> Iterator[str]:
    limit_kw = site.grid.ramp_limit_kw_per_min
    if limit_kw is None:
        return
    spec = site.protection.cabinets
    if site.ems is None or spec is None:
        yield f"nobody keeps the ramp limit of {kw(limit_kw)} a minute: cabinets do with a plan (ems)"
        return
    cluster = site.cluster
    dips_kw = (
        cluster.rows * cluster.servers_per_row * cluster.server.training_kw * cluster.server.evaluation_dip_fraction
    )
    able_kw = (spec.per_row * cluster.rows + spec.core + spec.cooling) * (spec.recharge_kw or spec.rated_kw)
    if dips_kw - limit_kw > able_kw:
        yield (
            f"evaluation dips of {kw(dips_kw)} are more than the ramp limit of {kw(limit_kw)} a minute"
            f" and {kw(able_kw)} of cabinets"
        )
