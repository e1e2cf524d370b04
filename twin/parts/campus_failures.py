"""What fails in a campus network, by kind of piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from twin.chance.law import compile_law
from twin.parts.campus_outages import OutageFigures
from twin.parts.network_failures import OperationSpec, PieceFailuresSpec

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder


KINDS = (
    "main_transformers", "section_bus_bars", "cables", "row_transformers", "row_busways", "core_transformers",
    "cooling_transformers", "breakers",
)  # fmt: skip


class CampusFailuresSpec(OperationSpec):
    """Failures of each piece by kind; a kind that is left out never fails."""

    main_transformers: PieceFailuresSpec | None = Field(default=None, description="takes its feeder; the tie acts")
    section_bus_bars: PieceFailuresSpec | None = None
    cables: PieceFailuresSpec | None = Field(default=None, description="failures_per_year of a kilometre")
    row_transformers: PieceFailuresSpec | None = None
    row_busways: PieceFailuresSpec | None = Field(default=None, description="between the row's storage and the row")
    core_transformers: PieceFailuresSpec | None = None
    cooling_transformers: PieceFailuresSpec | None = None
    breakers: PieceFailuresSpec | None = Field(default=None, description="each a fault on both its sides")

    @model_validator(mode="after")
    def _something_fails(self) -> Self:
        if not self._kinds():
            raise ValueError(f"name a kind that fails: {', '.join(KINDS)}")
        return self

    def _kinds(self) -> list[str]:
        return [kind for kind in KINDS if getattr(self, kind) is not None]

    def figures(self, site: SiteBuilder, cable_m: float) -> OutageFigures:
        """Compiled for one site."""
        models = {}
        for kind in self._kinds():
            spec: PieceFailuresSpec = getattr(self, kind)
            model = spec.model(site.start_month, cable_m / 1000.0 if kind == "cables" else 1.0)
            if model is not None:
                models[kind] = model
        return OutageFigures(
            site.path("network"), models, compile_law(self.switching_h), self.fuse_fails_to_operate_probability,
            self.breaker_fails_to_operate_probability,
        )  # fmt: skip
