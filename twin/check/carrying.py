"""Can each design carry its own load? kW before kWh, before anything is simulated; pure functions, no printing.

The layout (which feed carries which load, with which storage) is what the simulation builds, from the same parts.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from twin.assemble import GROUP_OF_KIND, Blueprint, loads_and_storage
from twin.chance.law import compile_law
from twin.chance.quantiles import quantile
from twin.check.blast import blasts_of
from twin.check.findings import ROUNDING, Carrier, DesignCheck, GensetSupply, SiteCheck, SwingCheck
from twin.check.jobs import job_warnings
from twin.check.network import check_flows, flow_warnings
from twin.check.points import point_warnings, points_of
from twin.check.tariff import tariff_warnings
from twin.check.warnings import warnings
from twin.parts.server_profile import server_profile
from twin.plant import fields as f
from twin.scenario.model import Scenario, SiteSpec
from twin.scenario.study import Study
from twin.world.blueprint import SiteBuilder
from twin.world.declared import Feed, Load

_DRAWS = 400
"""Points of a transfer law that are compared with the hold-up."""


def check_study(study: Study[Scenario]) -> tuple[DesignCheck, ...]:
    """Check every design of a study; where its data files are there, they are read as a run would.

    Raises:
        InputError: a data file does not hold what the scenario needs of it.
    """
    if not study.missing:
        for scenario in study.designs.values():
            Blueprint(scenario)
    return tuple(check_design(name, scenario) for name, scenario in study.designs.items())


def check_design(name: str, scenario: Scenario) -> DesignCheck:
    """Check one design: kW, autonomy and transfer of every load point, gensets, import, and warnings in words."""
    sites = tuple(_check_site(site, spec, scenario) for site, spec in sorted(scenario.sites.items()))
    return DesignCheck(name, scenario.design_note, sites)


def _check_site(name: str, site: SiteSpec, scenario: Scenario) -> SiteCheck:
    builder = _layout(name, site)
    carriers = _carriers(builder, site)
    losses = sum(_input_kw(builder, site, feed) for feed in builder.feeds.values())
    bare = sum(_full_kw(load, builder, site) for load in builder.loads.values() if not load.feeds)
    draws = {load.name: _draw_kw(load, builder, site) for load in builder.loads.values()}
    flows = check_flows(builder, site, draws)
    limit_kw = site.grid.import_limit_kw
    points = points_of(name, site, scenario, builder, lambda load: _full_kw(load, builder, site))
    found = SiteCheck(name, losses + bare, limit_kw, carriers, _gensets(builder, site), flows, points, warnings=())
    full = {name: _full_kw(load, builder, site) for name, load in builder.loads.items()}
    blasts = blasts_of(builder, sorted(site.grid.feeders), carriers, full)
    more = (
        *flow_warnings(flows),
        *point_warnings(points, carriers),
        *tariff_warnings(found.import_kw, site),
        *job_warnings(name, scenario),
    )
    return replace(found, warnings=(*warnings(found, site), *more), swing=_swing(site), blasts=blasts)


def _swing(site: SiteSpec) -> SwingCheck | None:
    """Swings of all servers in step, where they were measured."""
    server, count = site.cluster.server, site.cluster.rows * site.cluster.servers_per_row
    if server.swing is None:
        return None
    profile, checkpoint = server_profile(server.preset), server.swing.checkpoint_dip_fraction
    extremes = None if profile is None else profile.run_kw(86_400.0)[1]
    return SwingCheck(
        dip_kw=count * server.swing_kw,
        peak_kw=count * max((server.swing.peak_kw or 0.0) - server.mean_training_kw, 0.0),
        fall_kw_per_s=count * (server.swing.fall_kw_per_s or 0.0),
        rise_kw_per_s=count * max(server.swing.rise_kw_per_s or 0.0, server.swing.startup_rise_kw_per_s or 0.0),
        checkpoint_dip_kw=None if checkpoint is None else count * checkpoint * server.training_kw,
        low_kw=None if extremes is None else count * float(extremes[0]),
        high_kw=None if extremes is None else count * float(extremes[1]),
    )


def _draw_kw(load: Load, builder: SiteBuilder, site: SiteSpec) -> float:
    """What a load point draws from the network at full level: its share of its feeds' inputs [kW]."""
    feeds = [builder.feeds[name] for name in load.feeds]
    if not feeds:
        return _full_kw(load, builder, site)
    share_kw = _full_kw(load, builder, site) / len(feeds)
    return sum(share_kw / (1.0 - feed.loss_fraction) + _own_kw(feed) / len(_on(feed, builder)) for feed in feeds)


