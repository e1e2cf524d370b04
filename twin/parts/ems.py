"""The site's energy management: a policy looks at the past and plans, the plant carries the plan out.

What a policy sees is the past net load, prices, announced calls and work, the month's peak and what is stored: no
future. It plans for all cabinets as one; they share its thresholds. A policy of one's own is a Python file with a class
`Policy` that has `plan(view)`; it runs only where the user allows code (`--allow-code`), and never in `check`. Where a
policy fails or returns no usable plan, the capped rule takes its place until the next. `ems_running` says when it is
asked, and what of the past it is shown.
"""

from __future__ import annotations

import math
import os
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from twin.ems import policies
from twin.ems.view import Floats, Policy
from twin.errors import InputError, Problem
from twin.parts.ems_running import ITEM, RunningEms
from twin.parts.own_code import own_error
from twin.plant import fields as f
from twin.spec import Fraction, NonNegative, Positive, Spec

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.site import Site
    from twin.world.world import World


class EmsRechargeSpec(Spec):
    """Recharge of what an outage has taken from the reserve."""

    may_raise_peak: bool = Field(default=False, description="charges above the cap until the reserve is full again")


class EmsSpec(Spec):
    """Who plans for the cabinets beside the grid, and how."""

    policy: Literal["default", "capped", "naive"] = Field(
        default="default",
        description="default: exact plans over past errors of the forecast, under the cheapest cap for the month;"
        " capped: by the price of the hour, under the largest load of the past days; naive: by the price alone",
    )
    policy_file: str | None = Field(
        default=None, description="a Python file with a class Policy, instead; it runs with --allow-code alone"
    )
    backup_reserve_fraction: Fraction = Field(default=0.0, description="of the rated energy, kept for outages")
    recharge: EmsRechargeSpec = EmsRechargeSpec()
    replan_h: Literal[1, 2, 3, 4, 6, 8, 12, 24] = Field(default=6, description="between plans, from midnight on")
    demand_price_per_kw_month: NonNegative | None = Field(
        default=None, description="of the month's largest import; that of the tariff if absent"
    )
    free_demand_kw: NonNegative = Field(default=0.0, description="import below this adds nothing to the month's demand")
    surprise_fraction: Positive = Field(
        default=0.25, description="energy off what was foreseen, over that of full storage, which calls for a new plan"
    )
    charge_from: Literal["grid_and_pv", "pv"] = Field(
        default="grid_and_pv", description="pv: surplus of PV alone, so a reserve that an outage took waits for the sun"
    )
    wear_price_per_kwh: NonNegative = Field(default=0.0, description="what discharging a kWh costs in wear")


def load_policy(file: str, source: str | None = None) -> Policy:
    """An instance of the class `Policy` in a file, which is run for it.

    Args:
        file: its path.
        source: its text, where that has travelled here; read from the disk if None.

    Raises:
        InputError: there is no such file, it is no text, it fails, or there is no such class in it.
    """
    if source is None:
        source = read_source(file)
    module = ModuleType("twin_policy")
    module.__file__ = file
    try:
        exec(compile(source, file, "exec"), module.__dict__)  # noqa: S102 - the user has said --allow-code
        made: Any = module.__dict__.get("Policy")
        own: Policy | None = made() if hasattr(made, "plan") else None
    except Exception as error:
        raise own_error(error, file) from error
    if own is None:
        raise InputError(Problem("has no class Policy with a method plan(view)", file=file))
    return own


def read_source(file: str) -> str:
    """The text of a policy's file.

    Raises:
        InputError: there is no such file, or it is not UTF-8.
    """
    if not os.path.isfile(file):
        raise InputError(Problem("no such policy file", file=file))
    try:
        with open(file, encoding="utf-8") as stream:
            return stream.read()
    except UnicodeDecodeError:
        raise InputError(Problem("is not UTF-8 text", file=file)) from None


class Ems:
    """The management of one site. Plans whose inputs are equal are made once and shared by replications.

    Args:
        spec: its keys.
        demand_price: of a kW more in the month's demand.
        free_demand_kw: import that adds nothing to it.
        discount: from how much import in a month on demand is cheaper [kWh], and by which factor.
        steady: what the site draws without failures is the same in all replications.
    """

    def __init__(
        self,
        spec: EmsSpec,
        demand_price: float = 0.0,
        free_demand_kw: float = 0.0,
        discount: tuple[float, float] = (math.inf, 1.0),
        *,
        steady: bool = True,
    ) -> None:
        self.spec, self.demand_price, self.free_demand_kw, self.steady = spec, demand_price, free_demand_kw, steady
        self.discount_from_kwh, self.discount_factor = discount
        self.without_failures_kw: Floats | None = None
        self.policy: Policy | None = None if spec.policy_file else policies.POLICIES[spec.policy]()
        self.departures: list[int] = []
        """Of a steady site: hours within the day when its load has been off what the days before were."""
        self.least_kwh: dict[int, float] = {}
        """Import from which demand is cheaper, by month; one that the horizon cuts needs its share."""
        self.drawn_kw: dict[int, float] = {}
        """Of a steady site: by hour the mean net load of the weeks before."""
        self.made: dict[tuple[object, ...], tuple[Floats, float, bool]] = {}
        """By the inputs: the plant's rows, the day's cap, whether the policy failed."""

    def declare(self, site: SiteBuilder) -> None:
        """One item, whose events tell when the policy failed."""
        site.planned = True
        site.item(ITEM, "ems")

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Plan from time zero on.

        Raises:
            InputError: the policy is a file, and no code was allowed to run, or it holds no policy.
        """
        if self.policy is None:
            file = str(self.spec.policy_file)
            if not world.allow_code:
                remedy = "read it, then say --allow-code, or allow_code=True in Python"
                raise InputError(Problem("is code that this scenario wants to run", file=file, remedy=remedy))
            self.policy = load_policy(file, world.code.get(file))
        if not (site.fact[f.U_USE] & f.FOLLOWS).any():
            return
        running = RunningEms(self, self.policy, world, site, ids[site.path(ITEM)])
        site.planner, site.surprised = running.plan, running.surprised
        site.plan_due = True
