"""Power flow of what a site records: spans of constant draw, solved in batches by supply state when the tape is full.

What the grid gives beside the load (losses of cables and transformers) moves no fact and no level, so it need not be
known at dispatch: it is added to the months' energy and to their 15-minute peaks once solved. Dispatch works with a
quadratic estimate; the ledger holds both, so that the difference can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.plant import fields as f
from twin.plant.meter import meter_spans, place_draws
from twin.powerflow import solve
from twin.units import TICKS_PER_H
from twin.world.site_network import SiteNetwork, Switching

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_KEPT_STATES = 1024


@dataclass(frozen=True)
class _State:
    """One supply state, ready to solve: which buses a link's draw is shared over, and what iron draws."""

    switching: Switching
    link: Ints
    bus: Ints
    share: Floats
    iron_kw: Floats
    source: Ints | None
    """(buses,) the source of each bus where grid and gensets feed at once, else None."""


class FlowPlan:
    """What all replications share: the network, its load links and the supply states met so far."""

    def __init__(self, network: SiteNetwork, links: list[tuple[str, int]], normal: int, full_kw: Floats) -> None:
        """`links`: (load point, sections of its feed); `full_kw`: (links,) draw at full load; `normal`: the state."""
        self.network, self.links, self.normal = network, links, normal
        self._reactive = sum(load != "pv" for load, _ in links)
        self._states: dict[int, _State | None] = {}
        loss_kw, *_ = self.solve(normal, full_kw[None, :])
        iron_kw = float(self.state(normal).iron_kw.sum())  # type: ignore[union-attr]
        self.fixed_kw = iron_kw
        self.per_kw2 = max(0.0, float(loss_kw[0, 0]) - iron_kw) / max(float(full_kw.sum()), 1e-9) ** 2
        """Quadratic estimate: loss = fixed_kw + per_kw2 x (draw in all)^2, exact at full load in the normal state."""

    def state(self, number: int) -> _State | None:
        """The supply state, laid out on its first call; None where nothing is fed."""
        if number not in self._states:
            if len(self._states) > _KEPT_STATES:
                self._states = {self.normal: self._states[self.normal]}
            self._states[number] = self._laid_out(number)
        return self._states[number]

    def _laid_out(self, number: int) -> _State | None:
        network = self.network
        switching = network.switching(number)
        if not switching.sources:
            return None
        energised = network.energised(switching)
        shares = np.array([network.places(load, mask, switching, energised) for load, mask in self.links])
        link, bus = np.nonzero(shares)
        iron_kw = np.where(energised, network.iron_kw, 0.0)
        mixed = any(switching.on_grid) and any(switching.on_gensets)
        source = network.source_of(switching) if mixed else None
        return _State(switching, link, bus, shares[link, bus], iron_kw, source)

    def demand(self, state: _State, draw_kw: Floats) -> tuple[Floats, Floats]:
        """What the buses draw, (cases, buses) kW and kvar, for the draws of the links, (cases, links)."""
        shape = len(draw_kw), self.network.net.buses
        p_kw, q_kvar = np.empty(shape), np.empty(shape)
        tan_phi = self.network.tan_phi
        place_draws(draw_kw, state.link, state.bus, state.share, state.iron_kw, tan_phi, self._reactive, p_kw, q_kvar)
        return p_kw, q_kvar

    def solve(self, number: int, draw_kw: Floats) -> tuple[Floats, Floats, Ints]:
        """Solve cases of one supply state.

        Args:
            draw_kw: (cases, links) what each load point draws through each feed.

        Returns:
            Losses (cases, 2) of what the grid and what the gensets feed [kW], iron losses included; least voltage
            (cases,) [p.u.]; branches above their rating (cases,). NaN and -1 where there is no solution.
        """
        state, cases = self.state(number), len(draw_kw)
        if state is None:
            return np.zeros((cases, 2)), np.full(cases, np.nan), np.zeros(cases, np.int64)
        network = self.network
        p_kw, q_kvar = self.demand(state, draw_kw)
        out = solve(
            network.net, p_kw, q_kvar, in_service=state.switching.closed, sources=state.switching.sources,
            store="summary" if state.source is None else "voltages",
        )  # fmt: skip
        loss_kw = np.zeros((cases, 2))
        if state.source is not None:
            for n in range(len(state.switching.sources)):
                column = 0 if n < len(state.switching.sources) - 1 else 1
                drawn_kw = (p_kw - state.iron_kw)[:, state.source == n].sum(axis=1)
                loss_kw[:, column] += out.source_kva[:, n].real - drawn_kw
        else:
            loss_kw[:, 0 if any(state.switching.on_grid) else 1] = out.loss_kw + state.iron_kw.sum()
        return loss_kw, out.min_v_pu, out.overloads


