"""The invariants of the plant hold with every topology and failure mode of the protection switched on."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import CABINETS, GENSETS, UPS, H, hall, merged, play
from strategies import scripts
from test_instants import TICKS, Onlooker, same_energies, same_events

from twin.world.site import LOAD, SUPPLY, UNITS

OFTEN = {"law": "exponential", "mean": 20.0}


@st.composite
def troubled_ups(draw: st.DrawFn) -> dict[str, Any]:
    """One system or two, by cords or by static switches; strings that fail; a lock-out."""
    ups = {
        **UPS, "systems": 2, "modules": {"n": 2, "r": 1, "rated_kw": 200.0, "mtbf_h": 20.0, "mttr_h": 2.0},
        "autonomy_min": draw(st.sampled_from([5.0, 90.0])), "block_mtbf_h": 30.0,
        "fail_on_demand_probability": draw(st.sampled_from([0.0, 0.3])),
    }  # fmt: skip
    if draw(st.booleans()):
        ups["transfer_switch"] = {
            "transfer_ms": {"law": "uniform", "low": 0.0, "high": 30.0}, "transfer_failure_probability": 0.3,
            "by_hand_min": 7.0, "mtbf_h": 40.0,
        }  # fmt: skip
    if draw(st.booleans()):
        ups["strings"] = {"n": 2, "r": 1, "mtbf_h": 20.0, "mttr_h": 3.0}
    if draw(st.booleans()):
        stays = draw(st.sampled_from(["battery", "bypass"]))
        ups["lock_out"] = {"transfers": 2, "within_s": 7200.0, "stays_on": stays, "manual_return_h": 1.0}
    return ups


@st.composite
def troubles(draw: st.DrawFn) -> dict[str, Any]:
    """A small hall with two feeders, a random protection full of trouble, fuel, planned work and hands that err."""
    protection: dict[str, Any] = {}
    work: dict[str, Any] = {}
    if draw(st.booleans()):
        protection["ups"] = draw(troubled_ups())
        work["ups_blocks"] = {"per_year": 8760 / 9, "duration_h": 2.0, "drain_job": draw(st.booleans())}
    else:
        protection["cabinets"] = {
            **CABINETS, "per_row": 2, "rated_kw": draw(st.sampled_from([60.0, 125.0])), "cabinet_mtbf_h": 30.0,
            "cabinet_mttr_h": 2.0, "transfer_ms": {"law": "uniform", "low": 0.0, "high": 40.0},
            "rated_kwh": draw(st.sampled_from([20.0, 261.0])), "auxiliary_kw": draw(st.sampled_from([0.0, 2.0])),
            "black_start_min": draw(st.sampled_from([None, 0.0, 10.0])),
            "pod_rows": draw(st.sampled_from([None, 1])),
            "bus_trip": {"probability": 0.5, "dark_h": 0.5},
            "thermal": {"per_gw_year": 1e6, "propagation_probability": 0.5, "down_h": 5.0, "load_dark_h": 1.0},
            "switch_failures": {"life_h": OFTEN, "repair_h": 2.0},
        }  # fmt: skip
        work["cabinets"] = {"per_year": 8760 / 5, "duration_h": 1.0}
        work["rows"] = {"per_year": 8760 / 11, "duration_h": 1.0, "drain_job": draw(st.booleans())}
    if draw(st.booleans()):
        fuel = {
            "tank_l": draw(st.sampled_from([30.0, 300.0, 3000.0])), "per_kwh_l": 0.25, "no_load_l_per_h": 10.0,
            "delivery_after_h": {"law": "uniform", "low": 0.5, "high": 6.0},
            "delivery_l": draw(st.sampled_from([None, 100.0])),
        }  # fmt: skip
        protection["gensets"] = {
            **GENSETS, "n": 2, "rated_kw": draw(st.sampled_from([110.0, 400.0])), "fail_to_load_probability": 0.3,
            "mttf_running_h": 3.0, "mttr_h": 2.0, "fuel": fuel,
        }  # fmt: skip
        work["gensets"] = {"per_year": 8760 / 7, "duration_h": 0.5}
    site = {
        "grid": {"feeders": {"A": {}, "B": {}}, "script": draw(scripts(["A", "B"])), "auto_transfer_s": 1.5},
        "cluster": {"server": {"supplies": {"count": 6, "needed": draw(st.sampled_from([3, 4]))}}},
        "protection": protection,
        "planned_work": work,
        "human_error": {"probability_per_operation": 0.3, "dark_min": 15.0},
    }
    return merged(hall(site=site), {"horizon": {"hours": 36.0}, "seed": draw(st.integers(1, 50))})


@settings(max_examples=40, deadline=None)
@given(troubles(), TICKS, st.sampled_from([0, LOAD, UNITS, SUPPLY]))
def test_extra_settles_and_reactions_leave_every_event_on_its_tick(
    data: dict[str, Any], ticks: list[int], concerns: int
) -> None:
    calm, watched = play(data, level="ledger"), play(data, Onlooker(ticks, concerns), level="ledger")
    same_events(calm, watched)
    same_energies(calm, watched)


@settings(max_examples=40, deadline=None)
@given(troubles())
def test_energy_is_conserved_and_nothing_is_carried_by_nobody(data: dict[str, Any]) -> None:
    ledger = play(data, level="ledger").ledger
    total = {name: float(np.sum(ledger[name])) for name in ledger if name.endswith("_kwh")}
    stored = float(ledger["stored_end_kwh"][-1] - ledger["stored_start_kwh"][0])
    gained = total["import_kwh"] + total["genset_kwh"] + total["hold_up_kwh"]
    spent = sum(total[f"{name}_kwh"] for name in ("it", "cooling", "house", "loss", "auxiliary", "storage_loss"))
    assert abs(gained - spent - stored) < 1e-6 * max(gained, 1.0)
    assert total["clamped_kwh"] < 1e-9


@settings(max_examples=20, deadline=None)
@given(troubles())
def test_a_load_is_dark_for_a_reason_and_every_chain_ends_at_a_root(data: dict[str, Any]) -> None:
    """Every dark load point names a cause, and roots are things that happen by themselves, never a load point."""
    story = play(data, level="ledger")
    events, names = story.trace.events, story.trace.items["name"]
    loads = {k for k, kind in enumerate(story.trace.items["kind"]) if kind in ("row", "core")}
    lit = story.whats.index("lit")
    for row in np.flatnonzero((events["what"] == lit) & (events["value"] == 0)).tolist():
        if events["time_us"][row] == 0:
            continue
        root = row
        while events["cause"][root] >= 0:
            root = int(events["cause"][root])
        assert root != row, f"{names[events['item'][row]]} went dark without a cause at {events['time_us'][row] / H} h"
        assert int(events["item"][root]) not in loads
