"""Plans carried out by the plant: cabinets beside the grid, caps, reserve, calls, outages, failures."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from simulation import Breaks, H, Pokes, merged, outage, play, simulator

from twin.campaign.pack import pack, unpack
from twin.check.carrying import check_study
from twin.ems.policies.capped import Capped
from twin.errors import InputError
from twin.metrics import measure
from twin.parts.ems import Ems
from twin.parts.ems_known import departures
from twin.parts.ems_rounding import sound_share
from twin.plant import fields as f
from twin.scenario.load import load, shipped
from twin.simulator import Simulator

SHAPE = [
    300,
    300,
    296,
    292,
    300,
    308,
    320,
    340,
    380,
    420,
    440,
    448,
    440,
    420,
    400,
    392,
    400,
    420,
    460,
    480,
    430,
    380,
    340,
    310,
]
PRICE = [0.3] * 8 + [0.7] * 9 + [1.2] * 4 + [0.7] * 3
SUN = [0.0] * 7 + [60.0, 180.0, 320.0, 450.0, 520.0, 540.0, 500.0, 420.0, 300.0, 160.0, 50.0] + [0.0] * 6
SITE = {
    "house_load_kw": 480.0,
    "house_load_profile": {"hourly": SHAPE},
    "price_per_kwh": {"hourly": PRICE},
    "grid": {"feeders": {"A": {}}},
    "protection": {
        "cabinets": {
            "core": 2, "rated_kw": 100.0, "rated_kwh": 200.0, "efficiency_one_way": 0.95, "auxiliary_kw": 0.0,
            "cabinet_mtbf_h": 1e12, "topology": "grid_following",
        }
    },
    "ems": {"demand_price_per_kw_month": 40.0},
}  # fmt: skip


def plain(days=8, site=None, **top):
    data = {
        "name": "plain",
        "horizon": {"start": "2026-03-29", "hours": 24.0 * days},
        "sites": {"site": merged(SITE, site or {})},
    }
    return data | top


def series(story, name):
    return story.trace.series[story.site][name]


def energy_kwh(story, name, first_h=0.0, last_h=None):
    own = story.trace.series[story.site]
    knots = np.append(own["time_us"], story.trace.meta["horizon_us"]) / H
    until = np.concatenate([[0.0], np.cumsum(own[name] * np.diff(knots))])
    last_h = knots[-1] if last_h is None else last_h
    return float(np.interp(last_h, knots, until) - np.interp(first_h, knots, until))


class Calls:
    """A part that announces one call at a tick."""

    def __init__(self, at_h, begin_h, end_h, cap_kw):
        self.at_us, self.call = round(at_h * H), (round(begin_h * H), round(end_h * H), cap_kw)

    def declare(self, site):
        pass

    def install(self, world, site, ids):
        def run():
            yield world.sleep(self.at_us)
            site.announce(*self.call)

        world.start(run())


@pytest.fixture(scope="module")
def year():
    return play(plain())


def test_storage_earns_by_time_of_use_and_never_exports(year):
    idle = play(plain(site={"ems": {"policy": "capped"}}))
    assert energy_kwh(year, "discharge_kw", 96.0) > 300.0
    assert series(year, "import_kw").min() >= 0.0
    assert series(idle, "import_kw").min() >= 0.0
    cheap = energy_kwh(year, "charge_kw", 96.0, 104.0)
    assert cheap > 0.5 * energy_kwh(year, "charge_kw", 96.0, 120.0)


def test_the_energy_of_every_hour_balances(year):
    house = energy_kwh(year, "house_kw")
    grid = energy_kwh(year, "import_kw")
    assert grid == pytest.approx(house + energy_kwh(year, "charge_kw") - energy_kwh(year, "discharge_kw"), rel=1e-9)


def test_the_peak_of_the_month_is_shaved(year):
    own = year.trace.series[year.site]
    later = own["time_us"] >= 3 * 24 * H
    assert own["import_kw"][later].max() < 470.0


def test_both_cabinets_share_alike(year):
    for tick in range(0, 8 * 24 * H, 5 * H):
        one, two = (year.stored_kwh(f"core/cabinet-{k:02d}", tick) for k in (1, 2))
        assert one == pytest.approx(two, abs=1e-6)


POKES = Pokes(1_234_567_891)
"""Every twenty minutes or so."""


def test_asking_again_changes_nothing(year):
    poked = play(plain(), POKES)
    for name in ("time_us", "import_kw", "stored_kwh"):
        assert (series(year, name) == series(poked, name)).all()


def test_the_future_changes_nothing_before_it(tmp_path):
    rng = np.random.default_rng(5)
    base = np.tile(SHAPE, 12) * rng.normal(1.0, 0.05, 288)
    stories = []
    for k in range(2):
        kw = base.copy()
        if k:
            kw[200:] = rng.uniform(250.0, 480.0, 88)
        kw[287] = 700.0  # shapes are shares of the largest value
        path = tmp_path / f"{k}.csv"
        path.write_text("kw\n" + "\n".join(repr(float(one)) for one in kw) + "\n")
        profile = {"hourly": None, "file": str(path), "column": "kw"}
        site = {"house_load_kw": 700.0, "house_load_profile": profile}
        data = plain(12, site)
        data["sites"]["site"]["house_load_profile"] = profile
        data["horizon"]["start"] = "2026-01-01"
        stories.append(play(data))
    one, two = (story.trace.series[story.site] for story in stories)
    early = [int(np.searchsorted(own["time_us"], 200 * H)) for own in (one, two)]
    assert early[0] == early[1]
    for name in one:
        assert np.array_equal(one[name][: early[0]], two[name][: early[1]], equal_nan=True)
    assert (one["import_kw"][-20:] != two["import_kw"][-20:]).any()


def test_a_reserve_is_never_traded():
    story = play(plain(site={"ems": {"backup_reserve_fraction": 0.5}}))
    assert series(story, "stored_kwh").min() >= 200.0 - 1e-6
    assert series(story, "stored_kwh").min() < 210.0


def test_a_call_lowers_import():
    story = play(plain(), Calls(100.0, 130.0, 132.0, 330.0))
    free = play(plain())
    assert energy_kwh(story, "import_kw", 130.0, 132.0) <= 2 * 330.0 + 1e-6
    assert energy_kwh(free, "import_kw", 130.0, 132.0) > 2 * 330.0


def test_a_cabinet_that_fails_leaves_the_other_at_work():
    story = play(plain(), Breaks((100 * H, "core/cabinet-01", 0), (150 * H, "core/cabinet-01", 1)))
    assert story.stored_kwh("core/cabinet-01", 101 * H) == story.stored_kwh("core/cabinet-01", 149 * H)
    assert energy_kwh(story, "discharge_kw", 101.0, 149.0) > 50.0
    one, two = (story.stored_kwh(f"core/cabinet-{k:02d}", 185 * H) for k in (1, 2))
    assert one == pytest.approx(two, abs=1e-6)


HALL = {"cluster": {"rows": 1, "servers_per_row": 1, "server": {"idle_kw": 2.0}, "core": {"load_kw": 60.0}}}


def in_outage(**ems):
    site = HALL | {"grid": {"import_limit_kw": 620.0, "script": [outage(100.5, duration_s=5400.0)]}, "ems": ems}
    return play(plain(site=merged(site, {"protection": {"cabinets": {"topology": "parallel_static_switch"}}})))


def test_recharge_after_an_outage_neither_trips_the_limit_nor_sets_the_peak():
    told, free = (
        in_outage(backup_reserve_fraction=0.9),
        in_outage(backup_reserve_fraction=0.9, recharge={"may_raise_peak": True}),
    )
    calm = play(plain(site=HALL | {"ems": {"backup_reserve_fraction": 0.9}}))
    for story in (told, free):
        assert story.stored_kwh("core/cabinet-01", 102 * H) < 0.9 * 200.0 - 20.0
        assert story.stored_kwh("core/cabinet-01", 130 * H) >= 0.9 * 200.0 - 1e-6
        assert series(story, "import_kw").max() <= 620.0 + 1e-9
    peak_kw = calm.ledger["peak_import_kw"][1]
    assert told.ledger["peak_import_kw"][1] <= peak_kw + 1e-6
    assert free.ledger["peak_import_kw"][1] > peak_kw + 10.0


def test_a_policy_of_ones_own_is_a_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import numpy as np\nfrom twin.ems.view import Plan\n\n\nclass Policy:\n"
        "    def plan(self, view):\n"
        "        none = view.floor_kwh\n"
        "        return Plan(none, none, np.full(48, view.connection_kw), none, view.connection_kw)\n"
    )
    story = play(plain(2, {"ems": {"policy_file": str(path)}}))
    assert story.stored_kwh("core/cabinet-01", 47 * H) == pytest.approx(10.0, abs=1e-6)


def test_the_text_of_a_policy_travels_to_workers_that_have_no_such_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import numpy as np\nfrom twin.ems.view import Plan\n\n\nclass Policy:\n"
        "    def plan(self, view):\n"
        "        none = view.floor_kwh\n"
        "        return Plan(none, none, np.full(48, view.connection_kw), none, view.connection_kw)\n"
    )
    study = simulator(plain(2, {"ems": {"policy_file": str(path)}})).study
    here, packed = Simulator(study).run(0, "ledger"), pack(study)
    assert pack(replace(study, allow_code=False)) != packed
    assert not unpack(pack(replace(study, allow_code=False))).code
    path.unlink()
    there = Simulator(unpack(packed)).run(0, "ledger")
    np.testing.assert_array_equal(here.ledger["site"]["charge_cost"], there.ledger["site"]["charge_cost"])
    np.testing.assert_array_equal(here.ledger["site"]["discharge_kwh"], there.ledger["site"]["discharge_kwh"])
    assert there.ledger["site"]["discharge_kwh"].sum() > 0.0


def test_a_plan_that_is_none_falls_back_to_the_rule_and_is_counted(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("class Policy:\n    def plan(self, view):\n        raise ValueError('no')\n")
    story = play(plain(2, {"ems": {"policy_file": str(path)}}))
    assert len(story.at("ems", "fell_back")) == 2
    assert measure(story.trace)["plans_fallen_back_per_year"] == pytest.approx(365.0)


def test_a_policy_file_that_is_not_there_or_holds_none_is_named(tmp_path):
    with pytest.raises(InputError, match="no such policy file"):
        play(plain(2, {"ems": {"policy_file": str(tmp_path / "none.py")}}))
    empty = tmp_path / "empty.py"
    empty.write_text("")
    with pytest.raises(InputError, match="no class Policy"):
        play(plain(2, {"ems": {"policy_file": str(empty)}}))


def test_code_that_a_scenario_names_runs_only_where_it_is_allowed_and_never_in_check(tmp_path):
    (tmp_path / "mine.py").write_text("from pathlib import Path\nPath('ran').touch()\nclass Policy: pass\n")
    file = tmp_path / "site.yaml"
    file.write_text("extends: 10_reserve.yaml\ndesigns: {trade_90: {sites.campus.ems.policy_file: mine.py}}\n")
    reserve = shipped()["10_reserve"]
    for one in (reserve, reserve.with_name("01_flagship.yaml")):
        (tmp_path / one.name).write_bytes(one.read_bytes())
    study = load(file)
    assert [one.name for one in study.files] == ["mine.py"]  # its source is part of the digest
    check_study(study)
    with pytest.raises(InputError, match=r"code that this scenario wants to run.*--allow-code"):
        Simulator(study, "trade_90").run(0, "ledger")
    assert not Path("ran").exists()


def test_what_storage_cannot_do_is_refused_with_the_way_out():
    with pytest.raises(ValueError, match=r"cannot be reached.*lower the reserve"):
        simulator(plain(2, {"ems": {"backup_reserve_fraction": 0.97}}))
    with pytest.raises(ValueError, match="soc_start_fraction must lie between"):
        simulator(plain(2, {"protection": {"cabinets": {"soc_start_fraction": 0.99}}}))
    bare = plain(2)
    del bare["sites"]["site"]["protection"]
    with pytest.raises(ValueError, match=r"no storage to plan for \(add protection.cabinets\)"):
        simulator(bare)
    with pytest.raises(ValueError, match="'default', 'capped' or 'naive'"):
        simulator(plain(2, {"ems": {"policy": "greedy"}}))


def test_plans_from_equal_inputs_are_made_once():
    site = {"protection": {"cabinets": {"cabinet_mtbf_h": 1e12}}}
    made = simulator(plain(6, site))
    part = next(part for part in made.blueprint.parts[0] if isinstance(part, Ems))
    one = made.run(0, "series")
    count = len(part.made)
    two = made.run(1, "series")
    assert count == 6  # at midnight alone: nothing comes as a surprise
    assert len(part.made) == count
    assert (one.series["site"]["import_kw"] == two.series["site"]["import_kw"]).all()


@pytest.mark.parametrize(("outage_s", "least", "most"), [(60.0, 0, 0), (2.0 * 3600.0, 1, 4)])
def test_an_outage_plans_its_own_aftermath_alone(outage_s, least, most):
    """One after which nothing that a plan hangs on differs makes none: the plan of the day stands."""
    site = {"ems": {"backup_reserve_fraction": 0.6}, "protection": {"cabinets": {"topology": "parallel_static_switch"}}}
    site = merged(HALL, site)
    made = simulator(plain(4, site))
    hit = simulator(plain(4, merged(site, {"grid": {"script": [outage(46.5, duration_s=outage_s)]}})))
    parts = [next(part for part in one.blueprint.parts[0] if isinstance(part, Ems)) for one in (made, hit)]
    made.run(0, "ledger")
    parts[1].made.update(parts[0].made)
    hit.run(0, "ledger")
    new = len(parts[1].made) - len(parts[0].made)
    assert least <= new <= most


def test_replications_of_the_flagship_share_their_plans():
    """Of 370 plans a year; after ten replications 1 to 2 are new."""
    made = Simulator(load("10_reserve"), "trade_30")
    part = next(part for part in made.blueprint.parts[0] if isinstance(part, Ems))
    counts = [0]
    for replication in range(4):
        made.run(replication, "ledger")
        counts.append(len(part.made))
    new = np.diff(counts)
    assert 365 <= new[0] < 380
    assert new[1] <= 20
    assert new[3] <= 6


def test_sound_storage_moves_by_whole_steps_and_never_to_none_while_some_is_left():
    shares, planned = [], -1.0
    for true in (1.0, 158 / 160, 156 / 160, 157 / 160, 155 / 160, 157 / 160, 1.0, 0.001, 1.0):
        planned = sound_share(true, planned)
        shares.append(32 * planned)
    assert shares == [32, 32, 32, 32, 31, 31, 32, 1, 32]


def planning(data, *extra, replication=0):
    """A run's trace, and its plans' view of known net load, by hour of issue."""
    made = simulator(data, *extra)
    part = next(part for part in made.blueprint.parts[0] if isinstance(part, Ems))
    seen = {}

    class Watched(type(part.policy)):
        def plan(self, view):
            seen[len(view.history_kw)] = view.known_kw
            return super().plan(view)

    part.policy = Watched()
    return made.run(replication, "ledger"), seen, part


def test_a_surprise_makes_a_plan_a_quarter_of_an_hour_later_and_a_flurry_makes_one():
    first, second = (100 * H, "core/cabinet-01", 0), (100 * H + H // 10, "core/cabinet-01", 1)
    calm, once = planning(plain()), planning(plain(), Breaks(first))
    flurry = planning(plain(), Breaks(first, second))
    assert len(once[2].made) == len(calm[2].made) + 1
    assert len(flurry[2].made) == len(calm[2].made)


def test_a_job_that_stands_still_is_known_load_until_it_restarts():
    site = merged(HALL, {"grid": {"script": [outage(30.2, duration_s=60.0)]}, "house_load_kw": 100.0})
    job = {"kind": "gang", "gpus": 8, "hardware": {"per_1000_server_days": 0.0}}
    site = merged(site, {"cluster": {"servers_per_row": 60, "server": {"evaluation_dip_fraction": 0.0}}})
    job |= {"gpus": 480, "restart_after_power_loss_h": {"core_kept": 5.0, "core_lost": 5.0}}
    _, seen, _ = planning(plain(3, site, jobs={"training": job}))
    known = seen[30]
    assert not np.isnan(known[:6]).any()
    assert np.isnan(known[6:]).all()
    assert known[1] < known[5]  # it trains again within that hour


def test_announced_work_on_a_row_is_known_load():
    site = merged(
        HALL, {"planned_work": {"script": [{"at_h": 40.5, "on": "row-001", "duration_h": 4.0, "notice_h": 24.0}]}}
    )
    job = {"kind": "gang", "gpus": 8, "hardware": {"per_1000_server_days": 0.0}}
    _, seen, part = planning(plain(3, site, jobs={"training": job}))
    known, free = seen[24], part.without_failures_kw
    assert (~np.isnan(known)).nonzero()[0].tolist() == [16, 17, 18, 19, 20]
    gone_kw = free[41:44] - known[17:20]
    assert gone_kw == pytest.approx(6.9, abs=0.2)
    assert known[16] == pytest.approx(free[40] - 0.5 * gone_kw[0], abs=1e-6)


class Aged:
    """A part that leaves the first cabinet only a share of its window."""

    def __init__(self, share):
        self.share = share

    def declare(self, site):
        pass

    def install(self, world, site, ids):
        quantity = site.quantity
        window = quantity[f.U_MAX_KWH, 0] - quantity[f.U_MIN_KWH, 0]
        top = quantity[f.U_MIN_KWH, 0] + self.share * window
        quantity[[f.U_MAX_KWH, f.ENERGY_KWH, f.ANCHOR_KWH, f.U_CEILING_KWH], 0] = top


def legs_kwh(story, name):
    """Energy that a cabinet has taken up and given off over the run, and its largest power either way."""
    units = story.trace.units[story.site]
    own = units["item"] == story.trace.items["name"].index(f"{story.site}/core/{name}")
    step, hours = np.diff(units["energy_kwh"][own]), np.diff(units["time_us"][own]) / H
    rate = step[hours > 1e-3] / hours[hours > 1e-3]
    return step[step > 0].sum(), rate.max(initial=0.0), -rate.min(initial=0.0)


def test_an_aged_cabinet_does_its_share_of_the_work_and_none_exceeds_its_kw():
    story = play(plain(), Aged(0.6))
    aged, sound = legs_kwh(story, "cabinet-01"), legs_kwh(story, "cabinet-02")
    assert sound[0] > 500.0
    assert aged[0] / sound[0] == pytest.approx(0.6, abs=0.02)
    for one in (aged, sound):
        assert one[1] <= 100.0 * 0.95 + 1e-6
        assert one[2] <= 100.0 / 0.95 + 1e-6


def test_the_emptier_cabinet_charges_faster_until_both_are_level():
    data = plain(4, {"recharge_after_outage": {"limit_kw": 60.0}})
    story = play(data, Breaks((60 * H, "core/cabinet-01", 0), (73 * H, "core/cabinet-01", 1)))
    begin, end = ([story.stored_kwh(f"core/cabinet-{k:02d}", tick) for k in (1, 2)] for tick in (73 * H, 74 * H))
    taken = [after - before for before, after in zip(begin, end, strict=True)]
    assert sum(taken) == pytest.approx(60.0 * 0.95, rel=1e-6)
    fuller, emptier = (0, 1) if begin[0] > begin[1] else (1, 0)
    assert begin[fuller] > begin[emptier] + 30.0
    assert taken[emptier] > 1.2 * taken[fuller]


def test_what_other_replications_have_planned_changes_nothing():
    site = merged(HALL, {"protection": {"cabinets": {"cabinet_mtbf_h": 40.0}}, "cluster": {"servers_per_row": 20}})
    jobs = {"training": {"kind": "gang", "gpus": 160, "hardware": {"per_1000_server_days": 100.0}}}
    data = plain(10, site, jobs=jobs)
    alone, others = simulator(data), simulator(data)
    for replication in (0, 1, 2):
        others.run(replication, "ledger")
    one, two = alone.run(3, "series"), others.run(3, "series")
    assert one.events["time_us"].size > 20
    assert (one.events["time_us"] == two.events["time_us"]).all()
    for table in ("series", "ledger"):
        for name, column in getattr(one, table)["site"].items():
            assert np.array_equal(column, getattr(two, table)["site"][name], equal_nan=True)


def test_storage_that_may_charge_from_pv_alone_takes_nothing_from_the_grid():
    site = {"pv": {"peak_kw": 540.0, "profile": {"hourly": SUN}}, "ems": {"charge_from": "pv"}}
    story = play(plain(6, site))
    own = story.trace.series[story.site]
    assert (own["charge_kw"] <= np.maximum(own["pv_kw"] + own["curtailed_kw"] - own["house_kw"], 0.0) + 1e-6).all()
    assert energy_kwh(story, "charge_kw") > 500.0
    free = play(plain(6, merged(site, {"ems": {"charge_from": "grid_and_pv"}})))
    assert free.ledger["energy_cost"].sum() < story.ledger["energy_cost"].sum()


def test_charging_from_pv_alone_needs_some():
    with pytest.raises(ValueError, match=r"charge_from: pv.*add pv"):
        simulator(plain(2, {"ems": {"charge_from": "pv"}}))


def test_discharge_leaves_the_import_floor_of_a_connection_that_bans_export():
    low = play(plain(6, {"grid": {"import_floor_kw": 350.0}}))
    discharging = series(low, "discharge_kw") > 0.0
    assert discharging.any()
    assert series(low, "import_kw")[discharging].min() >= 350.0 - 1e-9
    assert series(play(plain(6)), "import_kw").min() < 340.0


@pytest.mark.parametrize(("floor_kw", "warned"), [(450.0, False), (600.0, True)])
def test_an_import_floor_above_the_load_is_warned_of(floor_kw, warned, tmp_path):
    file = tmp_path / "floor.yaml"
    file.write_text(json.dumps(plain(site={"grid": {"import_floor_kw": floor_kw}})))
    said = " ".join(check_study(load(file))[0].warnings)
    assert ("the import floor of 600 kW is not below the site's" in said) == warned
    assert ("(lower grid.import_floor_kw)" in said) == warned


def test_the_planner_knows_the_import_floor():
    """Where little of what a night's charge holds can be sold, it buys no more than that."""
    bare = {"ems": {"demand_price_per_kw_month": 0.0}, "grid": {"import_limit_kw": 2000.0}}
    free = play(plain(6, bare))
    bound = play(plain(6, merged(bare, {"grid": {"import_floor_kw": 440.0}})))
    day = 4 * 24.0
    sold = [energy_kwh(story, "discharge_kw", day, day + 24.0) for story in (free, bound)]
    bought = [energy_kwh(story, "charge_kw", day, day + 24.0) for story in (free, bound)]
    assert sold[1] < 0.5 * sold[0]
    assert bought[1] == pytest.approx(sold[1] / 0.95**2, rel=0.1)
    assert series(bound, "import_kw")[series(bound, "discharge_kw") > 0.0].min() >= 440.0 - 1e-9


