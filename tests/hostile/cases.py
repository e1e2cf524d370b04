"""Case number n of a seed: hostile files laid into a folder, and the command that reads them."""

import json
import os
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

from documents import document
from ruamel.yaml import YAML
from scalars import NUMBERS, PATHS, TEXTS
from stores import mutate_hdf5, mutate_sqlite
from texts import CELLS, mutate_bytes, mutate_rows, mutate_text
from trees import json_text, mapped, mutate, yaml_text
from victims import RECORDS, SMALL

DEAR = ("01", "04", "05", "06", "08", "10", "13", "18")
"""Scenarios that take a quarter of a second and more to check: chosen less often."""


@dataclass(frozen=True)
class Case:
    """What was laid and what is asked. `made` are the names that a success may leave behind."""

    kind: str
    arguments: list
    made: tuple = ()


def lay(seed, number, victims, folder):
    """Write the case's files into an empty folder; the same for the same seed and number."""
    luck = random.Random(f"{seed}/{number}")
    (folder / "keep.txt").write_text("somebody's work\n")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    os.symlink("loop", folder / "loop")
    os.symlink(victims / "bomb.gz", folder / "bomb.gz")
    kind = luck.choices(list(KINDS), [weight for _, weight in KINDS.values()])[0]
    return KINDS[kind][0](kind, luck, victims, folder)


def output(luck, name):
    """Where to write; now and then over somebody's file, a folder, a device or into nothing."""
    bad = ["keep.txt", "folder", "pipe", "none/out", "/dev/null/x", "loop", "x" * 300]
    return name if luck.random() < 0.9 else luck.choice(bad)


_trees = {}


def tree_of(path, victims):
    """A shipped scenario as a tree of our own; what it extends is named by its full path."""
    if path not in _trees:
        _trees[path] = path.read_text()
    tree = mapped(YAML(typ="safe", pure=True).load(_trees[path]))
    for pair in tree.pairs:
        if pair[0] == "extends":
            pair[1] = str(victims / "scenarios" / pair[1])
    return tree


def shortened(tree, hours=24):
    """The tree with a horizon of a day, so that only a mutation makes it long."""
    rest = [pair for pair in tree.pairs if pair[0] != "horizon"]
    tree.pairs[:] = [*rest, ["horizon", mapped({"start": "2026-01-01", "hours": hours})]]
    return tree


def scenario(kind, luck, victims, folder):
    """A shipped scenario with one to four changes, checked."""
    paths = sorted((victims / "scenarios").glob("*.yaml"))
    dear = [1 if path.name[:2] in DEAR else 4 for path in paths]
    tree = tree_of(luck.choices(paths, dear)[0], victims)
    for _ in range(luck.choice([1, 1, 1, 2, 4])):
        mutate(tree, luck)
    return _checked(kind, luck, folder, yaml_text(tree).encode("utf-8", "surrogatepass"))


def scenario_text(kind, luck, victims, folder):
    """A shipped scenario damaged as text."""
    path = luck.choice(sorted((victims / "scenarios").glob("*.yaml")))
    return _checked(kind, luck, folder, mutate_text(path.read_bytes(), luck))


def made_document(kind, luck, victims, folder):
    """Documents that are built to hurt: bombs, cycles, depth, size."""
    return _checked(kind, luck, folder, document(luck, victims, folder))


def _checked(kind, luck, folder, data):
    (folder / "scenario.yaml").write_bytes(data)
    name = luck.choices(["scenario.yaml", *PATHS], [60] + [0.2] * len(PATHS))[0].strip("'\"").replace("\0", "")
    how = luck.choices(
        [["check"], ["check", "--format", "json"], ["claims"], ["campaign", "-o", "out.h5", "-n", "0"]], [80, 14, 3, 3]
    )
    return Case(kind, [*how[0], name])


def simulated(kind, luck, victims, folder):
    """A small scenario with one or two changes, simulated for a day."""
    tree = shortened(tree_of(victims / "scenarios" / f"{luck.choice(SMALL)}.yaml", victims))
    for _ in range(luck.choice([1, 1, 2])):
        mutate(tree, luck)
    (folder / "scenario.yaml").write_bytes(yaml_text(tree).encode("utf-8", "surrogatepass"))
    out = output(luck, "out.h5")
    how = luck.choices(
        [
            ["run", "scenario.yaml"],
            ["run", "scenario.yaml", "-o", out],
            ["run", "scenario.yaml", "--format", "json"],
            ["compare", "scenario.yaml", "-n", "2"],
        ],
        [50, 30, 10, 10],
    )
    return Case(kind, how[0], ("out.h5",))


