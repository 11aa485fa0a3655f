"""A process of its own, without network, memory or time to spare, for parsing one file from outside.

The child is this module, run as a program: it limits and confines itself while it is still only ours, and
then becomes `python -m tearline.media`. It sees the one file that the request reads, may write the one that
it makes, and may read what Python needs to run; it can open no socket. What it says is checked as if it came
from outside: a crash, a time-out or a wrong answer is one plain `BadInput`.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import platform
import resource
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, overload

import msgspec

from tearline.adapters.landlock import confine
from tearline.media import (
    Answer,
    Detect,
    Detected,
    Failed,
    Findings,
    Inspect,
    Inspected,
    Made,
    Make,
    Mark,
    Preview,
    Previewed,
    Progress,
    Request,
    Verify,
    reads,
    reads_beside,
    writes,
)
from tearline.terms import BadInput

_READ: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)
_ANSWERS: dict[type, type] = {Inspect: Inspected, Make: Made, Verify: Findings, Preview: Previewed}
_ANSWERS |= {Mark: Made, Detect: Detected}
_LONGEST_ANSWER = 4 << 20


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a child may use; beyond it, it is ended."""

    address_space: int = 3 << 30
    """Bytes. Libraries reserve far more than they use: what is used stays under 300 MB."""
    cpu_s: int = 1800
    wall_s: float = 1800.0
    file_bytes: int = 1 << 40
    open_files: int = 64


ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    # Freed memory is kept, in one heap: pages anew from the kernel cost more than the sums in them.
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_ARENA_MAX": "1",
    "GDAL_PAM_ENABLED": "NO",  # a forged .aux.xml beside a file would override what it says
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_SKIP": "VRT,WMS,WMTS,WCS,HTTP,EEDA,EEDAI,NGW,PLMOSAIC,TileDB,STACIT,STACTA,DAAS,OGCAPI",
    "CPL_CURL_ENABLE_VSIMEM": "NO",
    "PROJ_NETWORK": "OFF",
}
"""All that the child is told of its surroundings. Each reader names the drivers that it may use besides."""


LIMITS = Limits()
_Tell = Callable[[float], None]


@overload
def run(request: Inspect, *, limits: Limits = ..., progress: _Tell | None = ...) -> Inspected: ...
@overload
def run(request: Verify, *, limits: Limits = ..., progress: _Tell | None = ...) -> Findings: ...
@overload
def run(request: Make | Mark, *, limits: Limits = ..., progress: _Tell | None = ...) -> Made: ...
@overload
def run(request: Preview, *, limits: Limits = ..., progress: _Tell | None = ...) -> Previewed: ...
@overload
def run(request: Detect, *, limits: Limits = ..., progress: _Tell | None = ...) -> Detected: ...
def run(request: Request, *, limits: Limits = LIMITS, progress: _Tell | None = None) -> Answer:
    """The answer to `request`, from a process of its own. Blocks; for any thread.

    `progress` is called from another thread, with 0 to 1. Raises `BadInput` for a file that cannot be taken,
    named by the request's path, and leaves nothing at the target then.
    """
    source, target = reads(request), writes(request)
    if target:
        Path(target).write_bytes(b"")
        Path(target).chmod(0o600)
    try:
        return _checked(request, _talk(request, limits, progress or (lambda done: None)), source)
    except BaseException:
        if target:
            Path(target).unlink(missing_ok=True)
        raise


def _checked(request: Request, said: bytes | None, source: str) -> Answer:
    if said is None:
        raise BadInput(source, "", "takes longer to read than a file may")
    try:
        answer = _READ.decode(said)
    except msgspec.MsgspecError:
        answer = Failed(place="", reason="makes its reader fail", remedy="it is damaged, or made to do harm")
    if isinstance(answer, Failed):
        raise BadInput(source, answer.place, answer.reason, answer.remedy)
    if not isinstance(answer, _ANSWERS[type(request)]):
        raise BadInput(source, "", "makes its reader answer something else")
    return answer


