"""The network in the plant: losses, peak, voltages and storage against closed forms and flows solved outside it."""

import numpy as np
import pytest
from simulation import CABINETS, GENSETS, NETWORK, H, hall, near, outage, play, simulator

from twin import metrics
from twin.errors import InputError
from twin.powerflow import solve
from twin.world import tape

TAN_PHI = np.tan(np.arccos(0.98))
LINE = """function mpc = line
mpc.version = '2';
mpc.baseMVA = 1;
mpc.bus = [
 1 3 0 0 0 0 1 1 0 10 1 1.1 0.9;
 2 1 0 0 0 0 1 1 0 10 1 1.1 0.9;
];
mpc.gen = [1 0 0 10 -10 1 1 1 10 0];
mpc.branch = [1 2 0.05 0.03 0 1 0 0 0 0 1 -360 360];
"""


def two_bus_kw(kw, r_pu, x_pu, base_kva, tan_phi=TAN_PHI):
    """Loss and voltage of a load of `kw` behind an impedance: the quadratic in |V|^2."""
    p, q = kw / base_kva, kw * tan_phi / base_kva
    half = 0.5 - (r_pu * p + x_pu * q)
    u = half + np.sqrt(half**2 - (r_pu**2 + x_pu**2) * (p * p + q * q))
    return base_kva * r_pu * (p * p + q * q) / u, np.sqrt(u)


@pytest.fixture
def line(tmp_path):
    """A supply and one bus behind r = 0.05, x = 0.03 p.u. on 1 MVA; everything draws there."""
    file = tmp_path / "line.m"
    file.write_text(LINE)
    everything = ("row-001", "row-002", "core", "continuous_cooling", "restartable_cooling", "house")
    bus_of = {name: [2] for name in everything}
    return {"kind": "file", "file": str(file), "bus_of": bus_of, "section_bus": [2]}


def figures(story):
    return dict(zip(*metrics.row(story.trace), strict=True))


def test_losses_of_one_line_are_the_closed_form_and_stand_in_energy_and_peak(line):
    story = play(hall(site={"network": line}))
    loss, volts = two_bus_kw(300.0, 0.05, 0.03, 1000.0)
    assert story.ledger["network_loss_kwh"][0] == pytest.approx(24 * loss, rel=1e-9)
    assert story.ledger["import_kwh"][0] == pytest.approx(24 * (300.0 + loss), rel=1e-9)
    assert story.ledger["peak_import_kw"][0] == pytest.approx(300.0 + loss, rel=1e-9)
    assert story.ledger["min_voltage_pu"][0] == pytest.approx(volts, abs=1e-8)
    assert story.power("import_kw", H) == pytest.approx(300.0 + loss, rel=1e-9)
    assert story.power("network_loss_kw", H) == pytest.approx(loss, rel=1e-9)
    assert figures(story)["pue"] == pytest.approx((300.0 + loss) / 300.0)


def test_the_estimate_is_exact_at_full_load_and_its_error_at_other_loads_is_told(line):
    story = play(hall(site={"network": line}))
    ledger = story.ledger
    assert ledger["network_loss_estimate_kwh"][0] == pytest.approx(ledger["network_loss_kwh"][0], rel=1e-6)
    idle = play(hall(site={"network": line}, jobs={})).ledger
    error = idle["network_loss_estimate_kwh"][0] / idle["network_loss_kwh"][0] - 1.0
    assert 0.005 < error < 0.05


def test_overloaded_and_sagging_hours_are_counted_to_the_microsecond(line):
    house = {"house_load_kw": 700.0, "house_load_profile": {"hourly": [0.0] * 6 + [1.0] * 3 + [0.0] * 15}}
    story = play(hall(site={"network": {**line, "min_voltage_pu": 0.95}, **house}))
    _, volts = two_bus_kw(1000.0, 0.05, 0.03, 1000.0)
    assert volts < 0.95
    assert story.ledger["undervoltage_h"][0] == 3.0
    assert story.ledger["overload_h"][0] == 3.0  # 1 MVA of rating against 1020 kVA and more
    assert story.power("overloaded_branches", 7 * H) == 1
    assert figures(story)["min_voltage_pu"] == pytest.approx(volts, abs=1e-8)


