"""The GPU cluster as load points: rows of servers, the core that every job depends on, and the house load.

Power follows the job: a row takes its network and idle servers, plus a part per busy GPU (the training level, less the
evaluation dips) and per booting server. Defaults of the server are the measured 512-H100 GPT-3 record (MLPerf training
v4.0 power, 64 servers of 8 GPUs) where that record holds the number.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic.fields import FieldInfo

from twin.inputs.power_record import read_power_record
from twin.parts.power_window import PowerWindowSpec
from twin.parts.presets import known_preset, with_preset
from twin.parts.transfer_switch import TransferSwitchSpec
from twin.plant import fields as f
from twin.spec import Fraction, NonNegative, Positive, PositiveCount, Spec
from twin.units import NEVER, TICKS_PER_S
from twin.world import record as r
from twin.world.declared import Load
from twin.world.profile import ProfileSpec
from twin.world.site import LOAD, SUPPLY, Site

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.world import World


_profile = lru_cache(maxsize=8)(read_power_record)
_MEASURED = ("training_kw", "evaluation_dip_fraction", "evaluation_s", "evaluation_period_s")


class SuppliesSpec(Spec):
    """Power supplies of a server, spread evenly over its cords; with fewer live ones than `needed` it drops."""

    count: PositiveCount = Field(default=2, description="in each server")
    needed: PositiveCount = Field(default=1, description="live ones without which it drops")

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.needed > self.count:
            raise ValueError(f"needed: {self.needed} of {self.count} supplies")
        return self


class SwingSpec(Spec):
    """Swings within a minute of one server that trains in step with others; judged against ramp limits."""

    dip_fraction: Fraction = Field(description="usual depth of the lowest reading of a dip below the training level")
    dip_largest_fraction: Fraction | None = Field(default=None, description="deepest reading in steady operation")
    checkpoint_dip_fraction: Fraction | None = Field(default=None, description="depth while a checkpoint blocks")
    checkpoint_dip_s: NonNegative | None = Field(default=None, description="length of that dip")
    peak_kw: Positive | None = Field(default=None, description="highest reading, mean over servers in step")
    rise_kw_per_s: NonNegative | None = Field(default=None, description="steepest in steady operation")
    fall_kw_per_s: NonNegative | None = Field(default=None, description="steepest in steady operation")
    startup_rise_kw_per_s: NonNegative | None = Field(default=None, description="steepest while training begins")


def _with_throughput(data: Any, fields: Mapping[str, FieldInfo]) -> Any:
    """The block with the throughput under its cap, by a power law above idle, where it says only the exponent."""
    if not isinstance(data, dict) or data.get("cap_exponent") is None or "throughput_at_cap_fraction" in data:
        return data
    levels = [data.get(name, fields[name].default) for name in ("idle_kw", "capped_kw", "training_kw")]
    if not all(isinstance(one, int | float) for one in (*levels, data["cap_exponent"])) or data["cap_exponent"] < 1.0:
        return data
    idle_kw, capped_kw, training_kw = levels
    if not idle_kw <= capped_kw <= training_kw or idle_kw == training_kw:
        return data
    share = (capped_kw - idle_kw) / (training_kw - idle_kw)
    return {**data, "throughput_at_cap_fraction": round(float(share ** (1.0 / data["cap_exponent"])), 4)}


class ServerSpec(Spec):
    """One GPU server: power by what it does, and how long its supplies bridge a break."""

    preset: str | None = Field(
        default=None, description="a server fitted to measured runs; its numbers stand where the block has none"
    )
    rated_kw: Positive = Field(default=10.2, description="maximum input")
    training_kw: Positive = Field(default=6.9, description="level while training; MLPerf v4.0 H100 GPT-3 record")
    evaluation_dip_fraction: Fraction = Field(default=0.084, description="depth of an evaluation dip; same record")
    evaluation_s: NonNegative = Field(default=13.0, description="length of an evaluation; same record")
    evaluation_period_s: Positive = Field(default=142.0, description="distance of evaluations; same record")
    idle_kw: NonNegative = Field(default=2.3, description="lit, no job; the record holds no idle: H100 LoRA record")
    boot_kw: NonNegative = Field(default=3.0, description="while it boots (assumed)")
    capped_kw: Positive = Field(default=5.6, description="training level under a power cap")
    throughput_at_cap_fraction: Fraction = Field(
        default=0.82, description="of full speed at capped_kw; 0.82 at 5.6 of 6.9 kW is assumed, measure your own"
    )
    cap_exponent: float | None = Field(
        default=None, ge=1, le=5, description="of power above idle to throughput; gives throughput_at_cap_fraction"
    )
    swing: SwingSpec | None = Field(default=None, description="what training does within a minute, kept as statistics")
    hold_up_ms: NonNegative = Field(default=18.0, description="at the training level")
    hold_up_max_ms: NonNegative = Field(default=20.0, description="at any lower level")
    supplies: SuppliesSpec = SuppliesSpec()
    power_folder: str | None = Field(
        default=None, description="a measured power record; its training level and dips replace those here"
    )

    @model_validator(mode="before")
    @classmethod
    def _measured(cls, data: Any) -> Any:
        """Numbers of a preset or a power record where the block has none; of a missing folder the loader tells."""
        if isinstance(data, dict) and isinstance(folder := data.get("power_folder"), str) and Path(folder).is_dir():
            profile = _profile(folder)
            measured = {name: round(getattr(profile, name), 4) for name in _MEASURED}
            data = {"source": profile.source, **measured, **data}
        return _with_throughput(with_preset("server", data), cls.model_fields)

    @field_validator("preset")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        return known_preset("server", name)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.idle_kw <= self.training_kw <= self.rated_kw:
            raise ValueError("idle_kw, training_kw and rated_kw must not decrease")
        if self.capped_kw > self.training_kw or self.capped_kw < self.idle_kw:
            raise ValueError("capped_kw must lie between idle_kw and training_kw")
        return self

    @property
    def swing_kw(self) -> float:
        """How far a server's power falls in a dip [kW]: as measured, else as deep as its evaluations are on average."""
        return self.training_kw * (self.swing.dip_fraction if self.swing else self.evaluation_dip_fraction)

    @property
    def dip_share(self) -> float:
        """Mean share of the training level that evaluation dips take away."""
        return self.evaluation_dip_fraction * min(1.0, self.evaluation_s / self.evaluation_period_s)

    @property
    def mean_training_kw(self) -> float:
        """Mean power while training, dips included [kW]."""
        return self.training_kw * (1.0 - self.dip_share)


