"""Traces on disk: one HDF5 file a trace, exact, compressed, the same bytes for the same trace.

Schema 2 (`twin/schema_trace.py` has every column; in the file each column carries its `unit` and `description`):

    /                   attributes schema = "twin trace", schema_version = 2, content_sha256 (`twin/seal.py`)
    /meta               JSON text: scenario name and text, digest, design, seed, replication, horizon_us, sites, ...
    /items  /events  /jobs  /interruptions  /trips  /stays  /cycles      groups, one dataset a column
    /series/SITE  /units/SITE  /ledger/SITE  /health/SITE              the same, once for each site

Two things are packed, and unpacked exactly by the reader. A long column of few different numbers holds their places in
the dataset COLUMN.levels beside it. `units` in time order lie sorted by unit, the time as its difference to the unit's
point before (attribute `order`), which makes alike units cheap. In site names "/" is written %2F, "%" %25 and a leading
"." %2E.

Schema 1 had no `content_sha256`; it is read, and a bit that flipped in it is not seen.
"""

from __future__ import annotations

import json
import os
from typing import Any

import h5py
import numpy as np

from twin.errors import InputError, InternalError, Problem, other_schema
from twin.files import refuse_irregular, write_whole
from twin.hdf5 import opened
from twin.schema_trace import (
    SCHEMA,
    SCHEMA_NAME,
    SCHEMA_VERSION,
    SCHEMAS_READ,
    SITE_TABLES,
    Table,
    faults_of_links,
    faults_of_table,
)
from twin.seal import Seal
from twin.units import unit_of

_LONG = 512
"""Columns from this length on are compressed; shorter ones would only gain overhead."""
_BYTES_FREE, _EXPANSION_MAX = 256_000_000, 200
"""Numbers in memory beyond which a file must have a fitting size: compression and levels win a factor of ten."""
_META_KEYS = {"horizon_us": int, "level": str, "sites": list, "whats": list}
"""What a reader cannot do without."""
_LEVELS_SUFFIX = ".levels"
_RECORDED_AT = {
    "ledger": ("ledger", "series", "units"),
    "series": ("series", "units"),
    "units": ("units",),
    "health": (),
}
"""The levels at which a site's table is recorded."""
_AS_IS, _BY_UNIT = "as is", "by unit, time as difference"


def save(path: str | os.PathLike[str], meta: dict[str, Any], tables: dict[str, Table]) -> None:
    """Write a trace; `tables` are named as in the file ("events", "series/campus").

    Raises:
        InputError: the file cannot be written; nothing half-written stays, an older file is untouched.
        InternalError: the tables are not of the schema.
    """
    write_whole(path, _image(meta, tables))


def load(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Table]]:
    """Read a trace written by `save`, and check that it is whole.

    Raises:
        InputError: no such file, not HDF5, cut short, no trace of ours, of a schema not read here, or damaged.
    """
    name = os.fspath(path)
    try:
        refuse_irregular(os.stat(path).st_mode)
        with opened(path) as file:
            _check_root(name, file)
            _check_size(name, file)
            seal = Seal()
            meta = _read_meta(file, seal)
            required, optional = _table_names(meta)
            present = required + [table for table in optional if table in file]
            tables = {table: _read_table(file, table, seal) for table in present}
            is_whole = file.attrs["schema_version"] == 1 or seal.fits(file)
    except FileNotFoundError:
        raise InputError(Problem("no such file", file=name, remedy="check the path")) from None
    except InputError:
        raise
    except _DamagedError as damage:
        raise _refusal(name, str(damage)) from None
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, MemoryError, AttributeError) as error:
        if os.path.isdir(path):
            raise InputError(Problem("is a folder, not a trace", file=name, remedy="name a file")) from None
        if not os.path.isfile(path):
            raise InputError(Problem("is a pipe or a device, not a trace", file=name, remedy="name a file")) from None
        if isinstance(error, PermissionError):
            raise InputError(Problem("may not be read", file=name, remedy="check its rights")) from None
        raise _refusal(name, "damaged HDF5 file" if _is_hdf5(name) else "not an HDF5 file, or cut short") from error
    faults = faults_of_links(meta, tables)
    if faults:
        raise _refusal(name, "; ".join(faults))
    if not is_whole:
        raise _refusal(name, "damaged: its content differs from its digest")
    return meta, tables


