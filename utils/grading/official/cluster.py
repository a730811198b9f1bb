"""Grading on a Dask cluster: one sandbox on each worker, one pure task a submission.

A task depends on nothing but the key (seeds included) and the submitted bytes, so a worker that is lost costs time
alone: Dask runs its tasks again elsewhere, with the same points. Workers are trusted; they need the course installed.
"""

import atexit
import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields

from utils.grading.homework import HomeworkError
from utils.grading.official.grade import grade
from utils.grading.official.key import Key
from utils.grading.official.submissions import HandedIn
from utils.grading.sandbox import isolation
from utils.grading.sandbox.client import Limits, Sandbox

AHEAD = 4  # submissions that wait on each worker; the rest stay here, so that no scheduler holds all of their bytes
RETRIES = 3  # workers that may be lost while they grade one submission

_lock = threading.Lock()
_sandboxes: dict[tuple, Sandbox] = {}  # of this worker's process


@dataclass(frozen=True)
class Parcel(HandedIn):
    """A submission with its bytes (or the sentence that says why there are none)."""

    content: bytes
    unreadable: str | None = None

    def read(self) -> bytes:
        if self.unreadable:
            raise ValueError(self.unreadable)
        return self.content


def graded_there(key: Key, todo: list, level: str, options) -> Iterator[dict]:
    """The records of these submissions as the cluster finishes them. `local:N` starts N workers on this machine.

    Raises HomeworkError if `distributed` is missing or the scheduler cannot be reached.
    """
    try:
        from distributed import Client, LocalCluster, as_completed
    except ImportError as error:
        raise HomeworkError("--dask needs the package distributed: pip install -e '.[dask]'") from error
    local = options.dask.partition("local:")[2]
    cluster = LocalCluster(n_workers=int(local), threads_per_worker=1, dashboard_address=None) if local else None
    try:
        client = Client(cluster or options.dask, timeout=20)
    except (OSError, ValueError) as error:
        raise HomeworkError(f"no Dask scheduler answers at {options.dask}: {error}") from error
    try:
        [sent] = client.scatter([key], broadcast=True)
        waiting = iter(todo)

        def submit(submission):
            return client.submit(_task, sent, _parcel(submission), level, options.limits, pure=False, retries=RETRIES)

        n_ahead = AHEAD * max(1, sum(client.nthreads().values()))
        running = as_completed([submit(submission) for _, submission in zip(range(n_ahead), waiting, strict=False)])
        for future in running:
            yield future.result()
            following = next(waiting, None)
            if following is not None:
                running.add(submit(following))
    finally:
        client.close()
        if cluster:
            cluster.close()


def _parcel(submission) -> Parcel:
    about = {field.name: getattr(submission, field.name) for field in fields(HandedIn)}
    try:
        return Parcel(**about, content=submission.read())
    except ValueError as error:
        return Parcel(**about, content=b"", unreadable=str(error))


def _task(key: Key, parcel: Parcel, level: str, limits: Limits) -> dict:
    return grade(key, _sandbox(key, level, limits), parcel)


def _sandbox(key: Key, level: str, limits: Limits) -> Sandbox:
    """This worker's sandbox for the homework, started on the first task."""
    with _lock:
        name = key.digest, level, limits
        if name not in _sandboxes:
            for other in _sandboxes.values():
                other.close()
            _sandboxes.clear()
            _sandboxes[name] = Sandbox(isolation.choose(level), key.checks, key.preload, limits)
            atexit.register(_sandboxes[name].close)
        return _sandboxes[name]
