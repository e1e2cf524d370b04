import numpy as np
import pytest

from twin.errors import InputError
from twin.powerflow import HoldVoltage, Network, VoltVar, solve

GOOD = {"from_bus": [0, 1], "to_bus": [1, 2], "r_ohm": [0.1, 0.1], "x_ohm": [0.1, 0.1], "base_kv": 10.0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"r_ohm": [0.1, -0.1]}, r"branch 1 \(bus 1 to bus 2\): impedance -0.1"),
        ({"x_ohm": [np.nan, 0.1]}, r"branch 0 \(bus 0 to bus 1\): impedance nan"),
        ({"base_kv": [10.0] * 4}, "bus 3: no branch touches it"),
        ({"to_bus": [1, 3]}, "bus 2: no branch touches it"),
        ({"to_bus": [1, 1]}, "branch 1 .*both ends"),
        ({"r_ohm": [0.1]}, "r_ohm: must have one number for each of 2 branches"),
        ({"slack": 7}, "no branch touches it"),
        ({"ratio": [1.0, 0.0]}, "branch 1 .*ratio"),
        ({"base_kv": [10.0, 0.0, 10.0]}, "bus 1: base voltage"),
        ({"in_service": [True]}, "in_service: must have one switch"),
    ],
)
def test_a_bad_network_names_its_branch_or_bus(change, message):
    with pytest.raises(InputError, match=message):
        Network(**(GOOD | change))


def test_a_loop_without_impedance_is_named():
    net = Network([0, 1, 1], [1, 2, 2], [0.1, 0.0, 0.0], [0.1, 0.0, 0.0], 10.0)
    with pytest.raises(InputError, match=r"branch 2 \(bus 1 to bus 2\) closes a loop without any impedance.* 1"):
        solve(net, np.zeros((1, 3)), np.zeros((1, 3)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"p_kw": np.zeros((2, 4))}, r"p_kw: has shape \(2, 4\), not \(cases, 3\)"),
        ({"q_kvar": np.zeros((3, 3))}, "has 3 cases, p_kw has 2"),
        ({"open_branch": [0]}, "open_branch: must be one branch number a case"),
        ({"open_branch": [0, 2]}, "case 1 opens branch 2"),
        ({"in_service": np.ones((3, 2))}, r"in_service: has shape \(3, 2\)"),
        ({"sources": []}, "at least one source"),
        ({"sources": [(0, 1.0, 0.0), (0, 1.0, 0.0)]}, "bus 0 is not there, or has a source already"),
        ({"sources": [(1, -1.0, 0.0)]}, "bus 1: -1.0 p.u."),
        ({"loads": np.full((3, 3), 0.5)}, "bus 0: the shares"),
        ({"loads": np.ones(3)}, r"loads: has shape \(3,\)"),
    ],
)
def test_a_bad_call_names_the_argument(change, message):
    arguments = {"p_kw": np.zeros((2, 3)), "q_kvar": np.zeros((2, 3))} | change
    with pytest.raises(InputError, match=message):
        solve(Network(**GOOD), **arguments)


@pytest.mark.parametrize(
    ("control", "message"),
    [
        ([HoldVoltage(3, 1.0)], "control: bus 3: there are only buses 0 to 2"),
        ([HoldVoltage(0, 1.0)], "bus 0: a source fixes its voltage"),
        ([HoldVoltage(1, 1.0), VoltVar(1, (0.9, 1.1), (1.0, 0.0))], "bus 1: two controls"),
        ([HoldVoltage(1, np.nan)], "bus 1: nan p.u."),
        ([HoldVoltage(1, 0.0)], "bus 1: 0.0 p.u."),
        ([HoldVoltage(1, 1.0, 5.0, -5.0)], "bus 1: limits of 5.0 to -5.0 kvar"),
        ([HoldVoltage(2, 1.0, np.nan, 5.0)], "bus 2: limits of nan"),
        ([HoldVoltage(2, 1.0, np.inf, np.inf)], "bus 2: limits of inf"),
        ([VoltVar(2, (0.9, 0.9), (1.0, 0.0))], r"bus 2: the voltages \[0.9, 0.9\] do not rise"),
        ([VoltVar(2, (0.9, 1.1), (0.0, 1.0))], "bus 2: reactive power may not rise"),
        ([VoltVar(2, (0.9, np.nan), (1.0, 0.0))], "bus 2: the points .* not all numbers"),
        ([VoltVar(2, (0.9, 1.1), (1.0,))], "bus 2: v_pu and q_kvar must be rows of one length"),
        ([VoltVar(2, (), ())], "bus 2: v_pu and q_kvar must be rows"),
    ],
)
def test_a_bad_control_names_its_bus(control, message):
    with pytest.raises(InputError, match=message):
        solve(Network(**GOOD), np.zeros((2, 3)), np.zeros((2, 3)), control=control)


def test_every_bad_control_is_named():
    with pytest.raises(InputError) as caught:
        solve(Network(**GOOD), np.zeros((2, 3)), np.zeros((2, 3)), control=[HoldVoltage(7, 1.0), HoldVoltage(1, -1.0)])
    assert len(caught.value.problems) == 2
