"""The journal of a running campaign: one SQLite file, one row a chunk, on the disk before it counts as done.

    meta(key, value)                     identity (JSON) and its SHA-256, chunks (their count), head (the last digest)
    chunks(r0, n, digest, payload)       float64 [n, designs, metrics] of replications r0 .. r0 + n - 1

Each digest covers its row and the digest before it, from the identity's on, so that neither a changed nor a lost row
goes unseen. The parent is the only writer. The rollback journal stays SQLite's default, since its write-ahead log is
not for network file systems. A file that fails any check is refused, never repaired: after a kill SQLite itself rolls
the unfinished transaction back, and nothing else may differ.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from twin.errors import HaltedError, InputError, Problem, other_schema
from twin.files import sync_folder

Float = NDArray[np.float64]

FORMAT = 1
FORMATS_READ = (1,)
"""Formats that are read and continued, ascending."""
MAGIC = 0x7477696E  # "twin", SQLite's application_id
_REMEDY = "restore a copy of it, or remove it and start over"
_TEXT_MAX = 100_000_000
_TABLES = (
    "CREATE TABLE meta(key text primary key, value text not null) without rowid",
    "CREATE TABLE chunks(r0 integer not null, n integer not null, digest text not null, payload blob not null)",
)
"""As SQLite keeps them: it writes the first two words in capitals."""
_BIRTH = (f"pragma application_id={MAGIC}", f"pragma user_version={FORMAT}", *_TABLES)


class Journal:
    """An open journal; nobody else can write to it. Use as a context manager."""

    def __init__(self, path: str | None, identity: dict[str, Any], blocks: list[tuple[int, Float]], head: str) -> None:
        self.path, self.identity = path, identity
        self.blocks = blocks
        """First replication and rows of every chunk found on opening."""
        self._head, self._count = head, len(blocks)
        self._base: sqlite3.Connection

    @classmethod
    def create(cls, path: str | os.PathLike[str] | None, identity: dict[str, Any]) -> Self:
        """Begin a journal; in memory for None.

        Raises:
            HaltedError: the disk does not take it.
            InputError: the file is there already, or the folder is not.
        """
        name = None if path is None else os.fspath(path)
        text = json.dumps(identity, sort_keys=True)
        journal = cls(name, identity, [], _sha(text.encode()))
        if name is not None:
            _make_new(name)
        with _halting(name):
            journal._base = _connect(name)
            with _transaction(journal._base):
                for statement in _BIRTH:
                    journal._base.execute(statement)
                pairs = {"identity": text, "identity_sha256": journal._head, "chunks": "0", "head": journal._head}
                journal._base.executemany("insert into meta values (?, ?)", list(pairs.items()))
        if name is not None:
            sync_folder(os.path.dirname(os.path.abspath(name)))
        return journal

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open an existing journal and check every byte that counts.

        Raises:
            InputError: no journal, in use, or damaged; the message names the chunk and the remedy.
        """
        name = os.fspath(path)
        if not os.path.isfile(name):
            raise InputError(Problem("no such journal", name, remedy="check the path"))
        base = None
        try:
            base = _connect(name)
            base.execute("begin exclusive")
            identity, blocks, head = _checked(base, name)
            base.execute("commit")
        except sqlite3.Error as error:
            _close(base)
            raise _refusal(error, name) from error
        except BaseException:
            _close(base)
            raise
        journal = cls(name, identity, blocks, head)
        journal._base = base
        return journal

    def append(self, blocks: Iterable[tuple[int, Float]]) -> None:
        """Put chunks on the disk, all or none; they count as done when this returns.

        Raises:
            HaltedError: the disk is full or fails; what was there before is whole.
        """
        head, count, rows = self._head, self._count, []
        for first, values in blocks:
            payload = values.astype("<f8", copy=False).tobytes()
            head, count = _chained(head, first, len(values), payload), count + 1
            rows.append((first, len(values), head, payload))
        with _halting(self.path), _transaction(self._base):
            self._base.executemany("insert into chunks values (?, ?, ?, ?)", rows)
            self._base.executemany("update meta set value = ? where key = ?", [(str(count), "chunks"), (head, "head")])
        self._head, self._count = head, count

    @property
    def is_empty(self) -> bool:
        """Whether not one chunk is in it."""
        return self._count == 0

    def close(self) -> None:
        """Let go of the file; an unfinished transaction is rolled back."""
        _close(self._base)

    def remove(self) -> None:
        """Close, and delete the file: its rows are safe elsewhere."""
        self.close()
        if self.path is not None:
            for name in (self.path, f"{self.path}-journal"):
                Path(name).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def never_began(path: str | os.PathLike[str]) -> bool:
    """Whether a process was killed while it made this journal, so that there is nothing in it."""
    base = None
    try:
        base = _connect(os.fspath(path))
        base.execute("begin exclusive")  # rolls back what was left unfinished
        return os.path.getsize(path) == 0
    except sqlite3.Error:
        return False
    finally:
        _close(base)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], list[tuple[int, Float]]]:
    """Identity and rows of a journal that nobody writes to at the moment."""
    with Journal.open(path) as journal:
        return journal.identity, journal.blocks


