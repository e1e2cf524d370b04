"""What a rare-event campaign biases, for one design: part of the campaign's identity, and all that a worker needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twin.campaign.rare.columns import Float, rare_row
from twin.campaign.rare.hits import HITS
from twin.chance.proposal import Proposal
from twin.simulator import Simulator
from twin.world.weights import Weights


@dataclass(frozen=True)
class Settings:
    """The target metric, the mixture of proposals, and how long all must be well before an excursion is over [h].

    `factors` holds, by metric, those of the controls in `twin.campaign.rare.columns`; none is 0.
    """

    target: str
    proposals: tuple[Proposal, ...]
    rest_h: float
    factors: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def weights(self, *, tally_all: bool = False) -> Weights:
        """For one run."""
        return Weights(self.proposals, self.rest_h, HITS.get(self.target), tally_all=tally_all)

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        proposals = [one.as_data() for one in self.proposals]
        factors = {name: list(own) for name, own in self.factors.items()}
        return {"target": self.target, "rest_h": self.rest_h, "proposals": proposals, "factors": factors}

    @classmethod
    def of(cls, data: dict[str, Any]) -> Settings:
        """Read back what `as_data` gave."""
        proposals = tuple(Proposal(**one) for one in data["proposals"])
        return cls(data["target"], proposals, data["rest_h"], data["factors"])


def run_weighted(simulator: Simulator, replication: int, settings: Settings) -> Float:
    """The row of one replication under `settings`."""
    luck = settings.weights()
    return rare_row(simulator.run(replication, "ledger", luck), luck.at_hits(), settings.factors)
