"""Good inputs of every kind, from which hostile ones are made: once for a run, in one folder."""

import gzip
import json
import os
import shutil
from pathlib import Path
from unittest import mock

import twin
from twin.campaign.export import read
from twin.campaign.journal import Journal
from twin.campaign.run import run_campaign
from twin.inputs.samples import write_samples

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
SMALL = (
    "02_one_outage",
    "11_reversal",
    "14_rbts_bus2",
    "15_job_mix",
    "20_nine_nines",
    "21_checkpoint_before_empty",
    "22_backfill",
)
"""Shipped scenarios of which a day is simulated in a moment."""

_DAY = "T08:00:00"
_ROWS = "\n".join(f"{day % 24},{day % 7 / 7:.3f},{20 + day % 9}" for day in range(8760))
_SLURM = (
    "JobID|User|Account|Submit|Start|End|Elapsed|State|AllocTRES|ReqTRES|NNodes|Timelimit|Priority\n"
    "101|ann|n|2024-05-01T08:00:00|2024-05-01T08:10:00|2024-05-01T09:10:30|01:00:30|COMPLETED|gres/gpu=16|gres/gpu=16|2|"
    "1-00:00:00|7\n"
    "102|bob|n|2024-05-01T08:01:00|2024-05-01T08:01:00|2024-05-03T10:01:00|2-02:00:00|CANCELLED by 9|gres/gpu:h=8||1|"
    "UNLIMITED|3\n"
    "103_4|ann|cv|2024-05-01T08:02:00|2024-05-01T08:02:05|2024-05-01T08:03:05|00:01:00|FAILED||gres/gpu=4|1|01:00:00|\n"
)
_SWF = "; Version: 2.2\n; UnixStartTime: 1000\n" + "".join(
    f"{k} {10 * k} 0 {60 * k} {k % 8 + 1} -1 -1 {k % 8 + 1} 3600 -1 1 {k % 3} -1 -1 -1 -1 -1 -1\n" for k in range(1, 30)
)
_PHILLY = [
    {
        "status": "Pass",
        "vc": "ee9e8c",
        "jobid": f"a{k}",
        "user": "u",
        "submitted_time": f"2017-10-07 01:11:{k:02d}",
        "attempts": [
            {
                "start_time": "2017-10-07 01:12:09",
                "end_time": "2017-10-07 01:13:23",
                "detail": [{"ip": "m1", "gpus": ["gpu0", "gpu1"]}],
            }
        ],
    }
    for k in range(20)
]
_ALIBABA = (
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
    + "".join(f"p{k},12000,16384,1,1000,,LS,Succeeded,{k},{k + 500},{k + 1}.0\n" for k in range(30))
)
_ACME = (
    "job_id,user,node_num,gpu_num,cpu_num,type,state,submit_time,start_time,end_time,duration,queue,gpu_time\n"
    "5778432,u5907,1,8,128,Other,FAILED,2023-03-01 00:18:22+08:00,2023-03-01 00:18:54+08:00,2023-03-01 00:20:51+08:00,"
    "117,32,936.0\n"
)
_HELIOS = (
    "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n"
    "1425511,uX,vcJ,1,1,1,COMPLETED,2020-06-09 18:41:01,2020-06-09 18:41:01,2020-06-10 04:55:09,36848,0\n"
)
_TABLE = "job_id,tenant,submit_s,duration_s,gpus\n" + "".join(
    f"j{k},t{k % 3},{60 * k},{600 + k},{k % 8 + 1}\n" for k in range(60)
)
_LOG = "at_h,duration_s,feeders\n" + "".join(f"{k}.5,{k + 1},A\n" for k in range(20))
_NETWORK = """function mpc = case3
mpc.version = '2';
mpc.baseMVA = 10;
mpc.bus = [
 1 3 0 0 0 0 1 1 0 10 1 1.1 0.9;
 2 1 0.1 0.02 0 0 1 1 0 10 1 1.1 0.9;
 3 1 0.1 0.02 0 0 1 1 0 10 1 1.1 0.9;
];
mpc.gen = [
 1 0 0 10 -10 1 100 1 10 0;
];
mpc.branch = [
 1 2 0.01 0.02 0 0 0 0 0 0 1 -360 360;
 2 3 0.01 0.02 0 0 0 0 0 0 1 -360 360;
];
"""