class CoreSpec(Spec):
    """Storage, core switches, control: one load point on which every job depends."""

    load_kw: NonNegative = Field(default=0.0, description="of storage, core switches and control")
    hold_up_ms: NonNegative = Field(
        default=20.0, description="its supplies bridge so long; 20 ms is the ITIC curve's dropout tolerance"
    )


class OnBackupSpec(Spec):
    """Power cap while rows run on storage, or while the gensets are short of kW."""

    cap_after_s: NonNegative = Field(default=60.0, description="on storage until rows go to capped_kw")


class UtilisationGrowthSpec(Spec):
    """GPUs that fill up: busy ones draw more power above idle year by year, until they draw that of training.

    Jobs hold their GPUs from the start; what they lose counts whole.
    """

    first_year_fraction: float = Field(gt=0, le=1, description="of utilisation_profile, in the first year of 8760 h")
    per_year: float = Field(gt=-1, le=10, description="growth, year by year")


class ClusterSpec(Spec):
    """Rows of servers on the bus sections, and the core."""

    rows: PositiveCount = Field(le=999, description="of servers; each is a load point")
    servers_per_row: PositiveCount = Field(description="the same in each")
    gpus_per_server: PositiveCount = Field(default=8, description="8 in an HGX or DGX server")
    server: ServerSpec = ServerSpec()
    row_network_kw: NonNegative = Field(default=0.0, description="switches and fans of a row, whatever its servers do")
    corded: Literal["single", "dual"] = Field(
        default="single", description="single: rows hang on one section in turn; dual: on both"
    )
    transfer_switch: TransferSwitchSpec | None = Field(
        default=None, description="before each row that nothing else feeds, between two feeders' sections"
    )
    core: CoreSpec = CoreSpec()
    on_backup: OnBackupSpec | None = None
    utilisation_profile: ProfileSpec | None = Field(
        default=None, description="busy GPUs' power above idle, as a share of the training level, over the day or year"
    )
    utilisation_growth: UtilisationGrowthSpec | None = None
    power_window: PowerWindowSpec | None = Field(
        default=None, description="a measured stretch that busy servers replay, reading by reading"
    )

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        if self.utilisation_profile is not None and self.power_window is not None:
            raise ValueError("give utilisation_profile or power_window, and not both")
        if self.utilisation_growth is not None and self.power_window is not None:
            raise ValueError("give utilisation_growth or power_window, and not both")
        return self

    @property
    def row_kw(self) -> float:
        """A row with all its servers training [kW]."""
        return self.row_network_kw + self.servers_per_row * self.server.mean_training_kw

    @property
    def gpus(self) -> int:
        """GPUs of the cluster."""
        return self.rows * self.servers_per_row * self.gpus_per_server

    @property
    def it_kw(self) -> float:
        """All rows training, and the core [kW]."""
        return self.rows * self.row_kw + self.core.load_kw