def _layout(name: str, site: SiteSpec) -> SiteBuilder:
    """The site's loads and feeds, as `twin.assemble` lays them out; loads without a feed are bare."""
    builder = SiteBuilder(name, 0, len(site.grid.feeders))
    if not Path(getattr(site.network, "file", ".")).exists():
        site = site.model_copy(update={"network": None})  # the loader tells of files that are not there
    for part in loads_and_storage(site):
        part.declare(builder)
    return builder


def _full_kw(load: Load, builder: SiteBuilder, site: SiteSpec, *, capped: bool = False, idle: bool = False) -> float:
    """A load point at full level, rows perhaps capped or idle; chillers in the season that cools hardest [kW]."""
    if load.kind == f.CHILLERS:
        rows = [one for one in builder.loads.values() if one.kind in (f.ROW, f.CORE)]
        it_kw = sum(_full_kw(one, builder, site, capped=capped, idle=idle) for one in rows)
        return max(0.0, max(builder.cooling_fraction) * it_kw - builder.continuous_kw)
    per_gpu_kw = 0.0 if idle else load.per_gpu_capped_kw if capped else load.per_gpu_kw
    return load.fixed_kw + load.full_gpus * per_gpu_kw


def _on(feed: Feed, builder: SiteBuilder) -> list[Load]:
    return [load for load in builder.loads.values() if feed.name in load.feeds]


def _share_kw(feed: Feed, builder: SiteBuilder, site: SiteSpec, *, capped: bool = False, idle: bool = False) -> float:
    return sum(_full_kw(load, builder, site, capped=capped, idle=idle) / len(load.feeds) for load in _on(feed, builder))


def _own_kw(feed: Feed) -> float:
    return sum(unit.auxiliary_kw for unit in feed.units)


def _input_kw(builder: SiteBuilder, site: SiteSpec, feed: Feed, *, capped: bool = False) -> float:
    """What a feed draws with its loads at full level: their power, its losses, its own use [kW]."""
    return _share_kw(feed, builder, site, capped=capped) / (1.0 - feed.loss_fraction) + _own_kw(feed)


def _carriers(builder: SiteBuilder, site: SiteSpec) -> tuple[Carrier, ...]:
    """All feeds and bare loads; those alike in everything but the name are one carrier."""
    found = [_carrier(feed, builder, site) for feed in builder.feeds.values()]
    for load in builder.loads.values():
        full = _full_kw(load, builder, site)
        if not load.feeds and full > 0.0:
            short = _short(load.name)
            idle_kw, hold_up_ms = _full_kw(load, builder, site, idle=True), min(load.hold_up_ms, load.max_hold_up_ms)
            by_genset = GROUP_OF_KIND[load.kind] in site.protection.genset_served
            nothing = (0.0, 0.0, 0.0, 0.0, 0, 0.0, None)
            found.append(Carrier((short,), (short,), "bare", full, idle_kw, *nothing, hold_up_ms, None, by_genset))
    alike: dict[tuple[object, ...], list[Carrier]] = defaultdict(list)
    for one in found:
        # the number of loads and their kinds, not their names, tell carriers apart
        key = (one.kind, len(one.loads), one.groups, round(one.needs_kw, 6), one.storage_kw, one.by_genset)
        alike[key].append(one)
    return tuple(_joined(group) for group in alike.values())


def _joined(group: list[Carrier]) -> Carrier:
    first = group[0]
    names = tuple(name for one in group for name in one.names)
    loads = tuple(dict.fromkeys(name for one in group for name in one.loads))
    return Carrier(
        names, loads, first.kind, first.needs_kw, first.idle_kw, first.own_kw, first.storage_kw, first.one_less_kw,
        first.sheds_kw, first.units, first.autonomy_h, first.capped_h, first.hold_up_ms, first.in_time, first.by_genset,
    )  # fmt: skip