RECORDS = {
    "outages": ("log.csv", "sites.hall.grid.script: null\nsites.hall.grid.outages: {file: DATA}\n"),
    "jobs": ("jobs/table.csv", "jobs.training: null\njobs.mix: {kind: queue, file: DATA, bad_rows: leave_out}\n"),
    "prices": ("profile.csv", "sites.hall.price_per_kwh: {file: DATA, column: share}\n"),
    "house": (
        "profile.csv",
        "sites.hall.house_load_kw: 5\nsites.hall.house_load_profile: {file: DATA, column: share}\n",
    ),
    "outdoor": (
        "profile.csv",
        (
            "sites.hall.cooling.temperature: {profile: {file: DATA, column: air_c}, curve: ["
            "{outdoor_c: 0, fraction_of_it: 0.2}, {outdoor_c: 40, fraction_of_it: 0.4}]}\n"
        ),
    ),
    "law": (
        "durations.csv",
        (
            "sites.hall.grid.script: null\nsites.hall.grid.feeders.A.sustained: {per_year: 12, "
            "duration_h: {law: empirical, file: DATA, column: duration_min}}\n"
        ),
    ),
    "weather": (
        "data/weather_tmy/tmy3_40N_120E.csv.gz",
        (
            "sites.hall.location: {latitude: 40, longitude: 120, timezone: "
            "Asia/Shanghai}\nsites.hall.pv: {peak_kw: 100, weather: {file: DATA}}\n"
        ),
    ),
    "feeders": ("data/rbts_bus2/rbts_bus2.json", ""),
    "network": (
        "network.m",
        "sites.hall.network: {kind: file, file: DATA, section_bus: [1], bus_of: {rows: [2], core: [3]}}\n",
    ),
    "power": ("data/gpu_power_mlperf_h100_gpt3/run_0.csv.gz", ""),
    "power_events": ("data/gpu_power_mlperf_h100_gpt3/run_0_events.csv", ""),
}
"""By name the data file, and the lines that make a scenario of one hall read it."""


def make(folder):
    """Write all victims below the folder."""
    folder = Path(folder)
    shutil.copytree(SCENARIOS, folder / "scenarios")
    write_samples(folder / "data")
    jobs = folder / "jobs"
    jobs.mkdir()
    texts = {
        "jobs/slurm.txt": _SLURM,
        "jobs/jobs.swf": _SWF,
        "jobs/philly.json": json.dumps(_PHILLY, indent=1),
        "jobs/openb_pod_list_default.csv": _ALIBABA,
        "jobs/trace_seren.csv": _ACME,
        "jobs/cluster_log.csv": _HELIOS,
        "jobs/table.csv": _TABLE,
        "log.csv": _LOG,
        "profile.csv": f"hour,share,air_c\n{_ROWS}\n",
        "network.m": _NETWORK,
        "durations.csv": "id,duration_min\n" + "".join(f"{k},{k * 3 + 1}\n" for k in range(40)),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    _parquet(jobs / "tasks.parquet")
    with gzip.open(folder / "bomb.gz", "wb", compresslevel=1) as stream:
        stream.write(b"job_id,tenant,submit_s,duration_s,gpus\n")
        for _ in range(1500):
            stream.write(b"1,2,3,4,5\n" * 100_000)
    with mock.patch.dict(os.environ, TWIN_DATA=str(folder / "data")):  # for the time of these runs alone
        _results(folder)
    return folder


def _parquet(path):
    try:
        import pyarrow as arrow  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        return
    table = {
        "id": arrow.array(range(9), arrow.int32()),
        "submission_time": arrow.array([86_400_000 + 1000 * k for k in range(9)], arrow.timestamp("ms", "UTC")),
        "duration": arrow.array([60_500] * 9, arrow.int64()),
        "cpu_count": arrow.array([4] * 9, arrow.int32()),
        "gpu_count": arrow.array([8] * 9, arrow.int32()),
    }
    parquet.write_table(arrow.table(table), path)


def _results(folder):
    """Traces, results of campaigns and a journal."""
    twin.simulate(_study(folder, "02_one_outage", "horizon: {hours: 24}"), replication=0, level="units").save(
        folder / "trace.h5"
    )
    queue = _study(folder, "15_job_mix", "horizon: {hours: 200}")
    twin.simulate(queue, replication=0, level="units").save(folder / "queue.h5")
    small = _study(folder, "02_one_outage", _CAMPAIGN)
    for name, options in {"campaign": {}, "sweep": {"sweep": "rates"}}.items():
        _campaign(small, folder / f"{name}.h5", replications=20, **options)
    content = read(folder / "campaign.h5")
    with Journal.create(folder / "part.journal", content.identity) as journal:
        for first in range(0, 10, 2):
            journal.append([(first, content.values[first : first + 2])])


_CAMPAIGN = """\
horizon: {hours: 48}
sites.hall.grid:
  script: null
  feeders.A.sustained: {per_year: {value: 300, low: 100, high: 500}, duration_h: {law: exponential, mean: 1}}
designs:
  one: {}
  two: {sites.hall.protection.cabinets.rated_kwh: 200}
sweeps:
  rates: {method: lhs, parameters: [sites.hall.grid.feeders.A.sustained.per_year], samples: 3}
"""


def _study(folder, base, text):
    path = folder / f"made_{base}_{len(text)}.yaml"
    path.write_text(f"extends: scenarios/{base}.yaml\nname: made\n{text}\n")
    return twin.load(path)


def _campaign(study, path, **options):
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(1) as thread:
        run_campaign(study, path=path, executor=thread, **options)