NO_CLUSTER = ClusterSpec(rows=1, servers_per_row=1, gpus_per_server=1, server=ServerSpec(idle_kw=0.0))
"""One dark server that draws nothing: a site of plain load."""


def row_name(index: int) -> str:
    """Name of a row within its site."""
    return f"row-{index + 1:03d}"


class Cluster:
    """Load points of the cluster and the house."""

    def __init__(self, spec: ClusterSpec, house_load_kw: float) -> None:
        self.spec = spec
        self.house_load_kw = house_load_kw

    def declare(self, site: SiteBuilder) -> None:
        """Rows, core and house; rows are spread evenly over the sections."""
        spec, server = self.spec, self.spec.server
        everywhere = (1 << site.sections) - 1
        per_gpu = (server.mean_training_kw - server.idle_kw) / spec.gpus_per_server
        capped = (server.capped_kw * (1.0 - server.dip_share) - server.idle_kw) / spec.gpus_per_server
        gpus = spec.servers_per_row * spec.gpus_per_server
        for k in range(spec.rows):
            load = Load(
                row_name(k), f.ROW, fixed_kw=spec.row_network_kw + spec.servers_per_row * server.idle_kw,
                per_gpu_kw=per_gpu, per_gpu_capped_kw=capped, per_boot_kw=server.boot_kw - server.idle_kw,
                full_gpus=gpus, hold_up_ms=server.hold_up_ms, max_hold_up_ms=server.hold_up_max_ms,
                per_gpu_swing_kw=server.swing_kw / spec.gpus_per_server,
                sections=everywhere if spec.corded == "dual" else 1 << (k * site.sections // spec.rows),
                supplies=(server.supplies.count, server.supplies.needed),
            )  # fmt: skip
            site.add_load(load, "row", spec.row_kw, gpus)
        core = Load("core", f.CORE, fixed_kw=spec.core.load_kw, hold_up_ms=spec.core.hold_up_ms, sections=everywhere)
        site.add_load(core, "core", spec.core.load_kw)
        site.add_load(Load("house", f.HOUSE, fixed_kw=self.house_load_kw, sections=everywhere), "house", 0.0)

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """The power cap on backup, where the scenario asks for one."""
        if self.spec.on_backup is not None:
            cap = BackupCap(self.spec.on_backup, world, site, ids)
            site.phases.append(cap.react)
            site.cap = cap


_BACKUP, _IMPORT, _APPLICATION = "backup", "import", "application"


class BackupCap:
    """Caps all rows (a gang keeps its slowest row's pace) as long as there is a reason to: backup, limit, application.

    Backup is one once it has lasted `cap_after_s`, and until supply returns or the gensets can carry it all; without a
    spec it never is.
    """

    def __init__(self, spec: OnBackupSpec | None, world: World, site: Site, ids: dict[str, int]) -> None:
        self.site = site
        self._hears_outages = spec is not None
        self._after_us = round(spec.cap_after_s * TICKS_PER_S) if spec else NEVER
        self._rows = site.fact[f.L_KIND] == f.ROW
        feeds = {j for i in range(self._rows.size) if self._rows[i] for j in site.plan.feeds_of[i]}
        self._feeds = sorted(feeds)
        self._item = ids[site.path("core")]
        self._alarm = world.alarm(self._cap)
        self._row = -1
        self._reasons: set[str] = set()
        self.importing = False
        """Whether the import limit is a reason."""

    @property
    def on(self) -> bool:
        """Whether rows are capped."""
        return bool(self._reasons)

    def react(self) -> None:
        """Backup becomes a reason a while from now, or is none any longer."""
        site, fact = self.site, self.site.fact
        if not (site.abnormal or self.on or self._alarm.due != NEVER):
            return
        on_backup = _BACKUP in self._reasons
        on_storage = any(fact[f.F_STATE, j] == f.ON_STORAGE for j in self._feeds)
        on_gensets = any(fact[f.F_ON_GENSET, j] for j in self._feeds)
        settled = site.gensets is not None and site.gensets.settled
        if on_storage or (settled and site.spare_kw < 0.0):
            if not on_backup and self._alarm.due == NEVER:
                self._row = site.trigger
                self._alarm.at(site.now_us + self._after_us)
        elif not on_gensets or (settled and (not on_backup or site.spare_kw >= self._saved_kw())):
            self._alarm.stop()
            if self._turns(_BACKUP, on=False):
                site.log(self._item, r.CAPPED, 0, site.trigger)
                self._set()

    def _cap(self) -> None:
        if self._turns(_BACKUP, on=True):
            self.site.change(self._item, r.CAPPED, 1, LOAD | SUPPLY, self._row)
            self._set()

    def for_import(self, on: bool) -> None:
        """Cap at once because import is above its limit, or no longer; on backup `react` decides whether it stays."""
        site = self.site
        if self._hears_outages and site.abnormal and self.importing and not on:
            self._reasons.add(_BACKUP)
        self.importing = on
        if self._turns(_IMPORT, on=on):
            site.log(self._item, r.CAPPED, int(on), site.trigger)
            self._set()
        site.ask(LOAD | SUPPLY)

    def for_application(self, on: bool, row: int) -> None:
        """Cap because the application layer decided so in this event, or no longer."""
        if self._turns(_APPLICATION, on=on):
            self.site.change(self._item, r.CAPPED, int(on), LOAD | SUPPLY, row)
            self._set()

    def _saved_kw(self) -> float:
        """What lifting the cap would ask of the gensets on top, conversion losses included [kW]."""
        site = self.site
        load = site.quantity[:, self._rows]
        more = load[f.L_FULL_GPUS] * (load[f.L_PER_GPU_KW] - load[f.L_PER_GPU_CAPPED_KW])
        return float(more.sum() / (1.0 - site.quantity[f.F_LOSS_FRACTION, self._feeds].max()))

    def _turns(self, reason: str, *, on: bool) -> bool:
        """One more reason, or one less; whether that begins or ends the cap: then log it and write the facts."""
        before = self.on
        (self._reasons.add if on else self._reasons.discard)(reason)
        return self.on != before

    def _set(self) -> None:
        self.site.fact[f.L_CAPPED, self._rows] = self.on
        self.site.on_cap(self.on)