def _talk(request: Request, limits: Limits, progress: _Tell) -> bytes | None:
    """What the child says; `None` where it had to be ended because its time was over."""
    root = str(Path(__file__).parents[2])
    start = f"import sys; sys.path.insert(0, {root!r}); from {__name__} import become_reader; become_reader()"
    files = reads(request), writes(request) or "", reads_beside(request) or ""
    arguments = [msgspec.json.encode(limits).decode(), *files]
    late = threading.Event()
    with subprocess.Popen(  # noqa: S603 - our own interpreter, our own code
        [sys.executable, "-I", "-c", start, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        cwd="/",
    ) as child:
        if not (child.stdin and child.stdout and child.stderr):
            raise OSError(errno.EPIPE, "no pipes to the reader")

        def end() -> None:
            late.set()
            child.kill()

        clock = threading.Timer(limits.wall_s, end)
        teller = threading.Thread(target=_tell, args=(child.stderr, progress), daemon=True)
        clock.start()
        teller.start()
        try:
            with contextlib.suppress(BrokenPipeError):
                child.stdin.write(msgspec.json.encode(request))
                child.stdin.close()
            said = child.stdout.read(_LONGEST_ANSWER)
        finally:
            clock.cancel()
            child.kill()  # it has said what it had to say, or more than it may
            teller.join()
    return None if late.is_set() else said


def _tell(lines: IO[bytes], progress: _Tell) -> None:
    """Pass on the progress; whatever else is on stderr is about the file's content, and goes nowhere."""
    while line := lines.readline(4096):
        with contextlib.suppress(msgspec.MsgspecError):
            progress(min(1.0, max(0.0, msgspec.json.decode(line, type=Progress).done)))


# --- in the child --------------------------------------------------------------------------------


def become_reader() -> None:
    """Limit and confine this process for good, then do the one request on stdin."""
    limits = msgspec.json.decode(sys.argv[1], type=Limits)
    source, target, beside = sys.argv[2:5]
    for kind, bound in (
        (resource.RLIMIT_AS, limits.address_space),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (bound, bound))
    confine(
        read=[*_python_needs(), *(Path(name).resolve() for name in (source, beside) if name)],
        write=[Path(target).resolve()] if target else [],
        offline=True,
    )
    _bar_sockets()
    from tearline.media.__main__ import main  # noqa: PLC0415 - only behind the walls

    main()


def _python_needs() -> Iterator[Path]:
    """Where code and its data lie: nothing of the node's."""
    yield from (Path(entry).resolve() for entry in {*sys.path, sys.prefix, sys.base_prefix} if entry)
    yield from map(Path, ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/dev/urandom", "/dev/null"))
    yield from map(Path, ("/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/sys/devices/system/cpu"))


def _bar_sockets() -> None:
    """From now on no call of this process opens a socket (seccomp(2)); Landlock bars TCP alone.

    Numbers of calls: the kernel's tables for the two architectures. On another, Landlock has to do.
    """
    calls = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}.get(platform.machine())
    if calls is None:
        return
    architecture, open_socket = calls
    program = b"".join(
        struct.pack("=HBBI", *step)
        for step in (
            (_LOAD, 0, 0, 4),  # the architecture
            (_IF_EQUAL, 0, 5, architecture),
            (_LOAD, 0, 0, 0),  # the call
            (_IF_AT_LEAST, 3, 0, _OTHER_TABLE),
            (_IF_EQUAL, 2, 0, open_socket),
            (_IF_EQUAL, 1, 0, _IO_URING),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _ERROR | errno.EACCES),
        )
    )
    held = ctypes.create_string_buffer(program)
    filters = struct.pack("@HxxxxxxP", len(program) // 8, ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(_PR_SET_SECCOMP, 2, ctypes.c_char_p(filters), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel refuses the filter of calls")


_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 38, 22  # linux/prctl.h
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # linux/bpf_common.h
_OTHER_TABLE = 0x40000000  # __X32_SYSCALL_BIT: the same calls by other numbers
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000  # linux/seccomp.h
_IO_URING = 425  # io_uring_setup, which could open sockets too; the same number on every architecture