class SiteFlows:
    """The flows of one replication: takes recorded rows, adds to the ledger, keeps the series' further columns."""

    def __init__(self, plan: FlowPlan, ledger: Floats, month_us: Ints, *, keep: bool) -> None:
        self.plan, self._ledger, self._month_us, self._keep = plan, ledger, month_us, keep
        self._quarter_kwh = np.zeros(1)
        self.solved: list[Floats] = []
        """By batch (5, spans): losses drawn from the grid and from gensets [kW], least voltage [p.u.], branches above
        rating, losses that lower export [kW]."""
        ledger[f.LEDGER_MIN_VOLTAGE_PU] = np.inf

    def take(self, time_us: Ints, rows: Floats, end_us: int) -> None:
        """Solve spans of constant draw, in time order; the last one ends at `end_us`.

        Args:
            time_us: (spans,) starts, each later than the one before.
            rows: (spans, columns) as the plant records them.
        """
        end = np.append(time_us[1:], end_us)
        state = rows[:, f.R_STATE].astype(np.int64)
        draw_kw = rows[:, f.R_DRAWS :]
        loss_kw, least, over = np.zeros((end.size, 2)), np.full(end.size, np.nan), np.zeros(end.size)
        for number in np.unique(state):
            mine = np.flatnonzero(state == number)
            loss_kw[mine], least[mine], over[mine] = self.plan.solve(int(number), np.ascontiguousarray(draw_kw[mine]))
        unsolved = np.isnan(loss_kw[:, 0])
        loss_kw[unsolved] = 0.0
        over[unsolved] = -1.0
        kept_kw = np.minimum(loss_kw[:, 0], rows[:, f.R_EXPORT])
        self._book(time_us, end, rows, np.stack([loss_kw[:, 0] - kept_kw, loss_kw[:, 1], least, over, kept_kw]))

    def grid_loss_kw(self, row: Floats) -> float:
        """What the network loses of the grid's power in one recorded row; 0 where the flow has no solution."""
        loss_kw, *_ = self.plan.solve(int(row[f.R_STATE]), row[None, f.R_DRAWS :].copy())
        return float(np.nan_to_num(loss_kw[0, 0]))

    def _book(self, start_us: Ints, end_us: Ints, rows: Floats, found: Floats) -> None:
        """Add spans to the months that they touch; `found` as in `solved`."""
        if self._keep:
            self.solved.append(found)
        by_grid_kw, by_gensets_kw, least, over, kept_kw = found
        drawn_kw = rows[:, f.IMPORT_KW] + rows[:, f.GENSET_KW]
        estimate_kw = np.where(drawn_kw > 0.0, self.plan.fixed_kw + self.plan.per_kw2 * drawn_kw**2, 0.0)
        under = least < self.plan.network.limits.min_voltage_pu
        ledger = self._ledger
        columns = {
            f.IMPORT_KW: by_grid_kw, f.GENSET_KW: by_gensets_kw, f.LEDGER_EXPORT_KWH: -kept_kw,
            f.NETWORK_LOSS_KW: by_grid_kw + kept_kw + by_gensets_kw,
            f.LEDGER_ESTIMATE_KWH: estimate_kw, f.LEDGER_UNDERVOLTAGE_H: under, f.LEDGER_OVERLOAD_H: over > 0,
            f.LEDGER_UNSOLVED_H: over < 0, f.LEDGER_ENERGY_COST: by_grid_kw * rows[:, f.R_PRICE],
        }  # fmt: skip
        for period in np.unique(rows[:, f.R_PERIOD]):
            columns[f.LEDGER_PERIOD_KWH + int(period)] = np.where(rows[:, f.R_PERIOD] == period, by_grid_kw, 0.0)
        for month, first, last, begin, end in _by_month(start_us, end_us, self._month_us):
            hours = (np.minimum(end_us[first:last], end) - np.maximum(start_us[first:last], begin)) / TICKS_PER_H
            for row, values in columns.items():
                ledger[row, month] += float(np.dot(values[first:last], hours))
            least_here = np.nanmin(np.append(least[first:last], np.inf))
            ledger[f.LEDGER_MIN_VOLTAGE_PU, month] = min(ledger[f.LEDGER_MIN_VOLTAGE_PU, month], least_here)
        meter_spans(start_us, end_us, rows[:, f.IMPORT_KW] + by_grid_kw, self._month_us, self._quarter_kwh, ledger)

    def finish(self) -> None:
        """The horizon: months in which nothing was solved have no least voltage."""
        least = self._ledger[f.LEDGER_MIN_VOLTAGE_PU]
        least[np.isinf(least)] = np.nan


def _by_month(start_us: Ints, end_us: Ints, month_us: Ints) -> list[tuple[int, int, int, int, int]]:
    """(month, first and last + 1 span that touches it, its start and end)."""
    if not start_us.size:
        return []
    found = []
    limits = np.append(month_us, 2**62)
    first_month = int(np.searchsorted(month_us, start_us[0], side="right")) - 1
    for month in range(first_month, month_us.size):
        begin, end = int(limits[month]), int(limits[month + 1])
        first = int(np.searchsorted(end_us, begin, side="right"))
        last = int(np.searchsorted(start_us, end, side="left"))
        if first >= last:
            break
        found.append((month, first, last, begin, end))
    return found
