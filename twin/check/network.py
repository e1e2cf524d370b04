"""The network at full load, as built and with each feeder out: losses, the lowest voltage, the highest loading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twin.plant import fields as f
from twin.powerflow import solve
from twin.scenario.model import SiteSpec
from twin.world.blueprint import SiteBuilder
from twin.world.site_network import SiteNetwork, supply_state


@dataclass(frozen=True)
class FlowCheck:
    """One supply state at full load; voltages and loadings are nan where it has no solution.

    Attributes:
        state: "as built", or which feeder is out.
        loss_kw: of cables and transformers.
        min_voltage_pu, min_voltage_bus: the lowest bus.
        loading_fraction, loaded_branch: the branch nearest its rating.
        low: whether the lowest bus is below the network's min_voltage_pu.
    """

    state: str
    loss_kw: float
    min_voltage_pu: float
    min_voltage_bus: str
    loading_fraction: float
    loaded_branch: str
    low: bool


def check_flows(builder: SiteBuilder, site: SiteSpec, draw_kw: dict[str, float]) -> tuple[FlowCheck, ...]:
    """Solve the network with every load point at `draw_kw` (full names), tie closed where a feeder is out."""
    network = builder.network
    if network is None:
        return ()
    names = sorted(site.grid.feeders)
    own = [f.OWN_FEEDER] * len(names)
    found = [_one("as built", network, own, builder, draw_kw)]
    if len(names) == 2 and network.tie >= 0:
        for out, name in enumerate(names):
            state = [f.THROUGH_TIE if s == out else f.OWN_FEEDER for s in range(2)]
            found.append(_one(f"feeder {name} out", network, state, builder, draw_kw))
    return tuple(found)


def _one(
    text: str, network: SiteNetwork, sections: list[int], builder: SiteBuilder, draw_kw: dict[str, float]
) -> FlowCheck:
    switching = network.switching(supply_state(sections))
    energised = network.energised(switching)
    p_kw = np.zeros(network.net.buses)
    for name, kw in draw_kw.items():
        load = builder.loads[name]
        p_kw += kw * network.places(builder.short(name), load.sections, switching, energised)
    iron_kw = np.where(energised, network.iron_kw, 0.0)
    demand = (p_kw + iron_kw)[None], (p_kw * network.tan_phi)[None]
    out = solve(network.net, *demand, in_service=switching.closed, sources=switching.sources)
    if not out.converged[0]:
        return FlowCheck(text, float("nan"), float("nan"), "", float("nan"), "", low=True)
    volts, loading = out.v_pu[0], out.current_a[0] / network.net.rating_a
    bus, branch = int(np.nanargmin(volts)), int(np.argmax(loading))
    ends = network.net.from_bus[branch], network.net.to_bus[branch]
    return FlowCheck(
        state=text,
        loss_kw=float(out.loss_kw[0] + iron_kw.sum()),
        min_voltage_pu=float(volts[bus]),
        min_voltage_bus=network.names[bus],
        loading_fraction=float(loading[branch]),
        loaded_branch=" - ".join(network.names[end] for end in ends),
        low=bool(volts[bus] < network.limits.min_voltage_pu),
    )


def flow_warnings(flows: tuple[FlowCheck, ...]) -> Iterator[str]:
    """What does not hold at full load, in words."""
    for one in flows:
        if np.isnan(one.min_voltage_pu):
            yield f"network, {one.state}: the power flow has no solution at full load"
            continue
        if one.low:
            yield f"network, {one.state}: {one.min_voltage_pu:.3f} p.u. at {one.min_voltage_bus}, below its limit"
        if one.loading_fraction > 1.0:
            percent = 100 * one.loading_fraction
            yield f"network, {one.state}: {one.loaded_branch} carries {percent:.0f} % of its rating at full load"
