"""Every metric of small traces, against numbers worked out by hand beside them."""

import subprocess
import sys

import numpy as np
import pytest
from builders import YEAR_US, H, ledger_of, trace_of

from twin import metrics
from twin.metrics import METRICS, NAMES

MINUTE_H = 1 / 60
ROWS = [("campus/row-00", "row", 100.0, 8), ("campus/row-01", "row", 300.0, 24)]


def figures(trace):
    return dict(zip(*metrics.row(trace), strict=True))


def test_dark_rows_weigh_by_their_rated_power():
    # row 0 (100 kW) dark 2 h, row 1 (300 kW) dark 1 h: dark 500 kWh of 400 kW x 8760 h; mean dark time 1.5 h
    trace = trace_of(ROWS, [(10, 0, "lit", 0, -1), (12, 0, "lit", 1, -1), (20, 1, "lit", 0, -1), (21, 1, "lit", 1, -1)])
    found = figures(trace)
    assert found["energised_fraction"] == pytest.approx(1 - 500 / (400 * 8760), abs=1e-15)
    assert found["row_dark_h_per_year"] == pytest.approx(1.5)


def test_five_minutes_part_momentary_from_sustained():
    # row 0: exactly 5 min (momentary), row 1: 5 min and 1 us (sustained) and 1 h (sustained)
    five = 5 * MINUTE_H
    facts = [(1, 0, "lit", 0, -1), (1 + five, 0, "lit", 1, -1), (5, 1, "lit", 0, -1)]
    facts += [(5 + five + 1 / H, 1, "lit", 1, -1), (9, 1, "lit", 0, -1), (10, 1, "lit", 1, -1)]
    found = figures(trace_of(ROWS, facts))
    assert found["maifi_per_year"] == 0.5  # 1 over 2 rows
    assert found["saifi_per_year"] == 1.0  # 2 over 2 rows
    assert found["interruptions_per_row_year"] == 1.5
    saidi_h = (five + 1 / H + 1) / 2
    assert found["saidi_h_per_year"] == pytest.approx(saidi_h, rel=1e-12)
    assert found["caidi_h"] == pytest.approx(saidi_h / 1.0, rel=1e-12)
    assert found["asai_fraction"] == pytest.approx(1 - saidi_h / 8760, abs=1e-15)


def test_without_sustained_interruptions_there_is_no_caidi():
    found = figures(trace_of(ROWS))
    assert np.isnan(found["caidi_h"])
    assert found["saidi_h_per_year"] == 0
    assert found["energised_fraction"] == 1


def test_a_span_open_at_the_horizon_ends_there():
    found = figures(trace_of(ROWS, [(8758, 0, "lit", 0, -1), (8759, 1, "lit", 0, -1)]))
    assert found["row_dark_h_per_year"] == pytest.approx((2 + 1) / 2)


def test_dark_from_the_first_instant_counts():
    found = figures(trace_of(ROWS[:1], [(0, 0, "lit", 0, -1), (3, 0, "lit", 1, -1)]))
    assert found["row_dark_h_per_year"] == pytest.approx(3.0)


def test_a_repeated_fact_and_a_span_of_no_time_are_no_interruptions():
    facts = [(1, 0, "lit", 0, -1), (2, 0, "lit", 0, 0), (3, 0, "lit", 1, -1), (4, 0, "lit", 0, -1), (4, 0, "lit", 1, 3)]
    found = figures(trace_of(ROWS[:1], facts))
    assert found["interruptions_per_row_year"] == 1
    assert found["row_dark_h_per_year"] == pytest.approx(2.0)


def test_all_rows_dark_needs_all_rows_of_one_site_at_once():
    # site north: rows overlap once (2 to 3 h); at 5 h one row ends as the other starts: no overlap.
    # site south: its only row goes dark once. Together 2 times.
    items = [("n/row-0", "row", 1.0, 1, 0), ("n/row-1", "row", 1.0, 1, 0), ("s/row-0", "row", 1.0, 1, 1)]
    facts = [(1, 0, "lit", 0, -1), (2, 1, "lit", 0, -1), (2.5, 2, "lit", 0, -1), (3, 0, "lit", 1, -1)]
    facts += [(3.5, 1, "lit", 1, -1), (4, 0, "lit", 0, -1), (5, 1, "lit", 0, -1), (5, 0, "lit", 1, -1)]
    facts += [(6, 1, "lit", 1, -1), (7, 2, "lit", 1, -1)]
    assert figures(trace_of(items, facts, sites=["north", "south"]))["all_rows_dark_per_year"] == 2


