"""A Dask cluster as the engine; the only module that imports `distributed` (extra `cluster`).

Security: a Dask scheduler asks nobody who they are unless TLS is set up, and runs what it is sent. Whoever reaches its
port runs code as its user. Start it on 127.0.0.1 or a private interface, or with one certificate authority for
scheduler, workers and this client (`tls://`, --tls-ca-file, --tls-cert, --tls-key).
"""

from __future__ import annotations

import asyncio
import importlib
import ipaddress
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from typing import Any, TypeVar

from twin.campaign.engines import Errors
from twin.campaign.task import Block, greet, run_block
from twin.errors import HaltedError, InputError, Problem

Result = TypeVar("Result")

_CONNECT_S = 20
_LOOK_AGAIN_S = 5.0


class DaskEngine:
    """A scheduler and its workers; those may come and go. Nothing is kept on the cluster."""

    target_s = 2.0
    is_whole = False

    def __init__(self, key: str, packed: bytes, address: str, tls: Mapping[str, str] | None = None) -> None:
        self._key, self._packed, self.address = key, packed, address
        self._client, killed = _connected(address, tls or {})
        self.lost: Errors = (CancelledError,)
        self.deadly: Errors = (killed,)
        self._slots, self._looked_s = 0, -_LOOK_AGAIN_S

    @property
    def slots(self) -> int:
        """Threads of all workers, looked up anew every few seconds."""
        if time.monotonic() - self._looked_s > _LOOK_AGAIN_S:
            self._slots = max(sum(self._client.nthreads().values()), 1)
            self._looked_s = time.monotonic()
        return self._slots

    def canaries(self) -> list[Future[str]]:
        """One from each worker there is; versions are compared too."""
        try:
            self._client.wait_for_workers(1, timeout=_CONNECT_S)
            self._client.get_versions(check=True)
        except (TimeoutError, OSError) as error:
            raise HaltedError(f"no worker came to {self.address} within {_CONNECT_S} s") from error
        except ValueError as error:
            raise HaltedError(f"workers of {self.address} have other versions: {error}") from error
        return [
            self._start(greet, self._key, self._packed, workers=[worker], allow_other_workers=True)  # it may die first
            for worker in self._client.nthreads()
        ]

    def submit(self, first: int, last: int) -> Future[Block]:
        """See `Engine`; raises `HaltedError` when the scheduler is gone."""
        if self._client.status != "running":
            raise HaltedError(f"the scheduler {self.address} is gone; go on with --resume when it is back")
        return self._start(run_block, self._key, self._packed, first, last)

    def _start(self, function: Callable[..., Result], *arguments: Any, **where: Any) -> Future[Result]:
        """A task whose outcome comes to the future, whatever it is.

        The futures of `Client.get_executor` never hear of a result that is lost with its worker and whose repetition
        ends further ones (distributed 2026.8, `cfexecutor._cascade_future`): the campaign would wait for ever.
        """
        task = self._client.submit(function, *arguments, pure=False, retries=0, **where)
        future: Future[Result] = Future()
        future.add_done_callback(lambda own: task.cancel() if own.cancelled() else None)
        self._client.loop.add_callback(_hand_over, self._client, task, future)
        return future

    def rebuild(self) -> None:
        """Nothing to do: the scheduler moves tasks to other workers itself."""

    def close(self, *, at_once: bool) -> None:
        """Leave the cluster; tasks not begun are cancelled."""
        self._client.close(timeout=1 if at_once else _CONNECT_S)


async def _hand_over(client: Any, task: Any, future: Future[Any]) -> None:
    """Wait for a task, in the client's own thread; a connection that broke is a task to be tried again."""
    with suppress(InvalidStateError):  # the campaign cancelled it meanwhile
        try:
            found = await client.gather(task, asynchronous=True)
        except (CancelledError, asyncio.CancelledError, OSError) as error:
            future.set_exception(CancelledError(str(error)))
        except Exception as error:  # noqa: BLE001 - the task's own
            future.set_exception(error)
        else:
            future.set_result(found)


def exposure(address: str) -> str | None:
    """A warning where anybody on the network may reach an unprotected scheduler."""
    scheme, _, rest = address.rpartition("://")
    if scheme not in ("", "tcp"):
        return None
    host = rest.rpartition(":")[0].strip("[]")
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if is_loopback:
        return None
    return (
        f"{address} is neither on this machine nor protected by TLS: a Dask scheduler asks nobody who they are, "
        "whoever reaches its port runs code as its user"
    )


def _connected(address: str, tls: Mapping[str, str]) -> tuple[Any, type[BaseException]]:
    try:
        dask: Any = importlib.import_module("distributed")
        scheduler: Any = importlib.import_module("distributed.scheduler")
    except ImportError:
        remedy = "python -m pip install 'twin-datacenter[cluster]'"
        raise InputError(Problem("Dask is not installed", key="scheduler", remedy=remedy)) from None
    security = None
    if tls:
        names = {"ca_file": "tls_ca_file", "cert": "tls_client_cert", "key": "tls_client_key"}
        security = dask.Security(require_encryption=True, **{names[name]: file for name, file in tls.items()})
    try:
        client = dask.Client(address, security=security, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError, OverflowError) as error:  # or it is no address at all
        remedy = "is `dask scheduler` running there?"
        raise InputError(Problem(f"no scheduler at {address} ({error})", key="scheduler", remedy=remedy)) from error
    return client, scheduler.KilledWorker