def _make_new(name: str) -> None:
    remedy = "go on with --resume, or name another file"
    try:
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except FileExistsError:
        raise InputError(Problem("is there already", name, remedy=remedy)) from None
    except OSError as error:
        raise InputError(Problem(f"cannot be written: {error.strerror}", name, remedy="name another file")) from error


def _connect(name: str | None) -> sqlite3.Connection:
    base = sqlite3.connect(name or ":memory:", timeout=1.0, isolation_level=None)
    try:
        base.executescript("pragma locking_mode=exclusive; pragma synchronous=full; pragma cell_size_check=on")
    except BaseException:
        base.close()
        raise
    return base


def _close(base: sqlite3.Connection | None) -> None:
    if base is not None:
        base.close()


@contextmanager
def _transaction(base: sqlite3.Connection) -> Iterator[None]:
    base.execute("begin immediate")
    try:
        yield
        base.execute("commit")
    except BaseException:
        if base.in_transaction:
            with suppress(sqlite3.Error):  # closing the file, or the next opening, rolls back as well
                base.execute("rollback")
        raise


@contextmanager
def _halting(name: str | None) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise HaltedError(
            f"{name}: cannot be written: {error}; what was done before is kept: make room on the disk, "
            "then go on with --resume"
        ) from error


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _chained(head: str, first: int, n: int, payload: bytes) -> str:
    return _sha(f"{head} {first} {n} ".encode() + payload)


def _refusal(error: sqlite3.Error, name: str) -> InputError:
    if "locked" in str(error):
        return InputError(Problem("is being written by another process", name, remedy="wait until that one ends"))
    return InputError(Problem(f"is damaged, or no journal ({error})", name, remedy=_REMEDY))


def _damaged(name: str, what: str) -> InputError:
    return InputError(Problem(f"is damaged: {what}", name, remedy=_REMEDY))


def _release(base: sqlite3.Connection) -> str | None:
    """The version of twin that wrote a journal of any format, where it can be read."""
    try:
        (kind,) = base.execute("select type from sqlite_master where name = 'meta'").fetchone()
        if kind != "table":  # a view would compute what is to be read
            return None
        (text,) = base.execute("select value from meta where key = 'identity'").fetchone()
        release = json.loads(text)["twin_version"]
    except (sqlite3.Error, ValueError, TypeError, KeyError):
        return None
    return release if isinstance(release, str) else None


def _checked(base: sqlite3.Connection, name: str) -> tuple[dict[str, Any], list[tuple[int, Float]], str]:
    if base.execute("pragma application_id").fetchone()[0] != MAGIC:
        raise InputError(Problem("is not a journal of a campaign", name, remedy="name another file"))
    version = base.execute("pragma user_version").fetchone()[0]
    if version not in FORMATS_READ:
        raise other_schema("journal", version, FORMATS_READ, _release(base), name)
    made = [statement for (statement,) in base.execute("select sql from sqlite_master where sql is not null limit 9")]
    if sorted(made) != sorted(_TABLES):  # a view or a trigger would compute what is to be read
        raise _damaged(name, "its tables are not those of a journal")
    if base.execute("select coalesce(max(length(value)), 0) from meta").fetchone()[0] > _TEXT_MAX:
        raise _damaged(name, "its identity")
    verdict = base.execute("pragma integrity_check").fetchone()[0]
    if verdict != "ok":
        raise _damaged(name, f"integrity check: {' '.join(str(verdict).split())}")
    meta = dict(base.execute("select key, value from meta"))
    text, head = meta.get("identity"), meta.get("identity_sha256")
    if not isinstance(text, str) or _sha(text.encode()) != head:
        raise _damaged(name, "its identity")
    identity: dict[str, Any] = json.loads(text)
    shape = (-1, len(identity["designs"]), len(identity["metrics"]))
    blocks: list[tuple[int, Float]] = []
    for first, n, digest, payload in base.execute("select r0, n, digest, payload from chunks order by rowid"):
        sound = isinstance(payload, bytes) and isinstance(first, int) and isinstance(n, int)
        head = _chained(str(head), first, n, payload) if sound else ""
        if head != digest:
            raise _damaged(name, f"chunk {len(blocks)} (said to be replications {first} to +{n})")
        blocks.append((first, np.frombuffer(payload, "<f8").reshape(shape).astype(np.float64, copy=False)))
    if meta.get("chunks") != str(len(blocks)) or meta.get("head") != head:
        raise _damaged(name, f"{len(blocks)} chunks are there of {meta.get('chunks')}")
    return identity, blocks, str(head)
