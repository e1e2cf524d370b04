"""Mutation of HDF5 files and SQLite journals by their own libraries: well-formed files that are not what they say."""

import json
import shutil
import sqlite3

import h5py
import numpy as np
from scalars import Raw
from texts import mutate_bytes
from trees import Map, json_text, mapped, mutate, slots

HUGE = 10**12


def mutate_hdf5(source, target, luck):
    """A copy of the file, damaged as bytes or changed as a file of HDF5."""
    if luck.random() < 0.45:
        target.write_bytes(mutate_bytes(source.read_bytes(), luck))
        return
    shutil.copy(source, target)
    with h5py.File(target, "r+", locking=False) as file:
        names = []
        file.visit(names.append)
        name = luck.choice(names)
        change = luck.choice(list(_OF_HDF5))
        _OF_HDF5[change](file, name, luck)


def _gone(file, name, luck):
    del file[name]


def _renamed(file, name, luck):
    file.move(name, f"{name}x")


def _other(file, name, luck):
    """Another shape or type under the same name."""
    kept = dict(file[name].attrs)
    del file[name]
    values = luck.choice(
        [
            5,
            "text",
            [1.5, 2.5],
            [[1, 2], [3, 4]],
            [],
            np.array([b"\xff\xfe", b"x"]),
            [1 + 2j],
            [True],
            np.zeros(3, "f2"),
            np.array([np.nan, np.inf, -1e308]),
            np.array([2**63], "u8"),
            np.array(["a", "\u202e"], h5py.string_dtype()),
            np.zeros(2, [("a", "i4"), ("b", "f8")]),
            h5py.Empty("f8"),
        ]
    )
    made = file.create_dataset(name, data=values)
    made.attrs.update(kept)


def _endless(file, name, luck):
    """A terabyte that takes no room in the file."""
    kind = luck.choice(["f8", "i8", "u1"])
    del file[name]
    if luck.random() < 0.5:
        file.create_dataset(name, shape=(HUGE,), dtype=kind, chunks=(1024,))
    else:
        file.create_dataset(name, shape=(luck.choice([3 * 10**8, HUGE]),), dtype=kind)


def _swollen(file, name, luck):
    """Numbers that take no room compressed: 1.6 GB of zeros."""
    del file[name]
    made = file.create_dataset(name, shape=(2 * 10**8,), dtype="f8", chunks=(10**6,), compression="gzip")
    made[:10] = 1.0


def _attribute(file, name, luck):
    owner = luck.choice([file, file[name]])
    names = list(owner.attrs) or ["schema"]
    key = luck.choice(names)
    if luck.random() < 0.3:
        owner.attrs.pop(key, None)
        return
    owner.attrs[key] = luck.choice(
        [0, -1, 2, 99, 2**62, 1.5, "", "twin", "twin trace", "twin campaign", [1, 2], b"\xff", np.nan]
    )


def _linked(file, name, luck):
    del file[name]
    file[name] = luck.choice(
        [
            h5py.SoftLink("/nowhere"),
            h5py.SoftLink(f"/{name}"),
            h5py.ExternalLink("/etc/passwd", "/x"),
            h5py.ExternalLink("keep.h5", "/meta"),
        ]
    )


def _values(file, name, luck):
    """Other numbers in a column."""
    data = file[name]
    if not isinstance(data, h5py.Dataset) or not data.shape or not data.size or data.dtype.kind not in "iuf":
        return _text(file, name, luck)
    values = data[()]
    flat = values.reshape(-1)
    wrong = [0, -1, 1e308, np.nan, np.inf] if data.dtype.kind == "f" else [0, -1, 2**31, 2**62, -(2**62)]
    with np.errstate(all="ignore"):
        flat[luck.randrange(flat.size)] = np.asarray(luck.choice(wrong)).astype(data.dtype)
        if luck.random() < 0.2:
            flat[:] = np.asarray(luck.choice(wrong)).astype(data.dtype)
    data[...] = values
    return None


def _text(file, name, luck):
    """Another JSON text where the file holds one."""
    key = next((one for one in ("meta", "identity") if one in file), None)
    if key is None:
        return
    tree = mapped(json.loads(file[key].asstr()[()]))
    for _ in range(luck.randint(1, 3)):
        mutate(tree, luck)
    inner = [one for one in slots(tree) if isinstance(one[0], Map) and one[0].pairs[one[1]][0] == "scenario_text"]
    if inner and luck.random() < 0.3:
        container, place = inner[0]
        container.pairs[place][1] = Raw(
            luck.choice(["1", "[]", "null", json.dumps("{}"), json.dumps("{"), json.dumps("[1]")])
        )
    del file[key]
    file[key] = json_text(tree).replace("\0", "").encode("utf-8", "replace")


_OF_HDF5 = {
    "gone": _gone,
    "renamed": _renamed,
    "other": _other,
    "endless": _endless,
    "swollen": _swollen,
    "attribute": _attribute,
    "linked": _linked,
    "values": _values,
    "text": _text,
}


def mutate_sqlite(source, target, luck):
    """A copy of a journal, damaged as bytes or changed by SQL."""
    if luck.random() < 0.5:
        target.write_bytes(mutate_bytes(source.read_bytes(), luck))
        return
    shutil.copy(source, target)
    base = sqlite3.connect(target, isolation_level=None)
    for statement in luck.choice(_OF_SQLITE).split(";;"):
        base.execute(statement)
    base.close()


_NUMBERS = "with recursive n(k) as (select 1 union all select k + 1 from n) select"
_ENDLESS = f"{_NUMBERS} k as r0, 1 as n, '' as digest, x'' as payload from n"
_OF_SQLITE = [
    "pragma user_version = 2",
    "pragma user_version = 99",
    "pragma application_id = 1",
    "delete from chunks",
    "delete from chunks where rowid = 1",
    "update chunks set payload = x'00'",
    "update chunks set payload = 'text'",
    "update chunks set n = n + 1",
    "update chunks set n = -1",
    "update chunks set r0 = 1000000000000",
    "update chunks set digest = 'x'",
    "delete from meta",
    "update meta set value = 'x' where key = 'identity'",
    "update meta set value = '7' where key = 'chunks'",
    "drop table chunks",
    "drop table meta",
    "create table more(x)",
    "insert into chunks select * from chunks limit 1",
    "insert into chunks values (-5, 1, 'x', zeroblob(50000000))",
    f"drop table chunks;;create view chunks as {_ENDLESS}",
    "drop table chunks;;create view chunks as select 0 as r0, 1 as n, '' as digest, zeroblob(900000000) as payload",
    "drop table meta;;create view meta as select 'identity' as key, hex(zeroblob(400000000)) as value",
    (
        "drop table meta;;create view meta as with recursive n(k) as (select 1 union all select k + 1 from n)"
        " select k as key, 1 as value from n"
    ),
    "create trigger t after insert on chunks begin delete from chunks; end",
    "vacuum",
]
