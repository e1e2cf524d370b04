"""The rule that carries a plan out, for any plan and any load."""

from hypothesis import given
from hypothesis import strategies as st

from twin.ems.storage import Storage, act

kw = st.floats(0.0, 500.0)
part = st.floats(0.0, 1.0)


@given(
    net=st.floats(-400.0, 600.0), at=part, up=part, down=part, cap=kw, floor=st.floats(0.0, 0.8), charge=kw,
    discharge=kw, hours=st.sampled_from([0.25, 1.0]), grid=st.booleans(), least=st.sampled_from([0.0, 50.0]),
)  # fmt: skip
def test_no_plan_makes_the_rule_break_a_law(net, at, up, down, cap, floor, charge, discharge, hours, grid, least):
    top = 300.0
    storage = Storage(top, charge, discharge, 0.94, 0.96, 1.0, 0.0, hours, float(grid), least)
    stored = top * max(at, floor)
    taken, given_kw = act(net, stored, top * min(up, down), top * max(up, down), cap, top * floor, hours, storage)
    after = stored + taken * 0.94 * hours - given_kw / 0.96 * hours
    assert 0.0 <= taken <= charge
    assert 0.0 <= given_kw <= discharge
    assert taken == 0.0 or given_kw == 0.0
    assert top * floor - 1e-9 <= after <= top + 1e-9
    assert given_kw <= max(net - least, 0.0)
    grid_kw = net + taken - given_kw
    have_kw = (stored - top * floor) * 0.96 / hours
    if min(discharge, have_kw) >= net - cap:
        assert grid_kw <= max(cap, least) + 1e-9
    if taken > max(-net, 0.0) + 1e-12:
        assert grid_kw <= cap + 1e-9
        assert grid
