"""Networks from files: MATPOWER case text, and pandapower's JSON where pandapower is installed."""

from __future__ import annotations

import importlib
import math
import os
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.errors import InputError, Problem
from twin.powerflow.control import Control, HoldVoltage
from twin.powerflow.network import Network, Source
from twin.powerflow.topology import Floats, Ints

_UNBOUND_MVAR = 1e9  # what pandapower writes for a limit that is not there
_WIDTHS = {"bus": 13, "branch": 11, "gen": 8}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|Inf|NaN)", re.IGNORECASE)
# The unit conversions that MATPOWER's distribution cases end with: the only statements this reader carries out.
_OHMS = "mpc.branch(:,[BR_RBR_X])=mpc.branch(:,[BR_RBR_X])/(Vbase^2/Sbase)"
_KILOWATTS = "mpc.bus(:,[PD,QD])=mpc.bus(:,[PD,QD])/1e3"


@dataclass(frozen=True)
class Case:
    """A network from a file, its demand, sources and controls, ready for `solve`.

    Generators are negative demand; those that hold a voltage (PV) are so in active power, and `controls` in reactive.
    bus_number: the file's own number of each bus.
    """

    net: Network
    p_kw: Floats
    q_kvar: Floats
    sources: list[Source]
    controls: list[Control]
    bus_number: Ints


def read_matpower(path: str | os.PathLike[str]) -> Case:
    """Read a MATPOWER case (version 2 text).

    Raises:
        InputError: Naming file and line of what cannot be read or is not supported (shunts).
    """
    name = os.fspath(path)
    try:
        with open(path, encoding="utf-8") as file:
            lines = [line.split("%", 1)[0].rstrip() for line in file]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Problem(f"cannot be read: {error}", file=name)) from None
    tables: dict[str, Any] = {}
    at: dict[str, list[int]] = {}
    base_mva = None
    statements = _statements(lines)
    for line, text in statements:
        table = re.match(r"mpc\.(bus|branch|gen)=\[(.*)\]$", text, re.DOTALL)
        if table:
            tables[table[1]], at[table[1]] = _table(name, line, table[1], table[2])
        elif text.startswith("mpc.baseMVA="):
            base_mva = _base(name, line, text.split("=", 1)[1])
        else:
            _convert(name, line, text, tables, base_mva)
    missing = [key for key in ("bus", "branch", "gen") if key not in tables] + (["baseMVA"] if base_mva is None else [])
    if missing or base_mva is None:
        raise InputError([Problem(f"there is no mpc.{key}", file=name) for key in missing])
    return _case(name, base_mva, tables, at)


