import sys

import numpy as np
import pytest

from twin.errors import InputError
from twin.powerflow import solve
from twin.powerflow.campus import campus, campus_of
from twin.powerflow.files import read_matpower, read_pandapower

CASE = """function mpc = tiny
%% a comment with [ brackets
mpc.version = '2';
mpc.baseMVA = 10;
mpc.bus = [
  1 3 0   0   0 0 1 1 0 20 1 1.1 0.9;
  7 1 100 40  0 0 1 1 0 20 1 1.1 0.9;  % kW
  9 1 200 60  0 0 1 1 0 20 1 1.1 0.9;
];
mpc.gen = [ 1 0 0 10 -10 1.02 100 1 10 0; ];
mpc.branch = [
  1 7 0.4 0.3 0 0 0 0 0    0 1 -360 360;
  7 9 0.5 0.2 0 5 0 0 0.98 0 1 -360 360;
];
Vbase = mpc.bus(1, BASE_KV) * 1e3;
mpc.branch(:, [BR_R BR_X]) = mpc.branch(:, [BR_R BR_X]) / (Vbase^2 / Sbase);
mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3;
"""


def written(folder, text):
    path = folder / "case.m"
    path.write_text(text)
    return path


def test_a_matpower_case_is_read_with_its_unit_conversions(tmp_path):
    case = read_matpower(written(tmp_path, CASE))
    assert case.bus_number.tolist() == [1, 7, 9]
    assert np.allclose(case.p_kw, [0.0, 100.0, 200.0])
    assert np.allclose(case.net.r_ohm, [0.4, 0.5])
    assert case.net.rating_a[1] == pytest.approx(5e3 / (3**0.5 * 20.0))
    out = solve(case.net, case.p_kw[None], case.q_kvar[None], sources=case.sources)
    assert out.v_pu[0, 0] == pytest.approx(1.02)
    assert out.v_pu[0, 2] == pytest.approx(1.02 / 0.98, abs=2e-3)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("200 60", "2x0 60", 8, "'2x0' is no number"),
        ("0 1 -360 360;\n];", "\n];", 13, "a row of 9 numbers"),
        ("7 9 0.5", "7 8 0.5", 13, "bus 8, which is not there"),
        ("200 60  0", "200 60  5", 8, "bus 9 has a shunt"),
        ("7 1 100", "7 2 100", None, None),
        ("mpc.baseMVA = 10", "mpc.baseMVA = ten", 4, "not a power"),
        ("/ 1e3;", "/ 2e3;", 17, "not understood"),
        ("mpc.baseMVA = 10", "mpc.baseMVA = Inf", 4, "not a power"),
        ("9 1 200", "NaN 1 200", 8, "NaN: a bus number is not finite"),
        ("7 9 0.5", "7 Inf 0.5", 13, "7 Inf: a bus number is not finite"),
        ("1 3 0   0   0 0 1 1 0 20", "1 3 0   0   0 0 1 1 0 0", 16, "no base voltage"),
        ("9 1 200 60  0 0 1 1 0 20", "9 1 200 60  0 0 1 1 0 0", 8, "base voltage 0 kV is not above zero"),
    ],
)
def test_a_bad_matpower_case_names_its_line(tmp_path, old, new, line, message):
    assert old in CASE
    path = written(tmp_path, CASE.replace(old, new))
    if message is None:
        read_matpower(path)
        return
    with pytest.raises(InputError, match=message) as caught:
        read_matpower(path)
    assert caught.value.problems[0].line == line


def test_a_matpower_case_without_branches_is_refused(tmp_path):
    begin = CASE.index("mpc.branch = [")
    path = written(tmp_path, CASE[:begin] + "mpc.branch = [ ];\n" + CASE[CASE.index("mpc.bus(:, [PD") :])
    with pytest.raises(InputError):
        read_matpower(path)


PAIR = "100 1 10 0; 7 0.2 3 0.05 -0.02 1.01 100 1 9 0; 7 0.1 3 Inf -0.01 1.01 100 1 9 0 ]"


def test_generators_that_hold_a_voltage_become_one_control_of_their_bus(tmp_path):
    text = CASE.replace("7 1 100", "7 2 100").replace("100 1 10 0; ]", PAIR)
    case = read_matpower(written(tmp_path, text))
    (held,) = case.controls
    assert (held.bus, held.v_pu, held.max_kvar) == (1, 1.01, np.inf)
    assert held.min_kvar == pytest.approx(-30.0)
    assert np.allclose(case.p_kw, [0.0, 100.0 - 300.0, 200.0])
    assert np.allclose(case.q_kvar, [0.0, 40.0, 60.0])
    out = solve(case.net, case.p_kw[None], case.q_kvar[None], sources=case.sources, control=case.controls)
    assert out.v_pu[0, 1] == pytest.approx(1.02, abs=2e-3)
    assert out.at_limit[0, 0]


@pytest.mark.parametrize(("old", "new"), [("Inf -0.01 1.01", "Inf -0.01 1.02"), ("0.05 -0.02", "0.05 0.2")])
def test_generators_that_cannot_hold_their_voltage_name_bus_and_line(tmp_path, old, new):
    text = CASE.replace("7 1 100", "7 2 100").replace("100 1 10 0; ]", PAIR.replace(old, new))
    with pytest.raises(InputError, match="bus 7: a generator is to hold 1") as caught:
        read_matpower(written(tmp_path, text))
    assert caught.value.problems[0].line == 10


@pytest.mark.parametrize("buses", [33, 52, 141, 500])
def test_a_ready_campus_keeps_its_voltages_and_ratings_at_rated_load(buses):
    built = campus_of(buses)
    assert built.net.buses == buses == len(built.names)
    out = solve(built.net, np.tile(built.p_kw, (8, 1)), np.tile(built.q_kvar, (8, 1)))
    assert out.converged.all()
    assert out.min_v_pu[0] > 0.93
    assert out.overloads[0] == 0
    assert 0.005 < out.loss_kw[0] / built.p_kw.sum() < 0.03


def test_the_ring_takes_over_when_a_span_opens_and_the_tie_closes():
    built = campus()
    net = built.net
    span = next(
        e for e in range(net.branches) if net.from_bus[e] == built.sections[0] and net.to_bus[e] == built.stations[0]
    )
    states = np.tile(net.in_service, (3, 1))
    states[1:, span] = False
    states[2, built.tie] = True
    out = solve(net, np.tile(built.p_kw, (3, 1)), np.tile(built.q_kvar, (3, 1)), in_service=states)
    assert out.converged.all()
    assert np.isnan(out.v).any(axis=1).tolist() == [False, True, False]
    assert out.v_pu[2, built.stations[0]] < out.v_pu[0, built.stations[0]]


def test_a_campus_without_rows_is_refused():
    with pytest.raises(InputError, match="rows_per_transformer: 0 is below one"):
        campus(rows_per_transformer=0)


def test_without_pandapower_its_files_are_refused_with_a_remedy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandapower", None)
    with pytest.raises(InputError, match="pip install pandapower"):
        read_pandapower(tmp_path / "net.json")
