"""What Linux grants a process that holds identities.

Not granted to Python: wiping. Strings are copied freely and freed memory is not overwritten, so what was in
this process's memory stays there until it ends.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
import threading

_PR_SET_DUMPABLE = 4  # linux/prctl.h
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4  # linux/mman.h


def harden() -> tuple[str, ...]:
    """Take from this process the ways in which its memory could get out. Tells what was granted.

    No core dumps; not readable or traceable by other processes of the same user (prctl(2)); and, where the
    limit on locked memory is lifted, no page of it in swap (mlockall(2)). Errors that nobody caught show only
    their type, for their text could hold an identity.
    """
    sys.excepthook = lambda kind, *_: _say_type(kind)
    threading.excepthook = lambda caught: _say_type(caught.exc_type)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    granted = ["no core dumps"]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0:
        granted.append("not readable by other processes of its user")
    if _may_lock() and libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0:
        granted.append("not in swap")
    return tuple(granted)


def _may_lock() -> bool:
    # Under a finite limit a later allocation would fail: no lock is better than a vault that falls over.
    return os.geteuid() == 0 or resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY


def _say_type(kind: type[BaseException]) -> None:
    sys.stderr.write(f"tearline: fault of ours: {kind.__name__}\n")
