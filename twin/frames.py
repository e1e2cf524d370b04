"""Tables of a trace or of a campaign as pandas frames, and as files: one a table, units and meanings beside them."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas

from twin.errors import InputError, Problem
from twin.metrics.names import METRICS
from twin.schema_trace import SCHEMA, SITE_TABLES
from twin.trace import Trace
from twin.units import TICKS_PER_H, unit_of

if TYPE_CHECKING:
    from twin.campaign.result import CampaignResult

Format = Literal["parquet", "csv"]


def trace_frames(trace: Trace) -> dict[str, pandas.DataFrame]:
    """Every table of a trace, tidy: items and facts by name, tables of sites in one with a column `site`.

    Times stand as recorded [us] and, beside each, in hours since the scenario's start.

    Returns:
        By table its rows; tables without any are left out.
    """
    found = {}
    for name in SCHEMA:
        own = getattr(trace, name)
        parts = [(site, table) for site, table in own.items()] if name in SITE_TABLES else [(None, own)]
        frames = []
        for site, table in parts:
            frame = pandas.DataFrame(table)
            if site is not None:
                frame.insert(0, "site", site)
            frames.append(frame)
        whole = pandas.concat(frames, ignore_index=True) if frames else pandas.DataFrame()
        if len(whole):
            found[name] = _named(whole, trace, name)
    return found


def _named(frame: pandas.DataFrame, trace: Trace, table: str) -> pandas.DataFrame:
    names, sites = trace.items["name"], trace.meta["sites"]
    words = {"item": names, "what": trace.meta["whats"]}
    if table not in SITE_TABLES:
        words |= dict.fromkeys(("site", "origin", "destination"), sites)
    for column, texts in words.items():
        if column in frame and frame[column].dtype.kind == "i":
            frame[column] = [texts[k] if 0 <= k < len(texts) else "" for k in frame[column]]
    for column in [one for one in frame if one.endswith("_us")]:
        hours = frame[column] / TICKS_PER_H
        frame.insert(frame.columns.get_loc(column) + 1, f"{column.removesuffix('_us')}_h", hours)
    return frame


def campaign_frames(result: CampaignResult) -> dict[str, pandas.DataFrame]:
    """`values` (a row a replication and design), `summary` (a row a design and metric), by name."""
    return {"values": result.to_frame().reset_index(), "summary": result.summary().reset_index()}


def meanings(frames: dict[str, pandas.DataFrame]) -> pandas.DataFrame:
    """Of every column of these frames the table, the unit and the meaning."""
    rows = []
    for table, frame in frames.items():
        known = SCHEMA[table].columns if table in SCHEMA else {}
        for column in frame:
            meaning = known.get(column, ("", ""))[1]
            unit = unit_of(column) or ("pu" if column.endswith("_pu") else "")
            if column in METRICS:
                unit, meaning = METRICS[column].unit, METRICS[column].meaning
            elif not meaning and column.endswith("_h") and f"{column[:-2]}_us" in known:
                meaning = f"{known[f'{column[:-2]}_us'][1]}, in hours"
            rows.append({"table": table, "column": column, "unit": unit, "meaning": meaning})
    return pandas.DataFrame(rows)


def write_frames(frames: dict[str, pandas.DataFrame], folder: Path, style: Format) -> list[Path]:
    """Write frames into a new folder, one file each, and `columns.csv` with units and meanings.

    Returns:
        The files.

    Raises:
        InputError: the folder is there already, or Parquet is asked for and no library for it is installed.
    """
    if style == "parquet":
        _need_parquet()
    if os.path.lexists(folder):
        raise InputError(Problem("is there already", str(folder), remedy="name another folder"))
    beside = folder.with_name(f".{folder.name}.part")
    try:
        beside.mkdir()
        for name, frame in frames.items():
            if style == "csv":
                frame.to_csv(beside / f"{name}.csv", index=False)
            else:
                frame.to_parquet(beside / f"{name}.parquet", index=False)
        meanings(frames).to_csv(beside / "columns.csv", index=False)
        beside.rename(folder)  # whole or not at all
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        remedy = "check the folder above it, its rights and the free space"
        raise InputError(Problem(f"cannot be written: {error.strerror}", str(folder), remedy=remedy)) from error
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return sorted(folder.iterdir())


def _need_parquet() -> None:
    if find_spec("pyarrow") is None:
        remedy = "python -m pip install pyarrow, or write --format csv"
        raise InputError(Problem("Parquet needs a library that is not installed", remedy=remedy))
