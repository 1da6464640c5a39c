"""A process that records changes as fast as it can, for tests that kill, rename and fill.

    recorder.py FILE MAX_BYTES KEEP TASKS

Standard error has a line for each intent that is on disk, `+` and its correlation uid, and for each that was rejected
`-` and its uid. SIGHUP opens the file again; SIGTERM closes the log.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from types import SimpleNamespace

from cloudfront_facade_server.audit.facts import facts_of
from cloudfront_facade_server.audit.log import open_audit
from cloudfront_facade_server.audit.records import AuditedCall, Result
from cloudfront_facade_server.errors.status_error import StatusError
from cloudfront_facade_server.identity.caller import ANONYMOUS

CREATE = facts_of("CreateFunction", {"Name": "f", "FunctionCode": b"code", "Tags": {"Items": [{"Key": "team"}]}})


async def main(path: str, max_bytes: str, keep: str, tasks: str) -> None:
    """Records until SIGTERM."""
    settings = SimpleNamespace(
        audit=path, audit_max_bytes=int(max_bytes), audit_keep=int(keep), audit_timeout=2.0, audit_reads=False
    )
    audit = open_audit(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, audit.reopen)
    loop.add_signal_handler(signal.SIGTERM, stop.set)

    async def record() -> None:
        while not stop.is_set():
            call = AuditedCall(caller=ANONYMOUS, peer="unix:", service="s", operation="CreateFunction", facts=CREATE)
            try:
                await audit.intent(call)
            except StatusError:
                os.write(2, f"- {call.correlation_uid}\n".encode())
                await asyncio.sleep(0.01)
                continue
            os.write(2, f"+ {call.correlation_uid}\n".encode())
            await audit.outcome(call, Result(outcome="applied"))

    await asyncio.gather(*(record() for _ in range(int(tasks))))
    await audit.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