def test_a_flow_without_solution_is_counted_and_its_losses_are_not_made_up(line):
    house = {"house_load_kw": 8000.0, "house_load_profile": {"hourly": [0.0] * 6 + [1.0] * 3 + [0.0] * 15}}
    story = play(hall(site={"network": line, **house}))
    loss, _ = two_bus_kw(300.0, 0.05, 0.03, 1000.0)
    assert story.ledger["unsolved_flow_h"][0] == 3.0
    assert story.ledger["network_loss_kwh"][0] == pytest.approx(21 * loss, rel=1e-9)
    assert np.isnan(story.power("min_voltage_pu", 7 * H))
    assert story.power("overloaded_branches", 7 * H) == -1


def test_what_the_busway_loses_empties_the_storage_sooner_by_the_closed_form():
    """Row and core cabinets hold 85.5 kWh at the load's side; the core has no busway, the row has 8 milliohm of it."""
    protection = {"cabinets": {**CABINETS, "core": 3}}
    story = play(
        hall(site={"protection": protection, "network": NETWORK, "grid": {"script": [outage(4.0, duration_h=2.0)]}})
    )
    ohm = 1000.0 * 0.4**2  # of 1 p.u. on 1 kVA
    loss, _ = two_bus_kw(100.0, 0.2 * 0.04 / ohm, 0.1 * 0.04 / ohm, 1.0)
    assert 0.5 < loss < 1.0
    (dark,) = story.dark("row-001")
    assert near(dark[0], round((4.0 + 85.5 / (100.0 + loss)) * H))
    assert story.power("network_loss_kw", 4 * H + H // 2) == pytest.approx(2 * loss, rel=1e-12)
    assert story.ledger["clamped_kwh"][0] == 0.0


def test_a_cabinet_that_just_carries_its_row_does_not_carry_the_busway_too():
    exact = {"protection": {"cabinets": {**CABINETS, "rated_kw": 100.0}}}
    script = {"grid": {"script": [outage(4.0, duration_h=0.5)]}}
    assert play(hall(site={**exact, **script})).dark("row-001") == []
    assert play(hall(site={**exact, **script, "network": NETWORK})).dark("row-001") != []


def by_hand(story, made, tick, *, state=None):
    """Losses and least voltage at a tick: demand from the trace, the network solved by Newton outside the plant."""
    plan = made.blueprint.sites[0]
    network = plan.flows.network
    switching = network.switching(plan.flows.normal if state is None else state)
    p_kw = np.zeros(network.net.buses)
    for name, kw in {"row-001": 100.0, "row-002": 100.0}.items():
        p_kw[next(buses for buses in network.buses_of[name] if buses)] += kw
    live = [buses for buses, on in zip(network.buses_of["core"], switching.on_grid, strict=True) if on]
    for (bus,) in live:
        p_kw[bus] += story.power("it_kw", tick) / len(live) - 200.0 / len(live)
    q_kvar = p_kw * TAN_PHI
    iron_kw = np.where(network.energised(switching), network.iron_kw, 0.0)
    out = solve(
        network.net, (p_kw + iron_kw)[None], q_kvar[None], in_service=switching.closed, sources=switching.sources,
        method="newton",
    )  # fmt: skip
    return float(out.loss_kw[0] + iron_kw.sum()), float(out.min_v_pu[0])


def test_two_sections_and_the_tie_between_them_give_the_flows_solved_by_hand():
    script = [outage(6.0, duration_h=2.0, feeders=["A"])]
    protection = {"cabinets": {**CABINETS, "core": 1}}  # nothing goes dark while the tie closes
    grid = {"feeders": {"A": {}, "B": {}}, "script": script, "auto_transfer_failure_probability": 0.0}
    made = simulator(hall(site={"grid": grid, "network": NETWORK, "protection": protection}))
    story = play_of(made)
    normal, tied = by_hand(story, made, 3 * H), by_hand(story, made, 7 * H, state=2 | 1 << 2)
    assert story.interruptions() == []
    for tick, (loss, volts) in ((3 * H, normal), (7 * H, tied)):
        assert story.power("network_loss_kw", tick) == pytest.approx(loss, abs=1e-5)
        assert story.power("min_voltage_pu", tick) == pytest.approx(volts, abs=1e-8)
    assert tied[1] < normal[1]


def play_of(made, level="units"):
    from simulation import Story  # noqa: PLC0415

    return Story(made.run(0, level))


def test_gensets_give_what_their_part_of_the_network_loses_and_the_grid_its_own():
    """Feeder A is out and the tie stuck: section A on gensets, section B on the grid; each pays its own losses."""
    script = [outage(6.0, duration_h=2.0, feeders=["A"])]
    grid = {"feeders": {"A": {}, "B": {}}, "script": script, "auto_transfer_failure_probability": 1.0}
    protection = {"gensets": {**GENSETS, "rated_kw": 400.0}}
    story = play(hall(site={"grid": grid, "network": NETWORK, "protection": protection}, jobs={}))
    tick = 7 * H
    drawn = story.power("import_kw", tick) + story.power("genset_kw", tick)
    used = story.power("it_kw", tick) + story.power("house_kw", tick)
    assert drawn - used == pytest.approx(story.power("network_loss_kw", tick), abs=1e-9)
    assert story.power("genset_kw", tick) > 20.0  # an idle row and what feeding it costs
    assert story.power("import_kw", tick) > 120.0
    assert story.ledger["genset_kwh"][0] > 20.0 * 1.9


def test_the_size_of_the_batches_changes_no_figure(monkeypatch):
    house = {"house_load_kw": 50.0, "house_load_profile": {"hourly": [0.1, 0.9] * 12, "interpolation": "linear"}}
    data = hall(site={"network": NETWORK, **house}, horizon={"start": "2026-01-20", "hours": 24.0 * 20})
    whole = {level: simulator(data).run(0, level).ledger["hall"] for level in ("ledger", "units")}
    monkeypatch.setattr(tape, "_ROOM", 64)
    monkeypatch.setattr(tape, "_ROOM_FOR_FLOWS", 64)
    pieces = simulator(data).run(0, "units").ledger["hall"]
    for name, column in whole["units"].items():
        np.testing.assert_allclose(pieces[name], column, rtol=1e-12, err_msg=name)
        np.testing.assert_allclose(whole["ledger"][name], column, rtol=1e-12, err_msg=name)


def test_the_peak_is_that_of_the_quarter_hours_of_the_series_with_losses():
    house = {"house_load_kw": 100.0, "house_load_profile": {"hourly": [0.1, 0.9, 0.4, 1.0] * 6}}
    story = play(hall(site={"network": NETWORK, "grid": {"script": [outage(5.1, duration_s=400.0)]}, **house}))
    series = story.trace.series["hall"]
    edges = np.append(series["time_us"], 24 * H)
    grid = np.arange(0, 24 * H + 1, H // 4)
    energy = np.concatenate([[0.0], np.cumsum(series["import_kw"] * np.diff(edges))])
    means = np.diff(np.interp(grid, edges, energy)) / (H // 4)
    assert story.ledger["peak_import_kw"][0] == pytest.approx(means.max(), rel=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bus_of": {"row-001": [2]}}, "no bus for row-002"),
        ({"bus_of": {"row-001": [2], "row-002": [9]}}, "row-002: there is no bus 9"),
        ({"bus_of": {"row-001": [2], "row-002": [2], "rwo-3": [2]}}, "no load point 'rwo-3'"),
        ({"section_bus": [2, 2]}, "has 2 buses, the grid has 1 feeders"),
        ({"infeed": [[1, 3]]}, "no branch joins the buses 1 and 3"),
    ],
)
def test_a_network_file_that_does_not_fit_the_site_is_refused_by_name(line, change, words):
    with pytest.raises(InputError, match=words):
        simulator(hall(site={"network": {**line, **change}}))


def test_pv_at_a_bus_of_its_own_feeds_in_there_with_no_reactive_power(line):
    """At noon 100 kW of PV and 300 kW of load share the bus: the line carries 200 kW and all the kvar."""
    line["bus_of"]["pv"] = [2]
    place = {"latitude": 39.9, "longitude": 116.4, "timezone": "Asia/Shanghai"}
    pv = {"peak_kw": 200.0, "inverter_kw": 100.0}
    site = {"network": line, "location": place, "pv": pv}
    story = play(hall(site=site, horizon={"start": "2026-06-01", "hours": 24.0}))
    assert story.power("pv_kw", 12 * H) == 100.0
    loss, volts = two_bus_kw(200.0, 0.05, 0.03, 1000.0, TAN_PHI * 300.0 / 200.0)
    assert story.power("network_loss_kw", 12 * H) == pytest.approx(loss, rel=1e-9)
    assert story.power("min_voltage_pu", 12 * H) == pytest.approx(volts, abs=1e-8)
    assert story.power("import_kw", 12 * H) == pytest.approx(200.0 + loss, rel=1e-9)


def test_a_bus_for_pv_needs_pv(line):
    line["bus_of"]["pv"] = [2]
    with pytest.raises(InputError, match="there is no load point 'pv'"):
        play(hall(site={"network": line}))
