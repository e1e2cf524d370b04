"""Training lost without an interruption: to rows given up, pauses and power caps, apart and adding up to the whole."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import CABINETS, H, hall, job, merged, outage, play

from twin import metrics
from twin.jobs.progress import Progress
from twin.metrics.causes import SLOWED, slowed_by_cause
from twin.metrics.chains import losses_by_chain

WORK = {"script": [{"at_h": 1.0, "on": "row-002", "duration_h": 2.0}]}
DEAR = {"hourly": [0.5] * 10 + [1.5] * 2 + [0.5] * 12}
BACKUP = {"cluster": {"on_backup": {"cap_after_s": 0.0}}}
BIG = merged(CABINETS, {"rated_kwh": 1000.0})


def lost(site: Any, **own: Any) -> tuple[dict[str, float], dict[str, float], float]:
    """By reason, as metrics and as chains, and all that the metrics say is lost [GPU-h]."""
    own = {"checkpoint": {"interval_min": 15.0, "stall_s": 0.0, "mode": "blocking"}, **own}
    trace = play(hall(site=site, jobs=job(**own))).trace
    found = metrics.measure(trace)
    table = losses_by_chain(trace)
    whole = float(found["lost_gpu_h_per_year"]) * trace.years
    assert table["lost_gpu_h"].sum() == pytest.approx(whole)
    booked = sum(float(gpu_h.sum()) for _, _, _, gpu_h in slowed_by_cause(trace))
    by_reason = {name: float(found[f"lost_gpu_h_{name}_per_year"]) * trace.years for name in SLOWED}
    assert booked == pytest.approx(sum(by_reason.values()))
    return by_reason, dict(zip(table["chain"], table["lost_gpu_h"].tolist(), strict=True)), whole


def test_what_fewer_rows_cost_is_no_power_cap() -> None:
    """Half the servers from the warm restart at 1:15 to a restart with all at 3:45: 2.5 h x 80 GPUs, and no cap."""
    found, chains, _ = lost({"planned_work": WORK}, minimum_rows=1)
    assert found == {"capped": 0.0, "fewer_rows": pytest.approx(200.0), "paused": 0.0}
    assert chains["fewer rows"] == pytest.approx(200.0)
    assert "power cap" not in chains


def test_pauses_and_caps_are_booked_apart() -> None:
    """Paused from 10 to 12, capped to 0.8 from 15 to 16 while on storage."""
    application = {"policy": "pause", "dear_above_per_kwh": 1.0}
    dear = {"price_per_kwh": DEAR, "application": application}
    pauses, chains, _ = lost(dear)
    assert pauses == {"capped": 0.0, "fewer_rows": 0.0, "paused": pytest.approx(320.0)}
    assert chains == {"pause": pytest.approx(320.0)}
    site = merged(BACKUP, {"protection": {"cabinets": BIG}, "grid": {"script": [outage(15.0, duration_h=1.0)]}})
    caps, chains, _ = lost(site)
    assert caps == {"capped": pytest.approx(32.0), "fewer_rows": 0.0, "paused": 0.0}
    assert chains == {"power cap": pytest.approx(32.0)}


def test_rows_that_come_back_are_an_event_and_end_the_span_of_the_loss() -> None:
    trace = play(hall(site={"planned_work": WORK}, jobs=job(minimum_rows=1)))
    (give_up, one), (back, two) = trace.of("jobs/training", "rows_held")
    assert (give_up, one, two) == (H, 1, 2)
    ((name, start, end, gpu_h), *rest) = slowed_by_cause(trace.trace)
    assert (name, start.tolist(), end.tolist()) == ("lost_gpu_h_supply", [H], [back])
    assert gpu_h.sum() == pytest.approx(200.0)
    assert not any(len(span) for _, span, *_ in rest)


PACES = st.lists(
    st.tuples(st.integers(1, 5 * H), st.sampled_from([0.0, 0.5, 0.8, 1.0]), st.sampled_from([0.25, 0.5, 1.0])),
    max_size=6,
)


@settings(max_examples=100, deadline=None)
@given(PACES, st.integers(1, 5 * H), st.integers(0, H // 10))
def test_losses_by_reason_add_up_to_the_time_that_is_neither_useful_nor_stalled(
    paces: list[tuple[int, float, float]], rest: int, stall: int
) -> None:
    progress, now, slow = Progress(H, stall, 0), 0, 0.0
    pace, share = 1.0, 1.0
    for after, *then in paces:
        slow += after * (1.0 - pace * share)
        now += after
        pace, share = then
        progress.set_pace(now, pace, share)
    slow += rest * (1.0 - pace * share)
    booked = progress.book(now + rest, to_checkpoint=False)
    by_reason = progress.slowed_by_us(now + rest)
    assert min(by_reason) >= 0.0
    assert sum(by_reason) == pytest.approx(slow * H / (H + stall), rel=1e-9, abs=1e-3)
    assert booked.useful + booked.stalled + sum(by_reason) == pytest.approx(now + rest, abs=1.0)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 20), st.floats(0.1, 6.0), st.floats(0.1, 6.0), st.sampled_from(["cap", "pause", "ignore"]))
def test_all_that_a_job_loses_is_booked_once_under_any_mixture(
    at: int, work_h: float, dark_h: float, policy: str
) -> None:
    site = {
        "planned_work": {"script": [{"at_h": at, "on": "row-001", "duration_h": work_h}]},
        "grid": {"script": [outage(at + 1.0, duration_h=dark_h)]},
        "protection": {"cabinets": BIG},
        "price_per_kwh": DEAR,
        "application": {"policy": policy, "dear_above_per_kwh": 1.0},
    }
    trace = play(hall(site=merged(BACKUP, site), jobs=job(minimum_rows=1))).trace
    found = metrics.measure(trace)
    by_reason = {name: float(found[f"lost_gpu_h_{name}_per_year"]) for name in SLOWED}
    assert min(by_reason.values()) >= -1e-6
    useful = float(found["gpu_h_useful_per_year"])
    assert useful + float(found["lost_gpu_h_per_year"]) == pytest.approx(160 * 8760.0)
    assert losses_by_chain(trace)["lost_gpu_h"].sum() / trace.years == pytest.approx(
        float(found["lost_gpu_h_per_year"])
    )
    booked = sum(float(gpu_h.sum()) for _, _, _, gpu_h in slowed_by_cause(trace)) / trace.years
    assert booked == pytest.approx(sum(by_reason.values()), abs=1e-3)