def _short(name: str) -> str:
    return name.partition("/")[2]


def _carrier(feed: Feed, builder: SiteBuilder, site: SiteSpec) -> Carrier:
    loads = _on(feed, builder)
    ups = site.protection.ups_of(_short(feed.name))
    storage_kw = min(sum(unit.rated_kw for unit in feed.units), feed.limit_kw)
    lost_kw = ups.modules.rated_kw if ups is not None else max(unit.rated_kw for unit in feed.units)
    needs_kw, own_kw = _share_kw(feed, builder, site), _own_kw(feed)
    usable_kwh = sum((unit.max_kwh - unit.min_kwh) * unit.efficiency for unit in feed.units)
    sheds_kw = sum(_full_kw(load, builder, site) for load in loads if load.kind == f.CHILLERS)
    carried_kw = needs_kw + own_kw
    if carried_kw > storage_kw * ROUNDING:
        carried_kw -= sheds_kw
    hold_up_ms = min(min(load.hold_up_ms, load.max_hold_up_ms) for load in loads)
    cap, capped_h = site.cluster.on_backup, None
    if cap is not None:
        spared_kw = needs_kw - _share_kw(feed, builder, site, capped=True)
        if spared_kw > 0.0 and carried_kw == needs_kw + own_kw:
            capped_h = _hours(usable_kwh, carried_kw, carried_kw - spared_kw, cap.cap_after_s / 3600.0)
    return Carrier(
        names=(_short(feed.name),),
        loads=tuple(_short(load.name) for load in loads),
        kind="ups"
        if ups is not None
        else {f.IN_LINE: "in_line", f.PARALLEL: "parallel", f.FOLLOWING: "following"}[feed.kind],
        needs_kw=needs_kw,
        idle_kw=_share_kw(feed, builder, site, idle=True),
        own_kw=own_kw,
        storage_kw=storage_kw,
        one_less_kw=max(0.0, storage_kw - lost_kw),
        sheds_kw=sheds_kw,
        units=len(feed.units),
        autonomy_h=usable_kwh / max(carried_kw, 1e-9),
        capped_h=capped_h,
        hold_up_ms=hold_up_ms,
        in_time=_in_time(feed, hold_up_ms),
        by_genset=feed.genset,
    )


def _hours(usable_kwh: float, full_kw: float, capped_kw: float, cap_after_h: float) -> float:
    """Autonomy at the full level first, and capped from then on [h]."""
    first_kwh = full_kw * cap_after_h
    if usable_kwh <= first_kwh or capped_kw <= 0.0:
        return usable_kwh / max(full_kw, 1e-9)
    return cap_after_h + (usable_kwh - first_kwh) / capped_kw


def _in_time(feed: Feed, hold_up_ms: float) -> float | None:
    """Share of transfers within the hold-up; None where the storage stands in line."""
    if feed.kind != f.PARALLEL:
        return None
    law = feed.transfer or compile_law(0.0)
    ms = (quantile(law.code, law.a, law.b, law.table, (k + 0.5) / _DRAWS, 0) * 3.6e6 for k in range(_DRAWS))
    return float(sum(time <= hold_up_ms * (1 + 1e-9) for time in ms) / _DRAWS)


def _gensets(builder: SiteBuilder, site: SiteSpec) -> GensetSupply | None:
    spec = site.protection.gensets
    if spec is None:
        return None
    served = set(spec.serves)

    def needs_kw(*, capped: bool) -> float:
        fed = sum(_input_kw(builder, site, feed, capped=capped) for feed in builder.feeds.values() if feed.genset)
        bare = [load for load in builder.loads.values() if not load.feeds and GROUP_OF_KIND[load.kind] in served]
        return fed + sum(_full_kw(load, builder, site, capped=capped) for load in bare)

    sets = spec.n + spec.r
    return GensetSupply(sets, spec.n, spec.rated_kw, needs_kw(capped=False), needs_kw(capped=True), spec.all_load_s)
