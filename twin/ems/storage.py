"""What a plan must know of the storage, as one aggregate, and the rule that carries a plan out."""

from __future__ import annotations

from typing import NamedTuple

from twin.kernel import kernel


class Storage(NamedTuple):
    """All storage of a site that may act beside the grid, as one; powers at the grid side.

    Attributes:
        top_kwh: most stored energy.
        charge_kw: most power taken.
        discharge_kw: most power given.
        charge_efficiency: stored over taken.
        discharge_efficiency: given over drawn from store.
        kept_fraction: of the stored energy after one slot of self-discharge.
        wear_price: of energy given, per kWh.
        slot_h: length of a slot of the plan.
        grid_charge: 1 where it may charge from the grid, 0 where from surplus alone.
        import_floor_kw: import that discharging leaves.
    """

    top_kwh: float
    charge_kw: float
    discharge_kw: float
    charge_efficiency: float
    discharge_efficiency: float
    kept_fraction: float
    wear_price: float
    slot_h: float
    grid_charge: float = 1.0
    import_floor_kw: float = 0.0


@kernel
def act(
    net_kw: float,
    stored_kwh: float,
    up_kwh: float,
    down_kwh: float,
    cap_kw: float,
    floor_kwh: float,
    hours: float,
    storage: Storage,
) -> tuple[float, float]:
    """The rule: surplus is stored, the cap is held, and else energy is brought between the two thresholds.

    Never exports, leaves the floor of import, never goes below the reserve, never takes above the cap what would be
    stored.

    Args:
        net_kw: load less PV.
        stored_kwh: now, after self-discharge.
        up_kwh: charge up to here from the grid.
        down_kwh: discharge down to here.
        cap_kw: on import.
        floor_kwh: the reserve.
        hours: until the rule is asked again.
        storage: the aggregate.

    Returns:
        Power taken and given [kW]; one of them is zero.
    """
    charge_kw = storage.charge_kw
    have_kw = max(stored_kwh - floor_kwh, 0.0) * storage.discharge_efficiency / hours
    room_kw = max(storage.top_kwh - stored_kwh, 0.0) / storage.charge_efficiency / hours
    if net_kw < 0.0:
        taken = min(-net_kw, charge_kw, room_kw)
        wish_kw = (up_kwh - stored_kwh) / storage.charge_efficiency / hours
        if wish_kw > taken and storage.grid_charge > 0.0:
            taken = max(taken, min(wish_kw, charge_kw, room_kw, cap_kw - net_kw))
        return taken, 0.0
    given = max(net_kw - cap_kw, 0.0)
    if given == 0.0 and stored_kwh < up_kwh and storage.grid_charge > 0.0:
        wish_kw = (up_kwh - stored_kwh) / storage.charge_efficiency / hours
        return max(0.0, min(wish_kw, charge_kw, room_kw, cap_kw - net_kw)), 0.0
    if stored_kwh > down_kwh:
        given = max(given, (stored_kwh - down_kwh) * storage.discharge_efficiency / hours)
    return 0.0, min(given, storage.discharge_kw, have_kw, max(net_kw - storage.import_floor_kw, 0.0))
