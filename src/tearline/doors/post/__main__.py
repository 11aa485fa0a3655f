"""What the worker starts as the post room: `python -m tearline.doors.post SOCKET SETTINGS`.

The order counts: first the kernel takes away what this process has no use for, then there are threads.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys

import msgspec
import structlog
from uvloop import new_event_loop

from tearline.doors.post import talk
from tearline.doors.post.room import confine_to, run


def main() -> None:
    descriptor, settings_json = sys.argv[1:]
    settings = msgspec.json.decode(settings_json, type=talk.Settings)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    os.environ["SQLITE_TMPDIR"] = settings.views  # for what does not fit into memory
    confined = confine_to(settings)

    async def serve() -> None:
        worker = socket.socket(fileno=int(descriptor))
        reader, writer = await asyncio.open_unix_connection(sock=worker)
        await run(settings, reader, writer, confined=confined)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve())


main()