def record(kind, luck, victims, folder):
    """A data file that a scenario names, damaged."""
    name, (path, lines) = luck.choice(list(RECORDS.items()))
    source, target = victims / path, folder / Path(path).name
    base, extra = victims / "scenarios" / "02_one_outage.yaml", lines.replace("DATA", target.name)
    target.write_bytes(_damaged(source, luck))
    if name == "feeders":
        base, extra = victims / "scenarios" / "14_rbts_bus2.yaml", f"sites.rbts.network.file: {target.name}\n"
    if name.startswith("power"):
        measured = folder / "measured"
        shutil.copytree(source.parent, measured)
        target.replace(measured / target.name)
        extra = "sites.hall.cluster.server.power_folder: measured\n"
    if luck.random() < 0.06 and not name.startswith("power"):
        extra = extra.replace(target.name, luck.choice(PATHS))
    (folder / "scenario.yaml").write_text(f"extends: {base}\nname: made\nhorizon: {{hours: 24}}\n{extra}")
    return Case(f"{kind} {name}", [luck.choice(["check", "run", "run"]), "scenario.yaml"])


def _damaged(source, luck):
    import gzip  # noqa: PLC0415

    data = source.read_bytes()
    if luck.random() < 0.2:
        return mutate_bytes(data, luck)
    text = gzip.decompress(data) if source.suffix == ".gz" else data
    if source.suffix == ".json" and luck.random() < 0.7:
        tree = mapped(json.loads(text))
        for _ in range(luck.randint(1, 3)):
            mutate(tree, luck)
        text = json_text(tree).encode("utf-8", "surrogatepass")
    elif luck.random() < 0.7:
        delimiter = "|" if source.name == "slurm.txt" else " " if source.suffix in (".swf", ".m") else ","
        text = mutate_rows(text, luck, delimiter)
    else:
        text = mutate_text(text, luck)
    return gzip.compress(text, 1, mtime=0) if source.suffix == ".gz" else text


def jobs(kind, luck, victims, folder):
    """A job record of one of the layouts, damaged."""
    source = luck.choice(sorted((victims / "jobs").iterdir()))
    (folder / source.name).write_bytes(
        mutate_bytes(source.read_bytes(), luck) if source.suffix == ".parquet" else _damaged(source, luck)
    )
    name = luck.choices([source.name, *PATHS], [60] + [0.3] * len(PATHS))[0].strip("'\"").replace("\0", "")
    more = luck.choice(
        [[], [], ["--format", "json"], ["-o", output(luck, "out.csv")], ["--gpus", "8"], ["--layout", "swf"]]
    )
    return Case(f"{kind} {source.name}", ["jobs", name, *more], ("out.csv",))


def log(kind, luck, victims, folder):
    """An outage log or a record to fit, damaged."""
    if luck.random() < 0.4:
        (folder / "log.csv").write_bytes(_damaged(victims / "log.csv", luck))
        return Case(f"{kind} outages", ["run", str(victims / "made_02_one_outage_20.yaml"), "--outages", "log.csv"])
    source = victims / luck.choice(["durations.csv", "data/hpc_failures_lanl/failures.csv.gz"])
    (folder / source.name).write_bytes(_damaged(source, luck))
    name = luck.choices([source.name, *PATHS], [60] + [0.3] * len(PATHS))[0].strip("'\"").replace("\0", "")
    how = (
        ["--column", "duration_min", "--unit", "min"]
        if source.name == "durations.csv"
        else luck.choice(
            [
                ["--column", "down_min", "--unit", "min"],
                ["--start", "start", "--end", "fixed"],
                ["--start", "start", "--end", "fixed", "--between", "--by", "node"],
            ]
        )
    )
    return Case(f"{kind} fit", ["fit", name, *how, *luck.choice([[], [], ["--format", "json"]])])


