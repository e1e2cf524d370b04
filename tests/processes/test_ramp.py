"""Ramp limits: a step takes exactly X^2 / (2 Y) from storage; what it cannot carry is counted; PV, swings, outages."""

import numpy as np
import pytest
from simulation import CABINETS, MIN, Pokes, hall, merged, outage, play
from test_ems import energy_kwh, plain, series

IDLE = (
    "import numpy as np\nfrom twin.ems.view import Plan\n\n\nclass Policy:\n    def plan(self, view):\n"
    "        top = np.full(48, view.storage.top_kwh)\n"
    "        return Plan(view.floor_kwh, top, np.full(48, 1e9), view.floor_kwh, 1e9)\n"
)
"""Storage that neither buys nor sells."""


@pytest.fixture
def idle(tmp_path):
    path = tmp_path / "idle.py"
    path.write_text(IDLE)
    return str(path)


def stepped(limit, levels, policy, site=None):
    """House load by the hour under a ramp limit, storage half full; grid-following, 2 x 100 kW, 2 x 200 kWh."""
    own = {
        "house_load_kw": float(max(levels)),
        "grid": {"ramp_limit_kw_per_min": limit},
        "protection": {"cabinets": {"soc_start_fraction": 0.5}},
    }
    data = plain(1, merged(own, site or {}))
    data["sites"]["site"]["house_load_profile"] = {"hourly": (levels + [levels[-1]] * 24)[:24]}
    data["sites"]["site"]["ems"] = {"policy_file": policy} if policy else None
    return data


@pytest.mark.parametrize("limit", [9.0, 8.0, 7.3, 500.0])
@pytest.mark.parametrize(("before", "after"), [(200.0, 380.0), (380.0, 200.0)])
def test_a_step_takes_its_square_over_twice_the_limit(limit, before, after, idle):
    story = play(stepped(limit, [before] * 10 + [after] * 14, idle))
    needs_kwh = 180.0**2 / (2.0 * limit) / 60.0
    moved = energy_kwh(story, "discharge_kw" if after > before else "charge_kw")
    assert moved == pytest.approx(needs_kwh, rel=1e-9)
    assert story.ledger["ramp_storage_kwh"].sum() == pytest.approx(needs_kwh, rel=1e-9)
    assert story.ledger["ramp_exceeded_h"].sum() == 0.0
    own = story.trace.series[story.site]
    assert np.abs(np.diff(own["import_kw"])).max() <= limit * (1 + 1e-9)
    assert (np.diff(own["time_us"]) >= MIN).all()


def test_a_ramp_that_turns_half_way_goes_back_from_where_it_is(idle):
    story = play(stepped(1.0, [200.0] * 10 + [300.0] + [200.0] * 13, idle))
    given, taken = energy_kwh(story, "discharge_kw"), energy_kwh(story, "charge_kw")
    assert given == pytest.approx((100.0 + 40.0) / 2.0, rel=1e-9)  # 60 of 100 kW are reached
    assert taken == pytest.approx(60.0**2 / 2.0 / 60.0, rel=1e-9)


def test_what_storage_cannot_carry_leaves_the_ramp_and_is_counted(idle):
    full = {"protection": {"cabinets": {"soc_start_fraction": 0.95}}}
    bare = play(stepped(4.0, [200.0] * 10 + [400.0] * 14, None, full))
    assert bare.ledger["ramp_exceeded_h"].sum() == pytest.approx(50.0 / 60.0, rel=1e-9)
    assert bare.ledger["ramp_storage_kwh"].sum() == 0.0
    weak = {"protection": {"cabinets": {"core": 1}}}
    story = play(stepped(4.0, [200.0] * 10 + [400.0] * 14, idle, weak))
    assert story.ledger["ramp_exceeded_h"].sum() == pytest.approx(25.0 / 60.0, rel=1e-9)  # till 100 kW are enough
    assert energy_kwh(story, "discharge_kw") == pytest.approx(100.0 * 25.0 / 60.0 + 100.0 * 12.5 / 60.0, rel=1e-9)


def test_a_reserve_is_no_ramp_energy(idle):
    site = {"ems": {"backup_reserve_fraction": 0.45}}
    data = stepped(1.0, [200.0] * 10 + [380.0] * 14, idle)
    data["sites"]["site"]["ems"] |= site["ems"]
    story = play(data)
    assert series(story, "stored_kwh").min() >= 180.0 - 1e-6
    assert energy_kwh(story, "discharge_kw") == pytest.approx(20.0 * 0.95, rel=1e-6)
    assert story.ledger["ramp_exceeded_h"].sum() > 1.0


def test_pv_gives_up_what_storage_cannot_take_and_storage_bridges_clouds(idle):
    sun = [0.0] * 10 + [150.0, 0.0] + [0.0] * 12
    site = {"pv": {"peak_kw": 400.0, "profile": {"hourly": sun}}}
    story = play(stepped(5.0, [200.0] * 24, idle, site))
    assert story.ledger["ramp_exceeded_h"].sum() == 0.0
    assert story.ledger["curtailed_kwh"].sum() == 0.0
    assert energy_kwh(story, "charge_kw") == pytest.approx(150.0**2 / 10.0 / 60.0, rel=1e-9)
    assert energy_kwh(story, "discharge_kw") == pytest.approx(150.0**2 / 10.0 / 60.0, rel=1e-9)
    full = {"protection": {"cabinets": {"soc_start_fraction": 0.95}}}
    bare = play(stepped(5.0, [200.0] * 24, None, merged(site, full)))
    assert bare.ledger["curtailed_kwh"].sum() == pytest.approx(150.0**2 / 10.0 / 60.0, rel=1e-9)
    assert bare.ledger["ramp_exceeded_h"].sum() == pytest.approx(0.5, rel=1e-9)  # when it goes, nobody can help


def test_supply_comes_back_without_a_ramp(idle):
    site = {"grid": {"script": [outage(5.5, duration_s=600.0)]}}
    story = play(stepped(1.0, [200.0] * 24, idle, site))
    assert story.ledger["ramp_storage_kwh"].sum() == 0.0
    assert story.ledger["ramp_exceeded_h"].sum() == 0.0


def test_asking_again_changes_no_ramp(idle):
    data = stepped(7.3, [200.0] * 10 + [380.0, 250.0] * 7, idle)
    one, two = play(data), play(data, Pokes(17_234_567))
    for name in ("time_us", "import_kw"):
        assert (series(one, name) == series(two, name)).all()


@pytest.mark.parametrize(("kw", "taken"), [(4.0, 0.0), (5.0, 1.0)])
def test_swings_of_training_are_held_against_the_cabinets_kw(kw, taken, idle):
    """160 GPUs on 20 servers dip by 10 % of 10 kW: 20 kW; 5 kW a minute are allowed, three cabinets must take 15."""
    site = {
        "cluster": {"server": {"evaluation_dip_fraction": 0.1}},
        "grid": {"ramp_limit_kw_per_min": 5.0},
        "protection": {"cabinets": merged(CABINETS, {"rated_kw": kw, "topology": "grid_following"})},
        "ems": {"policy_file": idle},
    }
    story = play(hall(site=site))
    assert story.ledger["swing_h"].sum() == pytest.approx(24.0)
    assert story.ledger["swing_exceeded_h"].sum() == pytest.approx(24.0 * (1.0 - taken))
