"""If gRPC stops accepting calls by itself, the process ends, so that a supervisor starts another one."""

from __future__ import annotations

import json
import subprocess
import sys

from support.process import EMBEDDED, clean_environment

END_ACCEPT_LOOP = """
import asyncio
import sys

from cloudfront_facade import _cli
from cloudfront_facade_server.grpc_server import server

set_serving = server.Server.set_serving


async def end_accept_loop(self, *, serving):
    await set_serving(self, serving=serving)
    if serving:
        for task in asyncio.all_tasks():
            if task.get_coro().__qualname__ == server.ACCEPT_LOOP:
                task.cancel()


server.Server.set_serving = end_accept_loop
sys.exit(_cli.main())
"""


def test_process_ends_with_an_error_line_and_a_code_other_than_0_when_accepting_ends() -> None:
    arguments = ["serve", *EMBEDDED, "--listen", "127.0.0.1:0", "--log-format", "json", "--shutdown-grace-period", "1"]
    ended = subprocess.run(
        [sys.executable, "-c", END_ACCEPT_LOOP, *arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    lines = [json.loads(line) for line in ended.stderr.splitlines() if line.startswith("{")]
    assert ended.returncode == 1, lines
    assert [line["event"] for line in lines if line["level"] == "error"] == [
        "serving ended by itself; the process exits so that it can be restarted"
    ]