def _is_hdf5(name: str) -> bool:
    try:
        return bool(h5py.is_hdf5(name))
    except OSError:
        return False


class _DamagedError(Exception):
    """A part of the file is not as the schema says."""


def _refusal(name: str, message: str) -> InputError:
    return InputError(Problem(message, file=name, remedy="make the trace again with `twin run SCENARIO -o FILE`"))


def _table_names(meta: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The tables that a trace of this level must have, and those that it may have."""
    required = [name for name in SCHEMA if name not in SITE_TABLES]
    optional: list[str] = []
    for name in SITE_TABLES:
        asked = meta["level"] in _RECORDED_AT[name]
        (required if asked else optional).extend(table_name(name, site) for site in meta["sites"])
    return required, optional


def table_name(table: str, site: str) -> str:
    """The name of a site's table in `tables` and in the file."""
    text = site.replace("%", "%25").replace("/", "%2F")
    return f"{table}/{'%2E' + text[1:] if text.startswith('.') else text}"


def _image(meta: dict[str, Any], tables: dict[str, Table]) -> bytes:
    required, optional = _table_names(meta)
    names = required + [name for name in optional if name in tables]
    if set(tables) != set(names):
        raise InternalError(f"tables {sorted(tables)} are not those of the sites {meta['sites']}")
    for name, table in tables.items():
        faults = faults_of_table(name.partition("/")[0], table)
        if faults:
            raise InternalError(f"{name}: {'; '.join(faults)}")
    with h5py.File("trace", "w", driver="core", backing_store=False, libver=("v110", "v110")) as file:
        file.attrs["schema"] = SCHEMA_NAME
        file.attrs["schema_version"] = SCHEMA_VERSION
        seal = Seal()
        file["meta"] = seal.text("meta", json.dumps(meta, sort_keys=True, allow_nan=False))
        for name in names:
            _write_table(file.create_group(name), name, tables[name], seal)
        seal.close(file)
        file.flush()
        return bytes(file.id.get_file_image())


def _write_table(group: Any, path: str, table: Table, seal: Seal) -> None:
    name = path.partition("/")[0]
    group.attrs["description"] = f"one row = {SCHEMA[name].row}"
    if name == "units":
        table, order = _packed(table)
        group.attrs["order"] = seal.text(f"{path} order", order)
    for column, (kind, description) in SCHEMA[name].columns.items():
        values, own = table[column], f"{path}/{column}"
        if kind == "text":
            seal.text(own, json.dumps(values))
            data = group.create_dataset(column, data=values, shape=(len(values),), dtype=h5py.string_dtype())
        elif kind == "float64" and (levels := _levels(values)) is not None:
            bits = values.view(np.int64)
            places = np.searchsorted(levels, bits).astype(np.min_scalar_type(len(levels)))
            data = _write_numbers(group, column, seal.numbers(own, places))
            _write_numbers(group, column + _LEVELS_SUFFIX, seal.numbers(own, levels.view(np.float64)))
        else:
            data = _write_numbers(group, column, seal.numbers(own, values))
        data.attrs["unit"] = unit_of(column)
        data.attrs["description"] = description


def _write_numbers(group: Any, column: str, values: Any) -> Any:
    if len(values) < _LONG:
        return group.create_dataset(column, data=values)
    how = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
    return group.create_dataset(column, data=values, chunks=values.shape, **how)


def _levels(values: Any) -> Any:
    """The different numbers of a long column, as sorted bit patterns; None where they would not save space."""
    if len(values) < _LONG:
        return None
    levels = np.unique(values.view(np.int64))
    return levels if len(levels) <= len(values) // 4 else None


def _check_root(name: str, file: Any) -> None:
    if file.attrs.get("schema") != SCHEMA_NAME:
        raise InputError(Problem("HDF5, but not a trace of twin", file=name, remedy="name a file made by `twin run`"))
    version = file.attrs.get("schema_version")
    if not isinstance(version, np.integer) or version < 1:
        raise _DamagedError("no schema version")
    if version not in SCHEMAS_READ:
        raise other_schema("trace", int(version), SCHEMAS_READ, _release(file), name)


def _release(file: Any) -> str | None:
    """The version of twin that wrote a file of any schema, where it can be read."""
    try:
        release = json.loads(file["meta"].asstr()[()])["twin_version"]
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    return release if isinstance(release, str) else None


def _check_size(name: str, file: Any) -> None:
    """Refuse more numbers than a file of this size can hold, before any is read."""
    total = 0

    def look(_: str, one: Any) -> None:
        nonlocal total
        if isinstance(one, h5py.Dataset) and one.shape is not None:
            total += one.size * one.dtype.itemsize

    file.visititems(look)
    if total > max(_BYTES_FREE, _EXPANSION_MAX * os.path.getsize(name)):
        raise _DamagedError(f"it says to hold {total / 1e9:.3g} GB")


def _read_meta(file: Any, seal: Seal) -> dict[str, Any]:
    if not isinstance(file.get("meta"), h5py.Dataset):
        raise _DamagedError("'meta' is missing")
    meta: dict[str, Any] = json.loads(seal.text("meta", file["meta"].asstr()[()]))
    for key, kind in _META_KEYS.items():
        if not isinstance(meta, dict) or not isinstance(meta.get(key), kind):
            raise _DamagedError(f"'meta' has no {key}")
    if meta["horizon_us"] <= 0:
        raise _DamagedError("'meta' has a horizon of zero or less")
    return meta


def _read_table(file: Any, path: str, seal: Seal) -> Table:
    name = path.partition("/")[0]
    group = file.get(path)
    if not isinstance(group, h5py.Group):
        raise _DamagedError(f"table '{path}' is missing")
    table: Table = {}
    order = seal.text(f"{path} order", str(group.attrs.get("order"))) if name == "units" else None
    for column, (kind, _) in SCHEMA[name].columns.items():
        data = group.get(column)
        if isinstance(data, h5py.Dataset):
            table[column] = _read_column(group, column, data, is_text=kind == "text", own=f"{path}/{column}", seal=seal)
    faults = faults_of_table(name, table)
    if faults:
        raise _DamagedError(f"{path}: {'; '.join(faults)}")
    return table if order is None else _unpacked(table, order)


def _read_column(group: Any, column: str, data: Any, *, is_text: bool, own: str, seal: Seal) -> Any:
    if is_text and h5py.check_string_dtype(data.dtype):
        texts = list(data.asstr()[()])
        seal.text(own, json.dumps(texts))
        return texts
    values = seal.numbers(own, data[()])
    levels = group.get(column + _LEVELS_SUFFIX)
    return values if not isinstance(levels, h5py.Dataset) else _from_levels(values, seal.numbers(own, levels[()]))


def _from_levels(places: Any, levels: Any) -> Any:
    if places.dtype.kind != "u" or (len(places) and places.max() >= len(levels)):
        raise _DamagedError("a packed column points outside its levels")
    return levels[places]


def _packed(table: Table) -> tuple[Table, str]:
    """Units in time order, sorted by unit and then time, times as differences within a unit; others as they are."""
    time_us, item = table["time_us"], table["item"]
    in_order = np.lexsort((item, time_us))
    if not np.array_equal(in_order, np.arange(len(item))):
        return table, _AS_IS
    by_unit = np.argsort(item, kind="stable")
    item, time_us = item[by_unit], time_us[by_unit]
    step_us = np.diff(time_us, prepend=0)
    first = np.flatnonzero(np.diff(item, prepend=-1))
    step_us[first] = time_us[first]
    return {"time_us": step_us, "item": item, "energy_kwh": table["energy_kwh"][by_unit]}, _BY_UNIT


def _unpacked(table: Table, order: Any) -> Table:
    if order == _AS_IS:
        return table
    if order != _BY_UNIT:
        raise _DamagedError("units: unknown order")
    item, step_us = table["item"], table["time_us"]
    total_us = np.cumsum(step_us)
    first = np.flatnonzero(np.diff(item, prepend=-1))
    before_us = total_us[first] - step_us[first]
    time_us = total_us - np.repeat(before_us, np.diff(first, append=len(item)))
    back = np.lexsort((item, time_us))
    return {"time_us": time_us[back], "item": item[back], "energy_kwh": table["energy_kwh"][back]}