@pytest.mark.parametrize(("kva", "factor"), [(900.0, 0.9), (1100.0, 1.0)])
def test_the_planner_foresees_the_discount_of_well_used_transformers(kva, factor):
    """376 kW are 270 MWh in a month of 30 days: 300 kWh for each of 900 kVA, 246 for each of 1,100."""
    demand = {"mode": "actual", "price_per_kw_month": 40.0, "discount": {"from_kwh_per_kva_month": 260.0}}
    tariff = {"price_per_kwh": {"flat": 0.7}, "demand": demand, "transformer_kva": kva}
    data = plain(3, {"tariff": tariff, "price_per_kwh": None, "ems": {"demand_price_per_kw_month": None}})
    data["horizon"] = {"start": "2026-04-01", "hours": 24.0 * 30}
    seen = []

    class Looks:
        reads_stored = within_day = True

        def plan(self, view):
            seen.append(view.demand_price)
            return Capped().plan(view)

    sim = simulator(data)
    next(part for part in sim.blueprint.parts[0] if isinstance(part, Ems)).policy = Looks()
    sim.run(0, "ledger")
    assert len(seen) >= 30
    assert set(seen[1:]) == {40.0 * factor}  # at the first midnight it has seen nothing yet


def test_a_queue_of_jobs_tells_the_load_as_far_as_it_reaches(tmp_path):
    """Of 16 GPUs 8 are busy until 31 h and 8 until 33 h, then all for 4 h; who comes after the last is not known."""
    file = tmp_path / "jobs.csv"
    hours = [(0, 31, 8), (0, 33, 8), (1, 4, 16), (2, 9, 16)]
    lines = [f"j{k},{3600 * submit},{3600 * duration},{gpus}\n" for k, (submit, duration, gpus) in enumerate(hours)]
    file.write_text("job_id,submit_s,duration_s,gpus\n" + "".join(lines))
    site = merged(HALL, {"cluster": {"servers_per_row": 2}, "house_load_profile": None, "house_load_kw": 100.0})
    queue = {"kind": "queue", "file": str(file), "expected_run_time": "exact"}
    data = plain(3, site, jobs={"record": queue})
    _, seen, part = planning(data)
    assert not part.steady
    known = seen[24]
    assert (~np.isnan(known)).sum() == 37 - 24  # the last job starts at 37 h
    story = play(data)
    for hour in range(24, 37):
        house = [story.power(name, hour * H) for name in ("it_kw", "cooling_kw", "house_kw", "loss_kw", "auxiliary_kw")]
        assert known[hour - 24] == pytest.approx(sum(house), rel=1e-9)
    assert known[7] < known[6] - 4.0
    assert known[9] == known[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("class Policy\n    pass\n", r"mine\.py:1: SyntaxError: expected ':'"),
        ("import no_such_thing\nclass Policy: pass\n", r"mine\.py:1: ModuleNotFoundError"),
        ("class Policy:\n    def plan(self, view):\n        return view.load\n", r"mine\.py:3: AttributeError.*'load'"),
        ("class Policy:\n    def plan(self, view):\n        return 1, 2\n", r"mine\.py: AttributeError.*'up_kwh'"),
    ],
)
def test_a_policy_with_a_bug_is_an_error_in_its_own_line(text, message, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        play(plain(2, {"ems": {"policy_file": str(path)}}))


def test_asking_again_changes_nothing_beside_jobs_that_stop():
    """Slots that change no power are walked without a look, also while jobs stop and cabinets fail."""
    hall = {"cluster": {"servers_per_row": 20}, "house_load_profile": None, "house_load_kw": 100.0}
    site = merged(HALL, merged(hall, {"protection": {"cabinets": {"cabinet_mtbf_h": 60.0}}}))
    jobs = {"training": {"kind": "gang", "gpus": 160, "hardware": {"per_1000_server_days": 200.0}}}
    data = plain(6, site, jobs=jobs)
    alone, poked = play(data), play(data, POKES)
    assert (series(alone, "charge_kw") > 0.0).any()
    assert (series(alone, "discharge_kw") > 0.0).any()
    for name in ("time_us", "import_kw", "stored_kwh"):
        np.testing.assert_array_equal(series(alone, name), series(poked, name))


def test_a_load_that_was_off_the_days_before_makes_a_plan_within_the_day():
    """100 kW more from 6 to 12 on the fourth of six days: 600 kWh."""
    flat = np.full(6 * 24, 300.0)
    assert departures(flat, 6, 500.0) == []
    step = flat.copy()
    step[3 * 24 + 6 : 3 * 24 + 12] += 100.0
    assert departures(step, 6, 500.0) == [3 * 24 + 12]
    assert departures(step, 6, 150.0) == [3 * 24 + 12]  # a quarter of it is missed the day after: 150 kWh
    assert departures(step, 6, 149.0) == [3 * 24 + 12, 4 * 24 + 12]
    assert departures(step, 24, 1.0) == []