def test_rates_are_per_year_of_the_horizon():
    facts = [(1, 0, "lit", 0, -1), (2, 0, "lit", 1, -1)]
    found = figures(trace_of(ROWS[:1], facts, horizon_us=YEAR_US // 2))
    assert found["row_dark_h_per_year"] == pytest.approx(2.0)
    assert found["saifi_per_year"] == pytest.approx(2.0)


CAMPUS = [
    ("campus/cabinet", "cabinet", 0.0, 0),
    ("campus/core", "core", 50.0, 0),
    ("campus/grid/a/planned", "planned", 0.0, 0),
    ("campus/grid/a/sustained", "sustained", 0.0, 0),
    ("campus/row-00", "row", 100.0, 10),
    ("hardware", "hardware", 0.0, 0),
    ("training", "gang_job", 0.0, 10),
]


def year_of_training():
    """Four interruptions: by the grid, hardware, a cabinet, and planned work; losses 20, 30, 50 and 70 GPU-h."""
    events = [
        (10, 3, "strikes", H, -1), (10, 4, "failed_to_pick_up", 1, 0), (10, 4, "lit", 0, 1), (11, 4, "lit", 1, 0),
        (100, 5, "hardware", 1, -1), (200, 0, "up", 0, -1), (200, 4, "lit", 0, 5), (201, 4, "lit", 1, 5),
        (300, 2, "strikes", H, -1), (300, 4, "lit", 0, 8), (301, 4, "lit", 1, 8), (400, 1, "lit", 0, -1),
        (400.5, 1, "lit", 1, -1), (500, 0, "up", 1, -1),
    ]  # fmt: skip
    stops = [
        (0, 6, 10 * H, 11 * H, 2, 1, 10, 1 * H),  # 10 GPUs x (1 h down + 1 h rollback) = 20, root sustained
        (0, 6, 100 * H, 102 * H, 4, 0, 10, 1 * H),  # 10 x 3 = 30, hardware
        (0, 6, 200 * H, 204 * H, 6, 1, 10, 1 * H),  # 10 x 5 = 50, root cabinet = protection
        (0, 6, 300 * H, 307 * H, 9, 1, 10, 0),  # 10 x 7 = 70, planned
    ]
    # held 8760 h = useful 8000 + stall 100 + rollback 3 + down 14 + capped 643
    job = (6, 0, 0, -1, 10, 8000 * H, 100 * H, 3 * H, 14 * H, 4)
    return trace_of(CAMPUS, events, [job], stops)


def test_lost_gpu_hours_follow_the_root_of_the_cause_chain():
    found = figures(year_of_training())
    assert found["lost_gpu_h_per_year"] == pytest.approx(170 + 6430)  # 10 GPUs x 643 h under a power cap
    assert found["lost_gpu_h_sustained_per_year"] == pytest.approx(20)
    assert found["lost_gpu_h_hardware_per_year"] == pytest.approx(30)
    assert found["lost_gpu_h_protection_per_year"] == pytest.approx(50)
    assert found["lost_gpu_h_planned_per_year"] == pytest.approx(70)
    assert found["lost_gpu_h_power_per_year"] == pytest.approx(20 + 50 + 6430)
    assert found["job_interruptions_per_year"] == 4
    assert found["job_interruptions_hardware_per_year"] == 1
    assert found["job_interruptions_power_per_year"] == 2
    assert found["core_dark_h_per_year"] == pytest.approx(0.5)


def test_the_split_by_cause_adds_up():
    found = figures(year_of_training())
    power = [found[f"lost_gpu_h_{group}_per_year"] for group in (*metrics.GROUPS[2:], "capped")]
    assert sum(power) == pytest.approx(found["lost_gpu_h_power_per_year"], rel=1e-12)


def test_an_interruption_without_a_cause_counts_as_other_power():
    trace = year_of_training()
    trace.interruptions["cause"][:] = -1
    found = figures(trace)
    assert found["lost_gpu_h_other_per_year"] == pytest.approx(170)
    assert found["lost_gpu_h_power_per_year"] == pytest.approx(170 + 6430)


def test_a_gang_jobs_time_is_useful_or_lost_by_name():
    found = figures(year_of_training())
    assert found["effective_training_time_fraction"] == pytest.approx(8000 / 8760)
    assert found["gpu_h_useful_per_year"] == pytest.approx(80_000)
    assert found["job_down_h_per_year"] == pytest.approx(14)
    assert found["lost_gpu_h_capped_per_year"] == pytest.approx(6430)


def test_losses_by_root_kind_come_largest_first():
    table = metrics.by_root_cause(year_of_training())
    assert table["kind"] == ["planned", "cabinet", "hardware", "sustained"]
    assert table["interruptions"].tolist() == [1, 1, 1, 1]
    assert table["lost_gpu_h"] == pytest.approx([70, 50, 30, 20])


def test_a_cause_chain_reads_from_the_root_to_the_job():
    trace = year_of_training()
    assert metrics.interruption_chain(trace, 0) == [
        "campus/grid/a/sustained strikes",
        "campus/row-00 failed_to_pick_up",
        "campus/row-00 goes dark",
        "training interrupted",
    ]
    assert metrics.cause_chain(trace, 4) == ["hardware failure stops a job"]


def test_the_root_of_a_long_chain_is_its_first_event():
    facts = [(hour, 0, "up", hour % 2, hour - 1) for hour in range(100)] + [(100, 0, "up", 0, -1)]
    assert trace_of(CAMPUS, facts).root_cause().tolist() == [0] * 100 + [100]


def test_energy_adds_up_over_months_and_sites():
    # consumed: it 100 + 300, cooling 40, house 10, loss 20, auxiliary 10, inside storage 5 = 485; PUE 485 / 400
    north = ledger_of(
        {"it_kwh": 100, "cooling_kwh": 40, "import_kwh": 200, "peak_import_kw": 9, "loss_kwh": 20, "discharge_kwh": 7},
        {"it_kwh": 300, "house_kwh": 10, "genset_kwh": 5, "peak_import_kw": 12, "auxiliary_kwh": 10, "unserved_kwh": 3},
    )
    south = ledger_of({"peak_import_kw": 6, "storage_loss_kwh": 5, "clamped_kwh": 1e-12})
    sites = {"north": north, "south": south}
    found = figures(trace_of(ROWS, ledger=sites, sites=list(sites), horizon_us=YEAR_US // 2))
    assert found["pue"] == pytest.approx(485 / 400)
    assert found["it_kwh_per_year"] == pytest.approx(800)
    assert found["import_kwh_per_year"] == pytest.approx(400)
    assert found["genset_kwh_per_year"] == pytest.approx(10)
    assert found["loss_kwh_per_year"] == pytest.approx(40)
    assert found["auxiliary_kwh_per_year"] == pytest.approx(20)
    assert found["unserved_kwh_per_year"] == pytest.approx(6)
    assert found["storage_discharge_kwh_per_year"] == pytest.approx(14)
    assert found["peak_import_kw"] == 12
    assert found["mean_monthly_peak_import_kw"] == pytest.approx(9)  # (9 + 12 + 6) / 3
    assert found["clamped_kwh"] == 1e-12


def test_queue_jobs_are_counted_apart_from_gang_jobs():
    queue = [("queue", "queue", 0.0, 8)]
    jobs = [
        (0, 0, 1 * H, 5 * H, 4, 3 * H, 0, H // 2, H // 2, 1),  # waited 1 h, useful 12 GPU-h
        (0, 8747 * H, 8750 * H, -1, 8, 10 * H, 0, 0, 0, 0),  # waited 3 h, runs on, useful 80 GPU-h
        (0, 0, -1, -1, 2, 0, 0, 0, 0, 0),  # never started
    ]
    stops = [(0, 0, 2 * H, 2 * H + H // 2, -1, 0, 4, H // 2)]  # 4 GPUs x (0.5 + 0.5) h
    found = figures(trace_of(queue, jobs=jobs, interruptions=stops))
    assert found["jobs_started"] == 2
    assert found["jobs_completed"] == 1
    assert found["mean_wait_h"] == pytest.approx(2.0)
    assert found["queue_gpu_h_useful_per_year"] == pytest.approx(92)
    assert found["lost_gpu_h_per_year"] == pytest.approx(4)
    assert found["gpu_h_useful_per_year"] == 0
    assert np.isnan(found["effective_training_time_fraction"])


def test_a_trace_of_nothing_still_has_every_metric():
    names, values = metrics.row(trace_of([]))
    assert names == NAMES == tuple(METRICS)
    assert values.dtype == np.float64
    assert len(values) == len(NAMES)


def test_measure_is_row_with_names():
    trace = year_of_training()
    names, values = metrics.row(trace)
    series = metrics.measure(trace)
    assert list(series.index) == list(names)
    assert np.array_equal(series.to_numpy(), values, equal_nan=True)


def test_a_worker_that_measures_imports_no_slow_library():
    code = (
        "import sys, twin.trace, twin.metrics, twin.estimate;"
        "sys.exit(', '.join({'pandas', 'scipy', 'h5py', 'simpy', 'numba'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_metric_says_its_unit_in_its_name_as_units_does():
    ends = {
        "h/year": "_h_per_year",
        "kWh/year": "_kwh_per_year",
        "kW": "_kw",
        "GPU-h/year": "per_year",
        "1/year": "year",
    }
    for name, metric in METRICS.items():
        assert name.endswith(ends.get(metric.unit, "")), name


def test_compute_per_kwh_and_per_unit_of_money_slowdown_and_tenants():
    """400 kWh and 50 money for 12 + 80 useful GPU-hours; a tenant without a finished job has no slowdown."""
    items = [("queue", "queue", 0.0, 8), ("queue/tenants/a", "tenant", 0.0, 0), ("queue/tenants/b", "tenant", 0.0, 0)]
    jobs = [
        (0, 0, 1 * H, 6 * H, 4, 3 * H, 0, H, H, 1, 1),  # 6 h for 3 h of work
        (0, 0, 3 * H, -1, 8, 10 * H, 0, 0, 0, 0, 2),
        (0, H, H, H + 1, 1, 1, 0, 0, 0, 0, 1),  # shorter than the bound
    ]
    ledger = {"campus": ledger_of({"it_kwh": 300.0, "cooling_kwh": 100.0, "energy_cost": 50.0})}
    trace = trace_of(items, jobs=jobs, ledger=ledger)
    found = figures(trace)
    assert found["useful_gpu_h_per_kwh"] == pytest.approx(92 / 400)
    assert found["useful_gpu_h_per_money"] == pytest.approx(92 / 50)
    assert found["mean_slowdown"] == pytest.approx((2.0 + 1.0) / 2)
    assert found["queue_use_fraction"] == pytest.approx(92 / (8 * 8760))
    assert np.isnan(found["record_use_fraction"])
    table = metrics.by_tenant(trace)
    assert table["tenant"] == ["b", "a"]
    assert table["completed"].tolist() == [0, 2]
    assert table["useful_gpu_h"].tolist() == pytest.approx([80, 12])
    assert table["lost_gpu_h"].tolist() == pytest.approx([0, 8])
    assert table["mean_wait_h"].tolist() == pytest.approx([3.0, 0.5])
    assert np.isnan(table["mean_slowdown"][0])
    assert table["mean_slowdown"][1] == pytest.approx(1.5)


def test_a_record_of_a_cluster_of_unknown_size_has_no_waits_but_a_use_of_its_own():
    items = [("a", "queue", 0.0, 8), ("b", "queue", 0.0, 4), ("b/tenants/x", "tenant", 0.0, 0)]
    jobs = [(0, 0, 1 * H, 6 * H, 4, 5 * H, 0, 0, 0, 0, -1), (1, 0, 3 * H, 9 * H, 4, 6 * H, 0, 0, 0, 0, 2)]
    trace = trace_of(items, jobs=jobs, waits_unknown=["b"], record_gpu_h={"b": 8760.0})
    found = figures(trace)
    assert found["mean_wait_h"] == 1.0
    assert found["mean_slowdown"] == pytest.approx(1.2)
    assert found["record_use_fraction"] == pytest.approx(1 / 4)
    table = metrics.by_tenant(trace)
    assert np.isnan([table["mean_wait_h"][0], table["mean_slowdown"][0]]).all()


def test_losses_in_stops_on_purpose_are_told_apart_by_who_decided_and_by_why():
    """One stop for an outage, one for the price: both are the application layer's, only the second begins with it."""
    items = [("job", "gang_job", 0.0, 10), ("grid/a", "sustained", 0.0, 0), ("application", "application", 0.0, 0)]
    events = [(1.0, 1, "strikes", 1, -1), (1.5, 2, "application", 3, 0), (5.0, 2, "application", 3, -1)]
    stops = [(0, 0, 2 * H, 3 * H, 1, 0, 10, 0), (0, 0, 5 * H, 7 * H, 2, 0, 10, 0), (0, 0, 8 * H, 9 * H, 0, 1, 10, 0)]
    jobs = [(0, 0, 0, -1, 10, 8756 * H, 0, 0, 4 * H, 3)]
    found = figures(trace_of(items, events=events, jobs=jobs, interruptions=stops))
    assert found["lost_gpu_h_stopped_per_year"] == pytest.approx(30)
    assert found["jobs_stopped_per_year"] == 2
    assert found["lost_gpu_h_application_per_year"] == pytest.approx(20)
    assert found["lost_gpu_h_sustained_per_year"] == pytest.approx(20)