def read_pandapower(path: str | os.PathLike[str]) -> Case:
    """Read a network that pandapower wrote as JSON. Needs pandapower, for its models of transformers and switches.

    Raises:
        InputError: When pandapower is not installed, or the network holds what is not supported (shunts).
    """
    try:
        pandapower: Any = importlib.import_module("pandapower")
        converter: Any = importlib.import_module("pandapower.converter.pypower.to_ppc")
    except ImportError:
        raise InputError(
            Problem("pandapower is not installed", file=os.fspath(path), remedy="pip install pandapower")
        ) from None
    try:
        tables = converter.to_ppc(
            pandapower.from_json(os.fspath(path)), init="flat", calculate_voltage_angles=True, mode="pf"
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, the file is what is wrong
        raise InputError(Problem(f"pandapower cannot read it: {error}", file=os.fspath(path))) from None
    plain = {key: np.real(np.asarray(tables[key])) for key in _WIDTHS}
    limits = plain["gen"][:, 3:5]
    limits[np.abs(limits) >= _UNBOUND_MVAR] *= np.inf
    return _case(os.fspath(path), float(tables["baseMVA"]), plain, {key: [] for key in _WIDTHS})


def _statements(lines: list[str]) -> list[tuple[int, str]]:
    """Assignments to mpc, each on one line, with the line it begins on; a table keeps its `;` and newlines."""
    found: list[tuple[int, str]] = []
    open_text, begun = "", 0
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if open_text:
            open_text += "\n" + text
        elif text.startswith("mpc."):
            open_text, begun = text, number
        else:
            continue
        if open_text.count("[") == open_text.count("]"):
            key, _, value = open_text.partition("=")
            tight = key.replace(" ", "") + "=" + value.strip().rstrip(";").strip()
            found.append((begun, tight))
            open_text = ""
    if open_text:
        found.append((begun, open_text))
    return found


def _table(name: str, line: int, key: str, text: str) -> tuple[Floats, list[int]]:
    rows: list[list[float]] = []
    numbers: list[int] = []
    for offset, physical in enumerate(text.split("\n")):
        for piece in physical.split(";"):
            words = piece.replace(",", " ").split()
            if not words:
                continue
            bad = [word for word in words if not _NUMBER.fullmatch(word)]
            if bad:
                raise InputError(Problem(f"{bad[0]!r} is no number", file=name, line=line + offset, key=f"mpc.{key}"))
            if len(words) < _WIDTHS[key]:
                message = f"a row of {len(words)} numbers, where {_WIDTHS[key]} or more belong"
                raise InputError(Problem(message, file=name, line=line + offset, key=f"mpc.{key}"))
            ends = words[: 2 if key == "branch" else 1]
            if not all(math.isfinite(float(word)) for word in ends):
                message = f"{' '.join(ends)}: a bus number is not finite"
                raise InputError(Problem(message, file=name, line=line + offset, key=f"mpc.{key}"))
            rows.append([float(word) for word in words[: _WIDTHS[key]]])
            numbers.append(line + offset)
    return np.array(rows).reshape(-1, _WIDTHS[key]), numbers


def _base(name: str, line: int, text: str) -> float:
    if not _NUMBER.fullmatch(text) or not 0.0 < float(text) < math.inf:
        raise InputError(Problem(f"{text!r} is not a power above zero", file=name, line=line, key="mpc.baseMVA"))
    return float(text)


def _convert(name: str, line: int, text: str, tables: dict[str, Any], base_mva: float | None) -> None:
    tight = re.sub(r"\s+", "", text)
    if tight == _OHMS and {"bus", "branch"} <= tables.keys() and base_mva is not None:
        if not (tables["bus"][:1, 9] > 0.0).any():
            raise InputError(Problem("the first bus has no base voltage above zero", file=name, line=line))
        tables["branch"][:, 2:4] /= tables["bus"][0, 9] ** 2 / base_mva
    elif tight == _KILOWATTS and "bus" in tables:
        tables["bus"][:, 2:4] /= 1e3
    elif re.match(r"mpc\.(bus|branch|gen)\b(?!_)", tight):
        raise InputError(Problem(f"this statement is not understood: {text[:60]}", file=name, line=line))


def _case(name: str, base_mva: float, tables: dict[str, Any], at: dict[str, list[int]]) -> Case:
    bus, branch = tables["bus"], tables["branch"]
    lines = at["bus"] or [None] * len(bus)  # type: ignore[list-item]
    problems = [
        Problem(f"bus {row[0]:g} has a shunt, which is not supported", file=name, line=lines[i])
        for i, row in enumerate(bus)
        if row[4] != 0.0 or row[5] != 0.0
    ]
    problems += [
        Problem(f"bus {row[0]:g}: base voltage {row[9]:g} kV is not above zero", file=name, line=lines[i])
        for i, row in enumerate(bus)
        if not row[9] > 0.0
    ]
    kept = np.nonzero(bus[:, 1] != 4)[0]
    number = {int(bus[i, 0]): position for position, i in enumerate(kept)}
    p_kw, q_kvar = bus[kept, 2] * 1e3, bus[kept, 3] * 1e3
    sources, controls, wrong = _generators(name, tables, at, number, p_kw, q_kvar)
    problems += wrong
    ends = []
    for i, row in enumerate(branch):
        for end in row[:2]:
            if int(end) not in number and (int(end) not in bus[:, 0].astype(int)):
                where = at["branch"][i] if at["branch"] else None
                problems.append(Problem(f"a branch ends at bus {end:g}, which is not there", file=name, line=where))
        ends.append([number.get(int(row[0]), -1), number.get(int(row[1]), -1)])
    if not sources:
        problems.append(Problem("no reference bus has a generator in service", file=name))
    if problems:
        raise InputError(problems)
    pairs = np.array(ends, dtype=np.int64).reshape(-1, 2)
    used = np.all(pairs >= 0, axis=1)
    pairs, branch = pairs[used], branch[used]
    ohm = bus[kept, 9][pairs[:, 0]] ** 2 / base_mva
    net = Network(
        pairs[:, 0],
        pairs[:, 1],
        branch[:, 2] * ohm,
        branch[:, 3] * ohm,
        bus[kept, 9],
        sources[0][0],
        in_service=branch[:, 10] > 0,
        b_us=branch[:, 4] / ohm * 1e6,
        ratio=np.where(branch[:, 8] == 0.0, 1.0, branch[:, 8]) * np.exp(1j * np.radians(branch[:, 9])),
        rating_a=np.where(branch[:, 5] > 0.0, branch[:, 5] * 1e3 / (np.sqrt(3.0) * bus[kept, 9][pairs[:, 0]]), np.inf),
        base_kva=base_mva * 1e3,
    )
    return Case(net, p_kw, q_kvar, sources, controls, bus[kept, 0].astype(np.int64))


def _generators(
    name: str, tables: dict[str, Any], at: dict[str, list[int]], number: dict[int, int], p_kw: Floats, q_kvar: Floats
) -> tuple[list[Source], list[Control], list[Problem]]:
    """Sources, held voltages and what is wrong with them; what generators give is taken off the demand."""
    about = {int(row[0]): row for row in tables["bus"]}
    sources: dict[int, Source] = {}
    held: dict[int, HoldVoltage] = {}
    problems: list[Problem] = []
    for i, row in enumerate(tables["gen"]):
        own = int(row[0])
        if row[7] <= 0 or own not in number:
            continue
        k, kind = number[own], about[own][1]
        if kind == 3:
            angle = 0.0 if np.isnan(about[own][8]) else float(np.radians(about[own][8]))
            sources.setdefault(k, (k, float(row[5]), angle))
            continue
        p_kw[k] -= row[1] * 1e3
        if kind != 2:
            q_kvar[k] -= row[2] * 1e3
            continue
        most, least, v_pu = float(row[3]) * 1e3, float(row[4]) * 1e3, float(row[5])
        before = held.get(k, HoldVoltage(k, v_pu, 0.0, 0.0))
        if not (least <= most and v_pu > 0.0) or before.v_pu != v_pu:
            message = f"bus {own}: a generator is to hold {row[5]:g} p.u. within {row[4]:g} to {row[3]:g} MVAr"
            other = f", another one there {before.v_pu:g} p.u." if before.v_pu != v_pu else ""
            problems.append(Problem(message + other, file=name, line=at["gen"][i] if at["gen"] else None))
        held[k] = HoldVoltage(k, before.v_pu, before.min_kvar + least, before.max_kvar + most)
    return list(sources.values()), list(held.values()), problems
