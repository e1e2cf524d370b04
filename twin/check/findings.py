"""What `check` finds: for each design and site, who carries what, and for how long. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from twin.check.network import FlowCheck

ROUNDING = 1.0 + 1e-12
"""kW that differ by less are equal."""


@dataclass(frozen=True)
class Carrier:
    """One feed, or several alike, and what it can carry from storage alone.

    Attributes:
        names: the feeds (or bare load points), without the site.
        loads: the load points that each of them carries, or shares.
        kind: "bare", "ups", "in_line", "parallel" or "following".
        needs_kw: its share of the loads at full level, in the season that cools hardest.
        idle_kw: the same with idle rows.
        own_kw: what its own storage units consume.
        storage_kw: given by storage with all units sound; `one_less_kw` with one cabinet or module fewer.
        sheds_kw: of `needs_kw`, chillers, which are dropped before the others go dark.
        units: storage units of each.
        autonomy_h: full storage at full level, without the chillers if those must go; `capped_h` under the power cap
            (None where it changes nothing).
        hold_up_ms: the shortest of its loads.
        in_time: share of transfers that beat this hold-up; None where no transfer is needed.
        by_genset: whether gensets serve it.
    """

    names: tuple[str, ...]
    loads: tuple[str, ...]
    kind: str
    needs_kw: float
    idle_kw: float
    own_kw: float
    storage_kw: float
    one_less_kw: float
    sheds_kw: float
    units: int
    autonomy_h: float
    capped_h: float | None
    hold_up_ms: float
    in_time: float | None
    by_genset: bool

    def carries(self, groups: str, kw: float | None = None) -> bool:
        """Whether storage carries the loads of a kind ("rows", "core", ...), shedding chillers if it must."""
        able = (self.storage_kw if kw is None else kw) * ROUNDING
        if groups not in self.groups or self.kind in ("bare", "following") or self.in_time == 0.0 or able <= 0.0:
            return False
        sheds = 0.0 if groups == "restartable_cooling" else self.sheds_kw
        return self.needs_kw + self.own_kw - sheds <= able

    @property
    def groups(self) -> frozenset[str]:
        """Kinds of its loads."""
        return frozenset("rows" if name.startswith("row-") else name for name in self.loads)


@dataclass(frozen=True)
class GensetSupply:
    """A genset plant against all that it serves, at full level and under the power cap."""

    sets: int
    needed_sets: int
    rated_kw: float
    needs_kw: float
    capped_kw: float
    all_load_s: float

    @property
    def all_kw(self) -> float:
        """All sets."""
        return self.sets * self.rated_kw

    @property
    def one_less_kw(self) -> float:
        """One set fewer."""
        return (self.sets - 1) * self.rated_kw


@dataclass(frozen=True)
class PointCheck:
    """A connection point against the largest trucks of the fleet.

    Attributes:
        serves: groups of loads, or single rows.
        needs_kw: all that it serves, at full level.
        able_kw: what trucks can give there: as many as there are berths, within the point's limit.
        usable_kwh: what these hold when full; None, without end, with a generator truck.
        home: trucks whose home is the site.
        changeover_s: dark on both ways; None where it is synchronised.
    """

    name: str
    berths: int
    limit_kw: float
    serves: tuple[str, ...]
    needs_kw: float
    able_kw: float
    usable_kwh: float | None
    home: int
    changeover_s: float | None

    @property
    def hours(self) -> float | None:
        """How long full trucks carry all that is served, or what they can of it [h]; None: without end."""
        if self.usable_kwh is None:
            return None
        return self.usable_kwh / max(min(self.needs_kw, self.able_kw), 1e-9)


@dataclass(frozen=True)
class BlastCheck:
    """What one item, or several alike, takes along when it is the only one that fails.

    Attributes:
        items: names within the site.
        kind: of the items, as in the trace.
        until: what ends it: "the tie closes", "it is isolated", "it is bypassed by hand" or "the repair".
        rows, kw: dark, at full level; `kw` of all load points.
        on_storage_kw: carried by storage meanwhile.
        core: whether the core is dark, and with it every job.
    """

    items: tuple[str, ...]
    kind: str
    until: str
    rows: int
    kw: float
    on_storage_kw: float
    core: bool


@dataclass(frozen=True)
class SwingCheck:
    """What all servers of a site do within a minute when they train in step: one job on all, an upper bound."""

    dip_kw: float
    peak_kw: float
    """Of the rows, above their mean training level."""
    fall_kw_per_s: float
    rise_kw_per_s: float
    checkpoint_dip_kw: float | None
    low_kw: float | None
    """1st percentile of the rows' power in a day's run, where a run was measured."""
    high_kw: float | None
    """99th percentile, likewise."""


@dataclass(frozen=True)
class SiteCheck:
    """What was found about one site under one design."""

    site: str
    import_kw: float
    import_limit_kw: float | None
    carriers: tuple[Carrier, ...]
    gensets: GensetSupply | None
    flows: tuple[FlowCheck, ...]
    points: tuple[PointCheck, ...]
    warnings: tuple[str, ...]
    swing: SwingCheck | None = None
    blasts: tuple[BlastCheck, ...] = ()

    def truck_h(self, group: str) -> float:
        """How long trucks that stand by at a synchronised point carry a group of loads, and all else there [h]."""
        own = [one for one in self.points if group in one.serves and one.home and one.changeover_s is None]
        carrying = [one for one in own if one.needs_kw <= one.able_kw * ROUNDING]
        return max((float("inf") if one.hours is None else one.hours for one in carrying), default=0.0)


@dataclass(frozen=True)
class DesignCheck:
    """What was found about one design."""

    design: str
    note: str
    sites: tuple[SiteCheck, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings, each beginning with the design (and the site, where there are several)."""
        several = len(self.sites) > 1
        return tuple(
            f"{self.design}: {site.site + ': ' if several else ''}{text}"
            for site in self.sites
            for text in site.warnings
        )
