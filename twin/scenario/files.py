"""Data files that a scenario names: where they are, whether they are there, and their SHA-256."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from twin.errors import InputError, Problem

DATA_VARIABLE = "TWIN_DATA"
_DEFAULT_FOLDER = "../shared/data"
_MARK = "${" + DATA_VARIABLE + "}"
FOLDER_FILES_MAX = 10_000
_VARIABLE = re.compile(r"\$\{([^}]*)\}?")

ORIGINS = {
    "acme_llm_cluster_stats": ("statistics of two LLM clusters", "InternLM/AcmeTrace on GitHub (CC BY 4.0)"),
    "carbon_factors_china": (
        "CO2 factors of electricity in China",
        "announcements of the Ministry of Ecology and Environment and the National Bureau of Statistics, 2021 to 2023",
    ),
    "gpu_power_mlperf_b200": (
        "AC power of an 8 x B200 server",
        "MLCommons training_results_v5.0, submission Lenovo, system SR780aV3-8xB200_SXM_180GB (Apache-2.0)",
    ),
    "gpu_power_mlperf_h100_gpt3": (
        "AC power of 64 H100 servers in GPT-3 training",
        "MLCommons training_results_v4.0, submission smc-ac-power, system 64xSMC-H100-SXM-80GB (Apache-2.0)",
    ),
    "gpu_power_mlperf_h100_llama2": (
        "AC power of 8 H100 servers in Llama 2 fine-tuning",
        "MLCommons training_results_v4.1, submission Dell, system 8xXE9680x8H100-SXM-80GB-POWER (Apache-2.0)",
    ),
    "gpu_power_nlr_h100_stats": (
        "dips and ramps of H100 training power",
        "IsabellaLiu99/genai-gpu-power-analysis on GitHub (MIT); arXiv 2604.07345",
    ),
    "grid_outages_us_major": (
        "major outages in the US, 2000 to 2016",
        "Mukherjee, Nateghi, Hastak, Data in Brief 19 (2018), dataset of the paper",
    ),
    "grid_reliability_indices": ("SAIDI and SAIFI of grids", "yearly figures of the regulators of US, Germany, China"),
    "grid_rts_gmlc": ("RTS-GMLC test grid", "GridMod/RTS-GMLC on GitHub, RTS_Data/SourceData (NREL data-use notice)"),
    "hpc_failures_lanl": (
        "failures of 23 high-performance computers",
        "LANL operational data release LA-UR-05-7318, failure data 1996 to 2005",
    ),
    "jobs_alibaba_openb_2023": (
        "GPU jobs of a production cluster",
        "alibaba/clusterdata on GitHub, cluster-trace-gpu-v2023 (Apache-2.0)",
    ),
    "jobs_philly_2017": ("GPU jobs of a training cluster", "msr-fiddle/philly-traces on GitHub (CC BY 4.0)"),
    "load_office": (
        "hourly load of a large office",
        "NREL/REopt.jl on GitHub, test/data/loads_kw_largeoffice_sanfran.csv (Apache-2.0)",
    ),
    "rbts_bus2": (
        "distribution test system RBTS Bus 2",
        "Allan, Billinton, Sjarief, Goel, So, IEEE Transactions on Power Systems 6(2), 1991",
    ),
    "tariff_tou_china": (
        "time-of-use price ratios",
        "time-of-use notices of the development and reform commissions of Zhejiang and Jiangsu",
    ),
    "weather_tmy": (
        "two typical meteorological years",
        "pvlib/pvlib-python on GitHub: NSRDB TMY3 Greensboro (public domain) and PVGIS 45N 8E",
    ),
}
"""By folder name: what it holds, and where the public original is."""


class File(NamedTuple):
    """A data file or folder: the name as written, its absolute path, and its SHA-256 (None where it is missing)."""

    name: str
    path: str
    sha256: str | None


def data_folder() -> Path:
    """The folder of shared data: the environment variable TWIN_DATA, else ../shared/data beside the current folder."""
    return Path(os.path.abspath(os.environ.get(DATA_VARIABLE) or _DEFAULT_FOLDER))


def is_file_key(key: str | int) -> bool:
    """Whether a text under this key names a file or a folder."""
    return isinstance(key, str) and (key in ("file", "folder") or key.endswith(("_file", "_folder")))


def expand(name: str, beside: Path) -> Path:
    """The absolute path of a name as written in the file `beside`.

    Raises:
        InputError: the name is empty or holds a variable other than ${TWIN_DATA}.
    """
    if not name.strip() or "\0" in name:
        raise InputError(Problem("must name a file, is empty", remedy="write a path, or leave the key out"))
    others = [found for found in _VARIABLE.findall(name) if found != DATA_VARIABLE]
    if others or name.count("${") != name.count(_MARK):
        known = f"only {_MARK} is known"
        raise InputError(Problem(f"${{{others[0] if others else ''}}} cannot stand in a path", remedy=known))
    path = Path(name.replace(_MARK, str(data_folder())))
    return Path(os.path.normpath(beside.absolute().parent / path))


def find_file(name: str, beside: Path, *, folder: bool) -> tuple[File, Problem | None]:
    """The file or folder of this name, and what is wrong with it (a problem yet without line and key).

    Raises:
        InputError: see `expand`.
    """
    path = expand(name, beside)
    if not os.path.exists(path):
        return File(name, str(path), None), _missing(name, path, "folder" if folder else "file")
    if path.is_dir() != folder:
        message = f"{name} is {'a folder, not a file' if path.is_dir() else 'a file, not a folder'}"
        return File(name, str(path), None), Problem(message)
    if not folder and not path.is_file():
        return File(name, str(path), None), Problem(f"{name} is a pipe or a device, not a file")
    try:
        return File(name, str(path), folder_digest(path) if folder else file_digest(path)), None
    except OSError as error:
        return File(name, str(path), None), Problem(f"{name} cannot be read: {error.strerror}")


def _missing(name: str, path: Path, what: str) -> Problem:
    """The problem of a file that is not there; shared data say where their public original is."""
    if not name.startswith(_MARK):
        return Problem(f"no {what} {name}", remedy=f"looked for {path}")
    data = name.removeprefix(_MARK).strip("/").split("/")[0]
    message = f"no {what} {name}: {DATA_VARIABLE} is {data_folder()}"
    remedy = f"set {DATA_VARIABLE} to the folder that holds {data}"
    if data in ORIGINS:
        title, origin = ORIGINS[data]
        message += f"; {data} ({title}) is made from {origin}"
    return Problem(message, remedy=remedy)


_digests: dict[tuple[str, int, int], str] = {}


def file_digest(path: Path) -> str:
    """SHA-256 of the file in hex; kept for as long as its date and size stay."""
    state = path.stat()
    key = (str(path), state.st_mtime_ns, state.st_size)
    if key not in _digests:
        with path.open("rb") as stream:
            _digests[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _digests[key]


def folder_digest(path: Path) -> str:
    """SHA-256 over the names and digests of all files below the folder, in order of name."""
    files = list(islice(path.rglob("*"), FOLDER_FILES_MAX + 1))
    if len(files) > FOLDER_FILES_MAX:
        raise OSError(errno.EFBIG, f"it holds more than {FOLDER_FILES_MAX:,} files, and is hardly one record")
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda one: one.relative_to(path).as_posix()):
        if file.is_file():
            digest.update(f"{file.relative_to(path).as_posix()}\0{file_digest(file)}\n".encode())
    return digest.hexdigest()
