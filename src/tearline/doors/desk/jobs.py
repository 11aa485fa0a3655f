"""Work that takes longer than a person waits: it goes on beside the requests, and tells how far it is."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future
from enum import StrEnum
from typing import Any

import msgspec

from tearline.doors.desk.person import Person
from tearline.terms import Refused, TearlineError

MOST = 32
"""Jobs that are remembered; the oldest that have ended go first."""
MOST_OF_ONE = 4
"""Jobs of one person that may be under way at once."""


class JobState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job is."""

    id: str
    title: str
    state: JobState
    done: int = 0
    of: int = 0
    doing: str = ""
    error: str = ""
    then: str = ""
    """The page of what it found."""


class _Kept(msgspec.Struct):
    job: Job
    whose: str
    answer: Any = None


class Jobs:
    """The jobs of everybody; each sees their own alone. Safe for use from several threads."""

    def __init__(self, submit: Callable[..., Future[Any]]) -> None:
        """`submit`: runs a function in a thread of its own."""
        self._submit, self._lock = submit, threading.Lock()
        self._jobs: dict[str, _Kept] = {}

    def start(self, person: Person, title: str, then: str, work: Callable[[Callable[..., None]], Any]) -> Job:
        """Begin. `work` is given a function that takes `done`, `of`, `doing` as they become known."""
        job = Job(id=secrets.token_urlsafe(16), title=title, state=JobState.RUNNING)
        with self._lock:
            running = [
                each
                for each in self._jobs.values()
                if each.whose == person.name and each.job.state is JobState.RUNNING
            ]
            if len(running) >= MOST_OF_ONE:
                raise Refused(f"{MOST_OF_ONE} of your jobs are under way: wait for one of them")
            self._forget()
            self._jobs[job.id] = _Kept(job, person.name)

        def tell(**known: Any) -> None:
            with self._lock:
                kept = self._jobs[job.id]
                kept.job = msgspec.structs.replace(kept.job, **known)

        def run() -> None:
            try:
                answer = work(tell)
            except TearlineError as error:
                tell(state=JobState.FAILED, error=str(error))
            except BaseException:
                tell(state=JobState.FAILED, error="The desk could not do this; it is not your fault.")
                raise
            else:
                with self._lock:
                    self._jobs[job.id].answer = answer
                tell(state=JobState.DONE, then=then.replace("{job}", job.id))

        self._submit(run)
        return job

    def find(self, job: str, person: Person) -> Job:
        """Raises `Refused` where it is nobody's, or another's."""
        return self._find(job, person).job

    def kept(self, job: str, person: Person) -> Any:
        """What a job found. Raises `Refused` where it is another's, has not ended, or was forgotten."""
        kept = self._find(job, person)
        if kept.job.state is not JobState.DONE:
            raise Refused("this job has found nothing yet")
        return kept.answer

    def _find(self, job: str, person: Person) -> _Kept:
        with self._lock:
            kept = self._jobs.get(job)
        if kept is None or kept.whose != person.name:
            raise Refused("there is no such job any more: start it again")
        return kept

    def _forget(self) -> None:
        ended = [name for name, each in self._jobs.items() if each.job.state is not JobState.RUNNING]
        for name in ended[: max(0, len(self._jobs) - MOST + 1)]:
            del self._jobs[name]
