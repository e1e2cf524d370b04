"""The results of a campaign as one HDF5 file: written once, read back and compared before it takes its name.

    /                attributes schema = "twin campaign", schema_version = 2, first, stopped_by, content_sha256
    /identity        JSON text: scenario, digest, designs, seed, metrics, version, sweep, canary, resolved scenarios
    /values          float64 (replications, designs, metrics); row k is replication first + k
    /metrics         text columns name, unit, description

Times, host and workers are not in it (they are in FILE.run.json), so that repeating a campaign gives the same bytes. A
library call that writes HDF5 on a full disk may return as if all were well; here the image is made in memory and its
bytes are written, synchronised, read back and compared. Schema 1 had a digest of the values alone; it is read.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError, Problem, other_schema
from twin.files import refuse_irregular, write_whole
from twin.hdf5 import opened
from twin.metrics.names import METRICS
from twin.seal import Seal

Float = NDArray[np.float64]

SCHEMA_NAME, SCHEMA_VERSION = "twin campaign", 2
SCHEMAS_READ = (1, 2)
"""Schemas that the reader opens, ascending; the first had no seal."""
_BYTES_FREE, _EXPANSION_MAX = 256_000_000, 2000
"""Values in memory beyond which a file must have a fitting size; those of rare events are nearly all zero."""


@dataclass(frozen=True)
class Content:
    """What a results file holds; `values` is (replications, designs, metrics), row k is replication `first` + k."""

    identity: dict[str, Any]
    values: Float
    first: int = 0
    stopped_by: str = "count"


def write(path: str | os.PathLike[str], content: Content) -> None:
    """Write a results file whole and verified, or not at all; an older file of that name stays until then.

    Raises:
        InputError: the name cannot be written, or the disk does not take it or give it back as written.
    """
    image = _image(content)
    write_whole(path, image, lambda beside: _verify(beside, image, content))


def read(path: str | os.PathLike[str]) -> Content:
    """Read a results file.

    Raises:
        InputError: no such file, or not one of ours, or damaged.
    """
    name = os.fspath(path)
    try:
        refuse_irregular(os.stat(path).st_mode)
        with opened(path) as file:
            return _content(name, file)
    except FileNotFoundError:
        raise InputError(Problem("no such file", name, remedy="check the path")) from None
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        remedy = "name a results file of `twin campaign`, or a copy of it that is whole"
        raise InputError(Problem("is damaged, or not the results of a campaign", name, remedy=remedy)) from error


def is_campaign(path: str | os.PathLike[str]) -> bool:
    """Whether the file calls itself the results of a campaign."""
    try:
        refuse_irregular(os.stat(path).st_mode)
        with opened(path) as file:
            return bool(file.attrs.get("schema") == SCHEMA_NAME)
    except (OSError, RuntimeError, ValueError, KeyError):
        return False


def _image(content: Content) -> bytes:
    values = np.ascontiguousarray(content.values, "<f8")
    with h5py.File("campaign", "w", driver="core", backing_store=False, libver=("v110", "v110")) as file:
        file.attrs["schema"] = SCHEMA_NAME
        file.attrs["schema_version"] = SCHEMA_VERSION
        file.attrs["first"] = content.first
        file.attrs["stopped_by"] = content.stopped_by
        identity = json.dumps(content.identity, sort_keys=True)
        _sealed(identity, values, content.first, content.stopped_by).close(file)
        file["identity"] = identity
        data = file.create_dataset(
            "values", data=values, chunks=(min(len(values), 512), *values.shape[1:]),
            compression="gzip", compression_opts=1, shuffle=True, fletcher32=True,
        )  # fmt: skip
        data.attrs["dimensions"] = "replication, design, metric"
        group = file.create_group("metrics")
        names = content.identity["metrics"]
        about = [METRICS.get(name) for name in names]
        group["name"] = names
        group["unit"] = [one.unit if one else "" for one in about]
        group["description"] = [one.meaning if one else "" for one in about]
        file.flush()
        return bytes(file.id.get_file_image())


def _verify(beside: Path, image: bytes, content: Content) -> None:
    """What came back from the disk is what was sent there, byte for byte, and reads as the same values."""
    same = hashlib.sha256(beside.read_bytes()).digest() == hashlib.sha256(image).digest()
    if not same or read(beside).values.tobytes() != np.ascontiguousarray(content.values, "<f8").tobytes():
        raise OSError(None, "it does not read back as it was written")


def _content(name: str, file: Any) -> Content:
    if file.attrs.get("schema") != SCHEMA_NAME:
        raise ValueError("another schema")
    version = int(file.attrs["schema_version"])
    text = file["identity"].asstr()[()]
    identity = json.loads(text)
    if version not in SCHEMAS_READ:
        raise other_schema("results", version, SCHEMAS_READ, identity.get("twin_version"), name)
    if file["values"].size * 8 > max(_BYTES_FREE, _EXPANSION_MAX * os.path.getsize(name)):
        raise ValueError("more values than the file can hold")
    values = np.asarray(file["values"][()], np.float64)
    if values.shape[1:] != (len(identity["designs"]), len(identity["metrics"])):
        raise ValueError("values of another shape")
    first, stopped_by = int(file.attrs["first"]), str(file.attrs["stopped_by"])
    little = values.astype("<f8", copy=False)
    if version == 1:
        is_whole = hashlib.sha256(little.tobytes()).hexdigest() == file.attrs["values_sha256"]
    else:
        is_whole = _sealed(text, little, first, stopped_by).fits(file)
    if not is_whole:
        raise ValueError("the content differs from its digest")
    return Content(identity, values, first, stopped_by)


def _sealed(identity: str, values: Float, first: int, stopped_by: str) -> Seal:
    seal = Seal()
    seal.text("identity", identity)
    seal.text("first, stopped_by", f"{first} {stopped_by}")
    seal.numbers("values", values)
    return seal
