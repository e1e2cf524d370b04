"""Small traces by hand, and a large made-up site-year, for the tests of the readers."""

import numpy as np

from twin.schema_trace import SCHEMA, empty_table
from twin.trace import Trace
from twin.units import TICKS_PER_H

H = TICKS_PER_H
YEAR_US = 8760 * H
WHATS = ["strikes", "up", "energised", "lit", "phase", "picked_up", "failed_to_pick_up", "hardware", "application"]


def table_of(name, *rows):
    """A table from tuples in the order of the schema's columns."""
    table = empty_table(name)
    for place, (column, values) in enumerate(table.items()):
        data = [row[place] for row in rows]
        table[column] = data if isinstance(values, list) else np.array(data, values.dtype)
    return table


def ledger_of(*months):
    """A ledger from dicts; columns left out are zero."""
    return table_of("ledger", *[tuple(month.get(column, 0) for column in SCHEMA["ledger"].columns) for month in months])


def trace_of(
    items, events=(), jobs=(), interruptions=(), trips=(), stays=(), ledger=None, series=None, units=None, **meta
):
    """A trace of a year at site "campus", from items (name, kind, weight_kw, gpus, site=0) and tables by name.

    Items keep the order given (tests refer to them by row); events are (hour, item, what, value, cause).
    """
    full = {
        "schema_version": 1, "scenario": "by hand", "design": "test", "seed": 1, "replication": 0, "level": "units",
        "horizon_us": YEAR_US, "sites": ["campus"], "whats": WHATS, "question": "?",
    } | meta  # fmt: skip
    sites = full["sites"]
    rows = [(row[0], row[1], row[4] if len(row) > 4 else 0, row[2], row[3]) for row in items]
    facts = [
        (round(at_h * H), item, full["whats"].index(what), value, cause) for at_h, item, what, value, cause in events
    ]
    return Trace(
        meta=full,
        items=table_of("items", *rows),
        events=table_of("events", *facts),
        jobs=table_of("jobs", *((*job, *(-1, 0, 0)[len(job) - 10 :]) for job in jobs)),
        interruptions=table_of("interruptions", *interruptions),
        trips=table_of("trips", *trips),
        stays=table_of("stays", *stays),
        series={site: (series or {}).get(site, empty_table("series")) for site in sites},
        units={site: (units or {}).get(site, empty_table("units")) for site in sites},
        ledger={site: (ledger or {}).get(site, empty_table("ledger")) for site in sites},
        cycles=table_of("cycles", (0, full["horizon_us"], 0.0)),
    )


def large_trace(seed=0, n_units=128, points_per_unit=1953, alike=True):
    """A made-up site-year: 16 rows, 128 cabinets, 5,400 events, 25,000 series rows, 250,000 turning points.

    `alike`: cabinets cycle together between full and empty, each missing some cycles by its own failures, and each
    outage leaves all of them at one odd level. Otherwise every level is an arbitrary number (incompressible).
    """
    rng = np.random.default_rng(seed)
    items = [(f"campus/cabinet-{n:03d}", "cabinet", 0.0, 0) for n in range(n_units)]
    items += [("campus/core", "core", 500.0, 0), ("campus/grid/a/sustained", "sustained", 0.0, 0)]
    items += [("campus/hardware", "hardware", 0.0, 0)]
    first_row = len(items)
    items += [(f"campus/row-{n:02d}", "row", 680.0, 640) for n in range(16)] + [("training", "gang_job", 0.0, 10240)]
    events = _large_events(rng, n_units, first_row)
    hits = np.flatnonzero(events["what"] == WHATS.index("hardware"))
    hits_us = events["time_us"][hits]
    ends_us = np.minimum(hits_us + 2 * H, np.append(hits_us[1:], YEAR_US))
    job = first_row + 16
    interruptions = [
        (0, job, int(s), int(e), int(c), 0, 10240, H // 4) for s, e, c in zip(hits_us, ends_us, hits, strict=True)
    ]
    trace = trace_of(
        items, jobs=[(job, 0, 0, -1, 10240, YEAR_US // 2, 0, H, H, len(hits))], interruptions=interruptions
    )
    trace.events = events
    trace.series["campus"] = _large_series(rng)
    trace.units["campus"] = _large_units(rng, n_units, points_per_unit, alike)
    month_us = YEAR_US // 12
    months = [
        {"start_us": m * month_us, "end_us": (m + 1) * month_us, "it_kwh": 8e6 + m, "import_kwh": 9e6}
        for m in range(12)
    ]
    trace.ledger["campus"] = ledger_of(*months)
    return trace


def _large_events(rng, n_units, first_row):
    n = 5400
    time_us = np.sort(rng.integers(0, YEAR_US, n))
    what = rng.choice([1, 3, 7], n, p=[0.7, 0.2, 0.1])
    lit = what == 3
    item = rng.integers(0, n_units, n)
    item[lit] = first_row + rng.integers(0, 16, lit.sum())
    item[what == 7] = n_units + 2
    value = np.zeros(n, np.int64)
    seen: dict[int, int] = {}
    for row in np.flatnonzero(what != 7):
        value[row] = seen.get(int(item[row]), 1) ^ 1
        seen[int(item[row])] = value[row]
    cause = np.where(rng.random(n) < 0.6, np.arange(n) - 1, -1)
    return {"time_us": time_us, "item": item, "what": what, "value": value, "cause": cause}


def _large_series(rng):
    n = 25_000
    series = {"time_us": np.sort(rng.integers(0, YEAR_US, n))}
    for column in list(SCHEMA["series"].columns)[1:]:
        levels = rng.uniform(0, 12_000, 40)  # powers between changes repeat: job phases, numbers of cabinets up
        series[column] = levels[rng.integers(0, 40, n)]
    series["stored_kwh"] = rng.uniform(0, 33_000, n)
    return series


def _large_units(rng, n_units, points, alike):
    every_us = YEAR_US // points
    grid_us = np.arange(points) * every_us // 1_000_000 * 1_000_000
    level = np.where(np.arange(points) % 2, 26.1, 261.0 * 0.9)
    odd = rng.random(points) < 0.05
    level[odd] = rng.uniform(30, 220, odd.sum())
    parts = []
    for unit in range(n_units):
        keep = rng.random(points) < 0.98 if alike else np.ones(points, bool)
        energy_kwh = level[keep] if alike else rng.uniform(26, 235, keep.sum())
        parts.append((grid_us[keep], np.full(keep.sum(), unit), energy_kwh))
    time_us, item, energy_kwh = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((item, time_us))
    return {"time_us": time_us[order], "item": item[order].astype(np.int64), "energy_kwh": energy_kwh[order]}
