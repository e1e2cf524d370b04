"""Writes small made-up records in the layouts of the measured ones, for tests and for studies without the data.

`python -m twin.inputs.samples FOLDER` writes the folder tree, so that TWIN_DATA can point at it. Sizes, durations and
levels are roughly those of the measured records' summaries; nothing here is a measurement, and each README says so.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from twin.errors import InputError, Problem

JOBS_FOLDER = "jobs_philly_2017"
POWER_FOLDER = "gpu_power_mlperf_h100_gpt3"
OUTAGES_FOLDER = "grid_outages_us_major"
WEATHER_FOLDER = "weather_tmy"
FEEDERS_FOLDER = "rbts_bus2"
FAILURES_FOLDER = "hpc_failures_lanl"

Row = Sequence[object]


def write_samples(folder: Path | str, seed: int = 0) -> list[Path]:
    """Writes all sample records below `folder`, each in the folder that the measured one has, and names the files.

    Raises:
        InputError: a file is there already (a measured record must never be overwritten by a sample), or the folder
            cannot be written.
    """
    folder = Path(folder)
    taken = [
        folder / name
        for name in (JOBS_FOLDER, POWER_FOLDER, OUTAGES_FOLDER, WEATHER_FOLDER, FEEDERS_FOLDER, FAILURES_FOLDER)
        if (folder / name).exists()
    ]
    if taken:
        raise InputError([Problem("is there already", str(path), remedy="name an empty folder") for path in taken])
    jobs, outages = folder / JOBS_FOLDER / "jobs.csv.gz", folder / OUTAGES_FOLDER / "events.csv.gz"
    try:
        write_jobs(jobs, seed=seed)
        files = [jobs, *write_power_record(folder / POWER_FOLDER, seed=seed)]
        write_outages(outages, seed=seed)
        files += write_weather(folder / WEATHER_FOLDER, seed=seed)
        files += write_feeders(folder / FEEDERS_FOLDER, seed=seed)
        failures = folder / FAILURES_FOLDER / "failures.csv.gz"
        write_failures(failures, seed=seed)
        files += [failures, _write_readme(failures.parent, seed)]
        files += [outages, *(_write_readme(folder / name, seed) for name in (JOBS_FOLDER, OUTAGES_FOLDER))]
    except OSError as error:
        raise InputError(Problem(f"cannot be written: {error.strerror}", str(folder))) from error
    return files


def write_jobs(path: Path | str, *, jobs: int = 1500, seed: int = 0) -> None:
    """Writes a job table like Philly's: bursty submissions, most jobs on one GPU, durations over five decades."""
    draws = np.random.default_rng([seed, 1])
    gaps_s = draws.exponential(1.0, jobs) * np.where(draws.random(jobs) < 0.03, 3600.0, 20.0)
    submit_s = np.cumsum(gaps_s).round().astype(int)
    gpus = draws.choice([1, 2, 4, 8, 16, 32], size=jobs, p=[0.94, 0.025, 0.017, 0.012, 0.005, 0.001])
    duration_s = _quantile_draws(draws, jobs, (1.0, 46.0, 82.0, 1045.0, 2728.0, 9102.0, 26535.0, 208198.0, 1e6))
    tenant = draws.choice(["6214e9", "ee9e8c", "11cb48", "2869ce"], size=jobs, p=[0.5, 0.25, 0.15, 0.1])
    rows = [
        (f"p{row + 1:06d}", tenant[row], submit_s[row], max(1, round(duration_s[row])), gpus[row])
        for row in range(jobs)
    ]
    _write(Path(path), ("job_id", "vc", "submit_s", "duration_s", "gpus"), rows)