def hdf5(kind, luck, victims, folder):
    """A trace or the results of a campaign, damaged."""
    source = victims / luck.choice(["trace.h5", "queue.h5", "campaign.h5", "sweep.h5"])
    mutate_hdf5(source, folder / "given.h5", luck)
    shutil.copy(source, folder / "keep.h5")
    name = luck.choices(["given.h5", *PATHS], [60] + [0.15] * len(PATHS))[0].strip("'\"").replace("\0", "")
    page, table, other = output(luck, "out.html"), output(luck, "out"), output(luck, "out.h5")
    how = luck.choices(
        [
            ["metrics", name],
            ["metrics", name, "--format", "json"],
            ["metrics", name, "keep.h5"],
            ["metrics", name, "--money"],
            ["report", name, "-o", page, "--no-replay"],
            ["report", name, "-o", page],
            ["export", name, "-o", table],
            ["export", name, "-o", other, "--format", "h5"],
            ["export", name, "-o", table, "--format", "parquet"],
            ["bill", name],
            ["merge", name, "keep.h5", "-o", other],
            [
                "campaign",
                str(victims / "made_02_one_outage_340.yaml"),
                "-n",
                "20",
                "-o",
                name,
                "--resume",
                "--workers",
                "1",
            ],
        ],
        [20, 10, 5, 5, 10, 8, 10, 8, 4, 5, 8, 7],
    )
    return Case(f"{kind} {source.name}", how[0], ("out.html", "out.h5", "out", "given.h5", "given.run.json"))


def journal(kind, luck, victims, folder):
    """The journal of a campaign that goes on, damaged."""
    mutate_sqlite(victims / "part.journal", folder / "out.h5.journal", luck)
    shutil.copy(victims / "campaign.h5", folder / "keep.h5")
    how = luck.choice(
        [
            [
                "campaign",
                str(victims / "made_02_one_outage_340.yaml"),
                "-n",
                "10",
                "-o",
                "out.h5",
                "--resume",
                "--workers",
                "1",
            ],
            ["merge", "out.h5.journal", "keep.h5", "-o", "out2.h5"],
            ["merge", "out.h5.journal", "-o", "out2.h5"],
            ["metrics", "out.h5.journal"],
        ]
    )
    return Case(kind, how, ("out.h5", "out2.h5", "out.run.json", "-out.h5.journal"))


_OPTIONS = [
    ["run", "S", "--seed", "X"],
    ["run", "S", "--replication", "X"],
    ["run", "S", "--design", "X"],
    ["run", "X"],
    ["check", "X"],
    ["compare", "S", "-n", "X"],
    ["campaign", "S", "-o", "out.h5", "-n", "X", "--until-ci", "-1"],
    ["campaign", "S", "-o", "X", "-n", "0"],
    ["campaign", "S", "-o", "out.h5", "--range", "X"],
    ["campaign", "S", "-o", "out.h5", "-n", "2", "--workers", "1", "--until-ci", "X"],
    ["campaign", "S", "-o", "out.h5", "-n", "2", "--workers", "1", "--until-time", "X"],
    ["campaign", "S", "-o", "out.h5", "-n", "2", "--workers", "1", "--metric", "X"],
    ["campaign", "S", "-o", "out.h5", "-n", "2", "--workers", "1", "--sweep", "X"],
    ["campaign", "S", "-o", "out.h5", "-n", "2", "--workers", "1", "--designs", "X"],
    ["campaign", "S", "-o", "out.h5", "-n", "2", "--scheduler", "X"],
    ["init", "X"],
    ["init", "02_one_outage", "-o", "X"],
    ["metrics", "X"],
    ["report", "X", "-o", "out.html"],
    ["bill", "X"],
    ["fit", "X", "--column", "X"],
    ["jobs", "X", "--gpus", "X"],
    ["validate", "--only", "X", "--seed", "-1"],
    ["merge", "X", "-o", "X"],
    ["export", "X", "-o", "out", "--format", "X"],
    ["X"],
    ["run", "S", "--outages", "X"],
    ["claims", "X"],
    ["run", "S", "-o", "X"],
]


def options(kind, luck, victims, folder):
    """A good scenario under options that mean nothing."""

    def strange():
        return (
            luck.choice(
                [
                    *NUMBERS,
                    *TEXTS,
                    *PATHS,
                    *CELLS,
                    "5:2",
                    "0:99999999999999999999",
                    "1e9",
                    "nan%",
                    "tcp://:x",
                    "--",
                    "-n",
                ]
            )
            .strip("'\"")
            .replace("\0", "")[:5000]
        )

    template = luck.choice(_OPTIONS)
    scenario = str(victims / "made_02_one_outage_20.yaml")
    words = [scenario if word == "S" else strange() if word == "X" else word for word in template]
    return Case(kind, words, ("*",))


KINDS = {
    "scenario": (scenario, 46),
    "scenario text": (scenario_text, 10),
    "made document": (made_document, 5),
    "simulated": (simulated, 8),
    "record": (record, 8),
    "jobs": (jobs, 7),
    "log": (log, 4),
    "hdf5": (hdf5, 7),
    "journal": (journal, 2),
    "options": (options, 3),
}
