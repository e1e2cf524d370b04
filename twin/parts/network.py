"""The site's distribution network: a campus from a few figures, or a network from a file with its load points placed.

AC power flow runs on every recorded interval: its losses are drawn from the grid or the gensets, its voltages and
loadings stand in the trace. Storage stands at the board of what it carries; on storage, the busway's loss empties it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from twin.parts.campus_failures import CampusFailuresSpec
from twin.parts.campus_network import Plate, SiteFigures, Way, build_site
from twin.parts.feeder_network import FeederNetworkSpec
from twin.parts.file_network import FileNetworkSpec
from twin.parts.network_failures import NetworkFailures
from twin.spec import Kilovolts, NonNegative, Positive, PositiveCount, Spec
from twin.world.site_network import NetworkLimits, SiteNetwork

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.site import Site
    from twin.world.world import World


class TransformerSpec(Spec):
    """One transformer of a kind."""

    rated_kva: Positive = Field(description="as on the plate")
    impedance_percent: float = Field(gt=0, lt=100, description="impedance voltage, as on the plate")
    load_loss_kw: NonNegative = Field(default=0.0, description="at rated load")
    no_load_loss_kw: NonNegative = Field(default=0.0, description="of the core, as long as it is energised")
    tap_fraction: float = Field(default=0.0, ge=-0.2, le=0.2, description="lifts the lower side above nominal")

    @model_validator(mode="after")
    def _resistance_within_impedance(self) -> Self:
        if self.load_loss_kw / self.rated_kva > self.impedance_percent / 100.0:
            raise ValueError("load_loss_kw over rated_kva is more than the whole impedance voltage")
        return self

    def plate(self) -> Plate:
        """The same, for the builder."""
        figures = (self.rated_kva, self.impedance_percent, self.load_loss_kw, self.no_load_loss_kw, self.tap_fraction)
        return Plate(*figures)


class CableSpec(Spec):
    """Cable between neighbouring stations, or a busway."""

    r_ohm_per_km: NonNegative = Field(description="resistance of a phase")
    x_ohm_per_km: NonNegative = Field(description="reactance of a phase")
    length_m: Positive = Field(description="of a stretch")
    rating_a: Positive = Field(description="current at which its loading is 1")

    def way(self) -> Way:
        """The same, for the builder."""
        return Way(complex(self.r_ohm_per_km, self.x_ohm_per_km) * self.length_m / 1000.0, self.rating_a)


class RingsSpec(Spec):
    """MV rings between two breakers of a section, open in the middle."""

    count: PositiveCount = Field(default=4, description="rings; rows hang on them in turn")
    units_per_ring: PositiveCount = Field(default=2, description="stations, each with the transformers of its rows")
    cable: CableSpec


class CampusNetworkSpec(NetworkLimits):
    """A campus: feeders, main transformers, MV rings, a transformer and a busway for each row."""

    kind: Literal["campus"] = Field(description="a campus from a few figures; `file` and `feeders` read a network")
    supply_kv: Kilovolts = Field(description="of the feeders, line to line")
    mv_kv: Kilovolts = Field(default=10.0, description="of the rings, line to line")
    lv_kv: Kilovolts = Field(default=0.4, description="of the rows' boards, line to line")
    source_short_circuit_kva: Positive = Field(description="of the grid behind each feeder")
    source_x_to_r: Positive = Field(default=10.0, description="of the grid behind each feeder")
    feeder_rating_a: Positive = Field(
        default=1e9, description="current at which a feeder's loading is 1; so large that none shows if absent"
    )
    main_transformers: TransformerSpec | None = Field(default=None, description="one a feeder; none: supply at mv_kv")
    rings: RingsSpec
    row_transformers: TransformerSpec
    row_busway: CableSpec
    row_taps: PositiveCount = Field(default=1, description="buses along each busway that share the row's draw", le=60)
    core_transformers: TransformerSpec
    cooling_transformers: TransformerSpec
    failures: CampusFailuresSpec | None = Field(default=None, description="of its pieces; without it nothing fails")

    @model_validator(mode="after")
    def _levels(self) -> Self:
        if self.main_transformers is None and self.supply_kv != self.mv_kv:
            raise ValueError(f"without main_transformers supply_kv ({self.supply_kv:g}) must be mv_kv ({self.mv_kv:g})")
        return self

    @model_validator(mode="after")
    def _pieces_are_there(self) -> Self:
        if self.failures and self.failures.main_transformers and self.main_transformers is None:
            raise ValueError("failures.main_transformers: the network has none (add main_transformers)")
        return self

    def build(self, site: SiteBuilder, gensets: bool) -> SiteNetwork:
        """Lay the network out for the site's rows."""
        return build_site(self._figures(site, gensets))

    def _figures(self, site: SiteBuilder, gensets: bool) -> SiteFigures:
        rows = {site.short(name): load for name, load in sorted(site.loads.items()) if site.short(name)[:4] == "row-"}
        masks = [[s for s in range(site.sections) if load.sections >> s & 1] for load in rows.values()]
        z = 1000.0 * self.supply_kv**2 / self.source_short_circuit_kva
        r = z / (1.0 + self.source_x_to_r**2) ** 0.5
        return SiteFigures(
            sections=site.sections, row_names=list(rows), row_sections=masks, supply_kv=self.supply_kv,
            mv_kv=self.mv_kv, lv_kv=self.lv_kv, source_ohm=complex(r, r * self.source_x_to_r),
            feeder_rating_a=self.feeder_rating_a,
            main=self.main_transformers.plate() if self.main_transformers else None, rings=self.rings.count,
            units_per_ring=self.rings.units_per_ring, cable=self.rings.cable.way(), row=self.row_transformers.plate(),
            busway=self.row_busway.way(), taps=self.row_taps, core=self.core_transformers.plate(),
            cooling=self.cooling_transformers.plate(), gensets=gensets, limits=self,
            outages=self.failures.figures(site, self.rings.cable.length_m) if self.failures else None,
        )  # fmt: skip


NetworkSpec = CampusNetworkSpec | FileNetworkSpec | FeederNetworkSpec


class DistributionNetwork:
    """The network of a site: the plant's record says what is drawn where, and what fails in it acts on the feeds."""

    def __init__(self, spec: NetworkSpec, gensets: bool) -> None:
        self.spec, self._gensets = spec, gensets
        self._failures: NetworkFailures | None = None

    def declare(self, site: SiteBuilder) -> None:
        """Build it for the load points that are there; comes after them."""
        site.network = self.spec.build(site, self._gensets)
        if site.network.outages is not None:
            self._failures = NetworkFailures(site.network.outages)
            self._failures.declare(site)

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Let it fail, where the scenario says how."""
        if self._failures is not None:
            self._failures.install(world, site, ids)