def write_power_record(
    folder: Path | str, *, servers: int = 4, runs: int = 2, evaluations: int = 4, seed: int = 0
) -> list[Path]:
    """Writes a power record like that of GPT-3 on H100 servers: blocks of 129 s, evaluations of 13 s 8 % lower.

    Each evaluation begins with one deep reading (20 % lower); servers differ by noise of 1 %. Returns the files.
    """
    folder = Path(folder)
    files = [folder / f"run_{run}{end}" for run in range(runs) for end in (".csv.gz", "_events.csv")]
    period_s, block_s = 142.0, 129.0
    times_s = np.arange(0.0, evaluations * period_s + 1.0, 2.0)
    after_start_s = times_s % period_s
    level_w = np.where(after_start_s >= block_s, 6350.0, 6900.0)
    level_w[(after_start_s >= block_s) & (after_start_s < block_s + 2.0)] = 5500.0
    level_w[:2] = (4300.0, 5100.0)
    for run in range(runs):
        draws = np.random.default_rng([seed, 2, run])
        power_w = (level_w[:, None] * draws.normal(1.0, 0.01, (len(times_s), servers))).round().astype(int)
        names = ("t_s", *(f"node_{server + 1:02d}_w" for server in range(servers)))
        _write(files[2 * run], names, ((time_s, *row) for time_s, row in zip(times_s, power_w.tolist(), strict=True)))
        events: list[Row] = [(-360.0 + 5.0 * run, "init_start", "", ""), (-0.2, "run_start", "", "")]
        for start_s in (np.arange(evaluations) * period_s).tolist():
            stop_s, end_s = start_s + block_s, start_s + period_s
            events += [(start_s, "block_start", "", ""), (stop_s, "block_stop", "", "")]
            events += [(stop_s, "eval_start", "", ""), (end_s, "eval_stop", "", "")]
        events.append((evaluations * period_s, "run_stop", "", ""))
        _write(files[2 * run + 1], ("t_s", "event", "value", "samples_count"), events)
    return [*files, _write_readme(folder, seed)]


def write_outages(path: Path | str, *, outages: int = 400, seed: int = 0) -> None:
    """Writes outages like those of the major US events: causes with their own durations, some durations empty."""
    draws = np.random.default_rng([seed, 3])
    median_min = {"severe weather": 2460.0, "intentional attack": 56.0, "equipment failure": 221.0, "islanding": 78.0}
    causes = draws.choice(list(median_min), size=outages, p=[0.55, 0.27, 0.1, 0.08])
    rows: list[Row] = []
    for row, cause in enumerate(causes.tolist()):
        minutes = max(1.0, round(median_min[cause] * float(np.exp(draws.normal(0.0, 1.3)))))
        text = "" if draws.random() < 0.03 else f"{minutes:.1f}"
        rows.append((row + 1, "MN", "MRO", "2011-07-01 17:00", "", text, cause, "", "", "", ""))
    names = (
        "event_id,state,nerc,start,restored,duration_min,cause,cause_detail,demand_loss_mw,customers,state_customers"
    )
    _write(Path(path), names.split(","), rows)


def write_failures(path: Path | str, *, nodes: int = 60, years: float = 4.0, seed: int = 0) -> None:
    """Writes failures like those of LANL's clusters: nodes that fail early more than late, lognormal down times.

    Times between failures are Weibull of shape 0.7 and mean 2,000 h, down times lognormal of median 1 h and sigma 1.3;
    times are in whole minutes.
    """
    draws, rows = np.random.default_rng([seed, 5]), []
    scale_h = 2000.0 / 1.2658
    for node in range(nodes):
        at_h = 0.0
        while True:
            at_h += float(scale_h * draws.weibull(0.7))
            down_min = max(1, round(60.0 * float(np.exp(draws.normal(0.0, 1.3)))))
            if at_h >= years * 8760.0:
                break
            start = np.datetime64("2001-01-01T00:00") + np.timedelta64(round(at_h * 60.0), "m")
            end = start + np.timedelta64(down_min, "m")
            category = str(draws.choice(["hardware", "software", "facilities"], p=[0.6, 0.3, 0.1]))
            stamps = [str(moment).replace("T", " ") for moment in (start, end)]
            rows.append((1, "cluster", f"{nodes}.0", "240.0", "4.0", f"{node}.0", *stamps, down_min, category, ""))
            at_h += down_min / 60.0
    rows.sort(key=lambda row: str(row[6]))
    names = "system,machine_type,nodes,procs_total,procs_in_node,node,start,fixed,down_min,category,cause"
    _write(Path(path), names.split(","), rows)


