"""Landlock: takes all files from this process, for good, but those it is told of (landlock(7), Linux 5.13).

Nothing has to be set up for it, and no right is needed. Where the kernel does not know it, nothing happens,
and the caller is told so.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h
_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION
_PATH_BENEATH = 1  # LANDLOCK_RULE_PATH_BENEATH

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = (1 << bit for bit in range(4))
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15
"""The rights that make sense for what is no folder: these, truncate and ioctl."""
_KNOWN = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many rights on files each version of the interface knows; from 5 on it is 16."""
_KNOWS_NET, _TCP = 4, 3
"""The version from which there are rights on the network: to bind and to connect TCP sockets."""


def confine(*, read: Iterable[Path], write: Iterable[Path], offline: bool = False) -> bool:
    """Leave this process, and what it starts, only what is under these paths. Tells whether the kernel did.

    `offline`: no TCP either, where the kernel can bar it (Linux 6.7). Has to be called before there are
    threads. Paths that do not exist are left out.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    if version < 1:
        return False
    every = (1 << _KNOWN.get(version, 16)) - 1
    barred = offline and version >= _KNOWS_NET
    attributes = struct.pack("=QQ", every, _TCP) if barred else struct.pack("=Q", every)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    try:
        for paths, rights in ((read, _READ), (write, every & ~_EXECUTE)):
            for path in paths:
                _allow(libc, ruleset, path, rights)
        if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            return False
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, ctypes.c_uint32(0)) == 0)
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        beneath = struct.pack("=Qi", rights if path.is_dir() else rights & _OF_FILES, descriptor)
        if libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, beneath, ctypes.c_uint32(0)) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(path))
    finally:
        os.close(descriptor)