def write_weather(folder: Path | str, *, seed: int = 0) -> list[Path]:
    """Writes one made-up year at 40 N in both layouts of typical years: TMY3's in local standard time, PVGIS's in UTC.

    The sun follows declination and hour angle, a day's clouds dim its beam; the place is at 120 E, eight hours ahead of
    UTC. Returns the files.
    """
    folder, draws = Path(folder), np.random.default_rng([seed, 4])
    hour = np.arange(8760)
    declination = np.radians(-23.44 * np.cos(2.0 * np.pi * (hour // 24 + 10) / 365.0))
    angle, latitude = np.pi * (hour % 24 - 11.5) / 12.0, np.radians(40.0)
    height = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(angle)
    height = np.maximum(height, 0.0)
    beam = np.repeat(np.sqrt(draws.random(365)), 24) * np.where(
        height > 0.0, 0.75 ** (1.0 / np.maximum(height, 0.05)), 0.0
    )
    dni = (1361.0 * beam).round(1)
    dhi = (150.0 * np.sqrt(height) * (height > 0.0)).round(1)
    ghi = (dni * height + dhi).round(1)
    air_c = (
        13.0 - 15.0 * np.cos(2.0 * np.pi * (hour - 480) / 8760.0) - 4.0 * np.cos(np.pi * (hour % 24 - 3) / 12.0)
    ).round(1)
    wind = draws.gamma(2.0, 1.2, 8760).round(1)
    local = [hour, hour // 730 + 1, ghi, dni, dhi, air_c, np.full(8760, 60), wind, np.full(8760, 1010)]
    names = ("hour", "month", "ghi", "dni", "dhi", "temp_c", "rh_pct", "wind_ms", "pressure_mbar")
    tmy3 = _write(folder / "tmy3_40N_120E.csv.gz", names, zip(*(column.tolist() for column in local), strict=True))
    times = np.datetime64("2025-01-01T00") + hour.astype("timedelta64[h]")
    stamps = [text[:10].replace("-", "") + f":{text[11:13]}00" for text in np.datetime_as_string(times).tolist()]
    columns = [np.roll(column, -8).tolist() for column in (air_c, ghi, dni, dhi, wind)]
    pvgis = _write(
        folder / "pvgis_40N_120E.csv.gz",
        ("time(UTC)", "T2m", "G(h)", "Gb(n)", "Gd(h)", "WS10m"),
        zip(stamps, *columns, strict=True),
    )
    return [tmy3, pvgis, _write_readme(folder, seed)]


def write_feeders(folder: Path | str, *, feeders: int = 4, seed: int = 0) -> list[Path]:
    """Writes a made-up distribution system like RBTS Bus 2: short feeders, some customers many, some alone and large.

    Rates and times are of the same size as those of the test system. Returns the files.
    """
    folder, draws = Path(folder), np.random.default_rng([seed, 5])
    number, load_points, layout = 0, dict[str, dict[str, object]](), []
    for _ in range(feeders):
        sections = []
        for _ in range(int(draws.integers(2, 5))):
            laterals = []
            for _ in range(int(draws.integers(1, 3))):
                number += 1
                many = draws.random() < 0.5
                load_points[str(number)] = {
                    "average_load_mw": round(float(draws.uniform(0.4, 0.9)), 3),
                    "customers": int(draws.integers(100, 250)) if many else 1,
                }
                km = round(float(draws.uniform(0.5, 0.9)), 2)
                laterals.append({"km": km, "load_point": number, "transformer": bool(draws.random() < 0.9)})
            sections.append({"main_km": round(float(draws.uniform(0.5, 0.9)), 2), "laterals": laterals})
        layout.append(sections)
    record = {
        "name": "generated sample",
        "units": {
            "length": "km", "line_failure_rate": "1/(yr km)", "transformer_failure_rate": "1/yr", "times": "h",
            "average_load": "MW",
        },
        "data": {
            "line_failure_rate": 0.07, "line_repair_h": 6, "transformer_failure_rate": 0.02,
            "transformer_repair_h": 150, "transformer_replace_h": 12, "switching_h": 1,
        },
        "feeders": layout,
        "load_points": load_points,
    }  # fmt: skip
    text = json.dumps(record, indent=1) + "\n"
    return [_replace(folder / "rbts_bus2.json", text.encode()), _write_readme(folder, seed)]


def _quantile_draws(draws: np.random.Generator, count: int, values: Sequence[float]) -> np.ndarray:
    """Draws whose logarithm is uniform between the given quantiles (0, .05, .25, .5, .75, .9, .95, .99, 1)."""
    quantiles = (0.0, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
    return np.exp(np.interp(draws.random(count), quantiles, np.log(values)))


def _write_readme(folder: Path, seed: int) -> Path:
    text = (
        f"# {folder.name} - generated sample (seed {seed}), in the layout of the record of that name; no measurement\n"
    )
    return _replace(folder / "README.md", text.encode())


def _write(path: Path, names: Sequence[str], rows: Iterable[Row]) -> Path:
    """Writes CSV, gzipped (without a time stamp, so that one seed gives one file) where the name ends in .gz."""
    text = "".join(",".join(map(str, row)) + "\n" for row in (names, *rows)).encode()
    return _replace(path, gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)


def _replace(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(data)
    unfinished.replace(path)
    return path


def main(arguments: Sequence[str]) -> int:
    """Writes the samples below the one folder named; returns the exit code."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m twin.inputs.samples FOLDER", file=sys.stderr)
        return 2
    try:
        files = write_samples(arguments[0])
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{len(files)} files written below {arguments[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
