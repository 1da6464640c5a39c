"""Server processes in front of the double, which are killed and restarted."""

from __future__ import annotations

import random
import signal
import threading
from typing import Any, Final, Self

from soak.faults import TIMEOUT
from support.facade import Facade, open_channel
from support.process import FacadeProcess

_FLAGS: Final = (
    *("--backend", "aws", "--read-timeout", str(TIMEOUT), "--connect-timeout", "1", "--settle-timeout", "4"),
    *("--drain-delay", "0", "--shutdown-grace-period", "5"),
)


class Replicas:
    """A number of replicas. The first one is never restarted, so that its memory can be compared.

    Attributes:
        killed: How many were ended by SIGKILL.
        terminated: How many were ended by SIGTERM.
        problems: Errors in the logs of replicas that have ended, and exit codes other than 0.
    """

    def __init__(self, url: str, count: int, seed: str) -> None:
        self.killed = self.terminated = 0
        self.problems: list[str] = []
        self._url = url
        self._random = random.Random(f"{seed}/replicas")  # noqa: S311 (reproducible)
        self._lock = threading.Lock()
        self._processes = [self._start() for _ in range(count)]
        self._facades = {place: self._open(process) for place, process in enumerate(self._processes)}
        self._old_channels: list[Any] = []

    def any(self, chooser: random.Random) -> Facade:
        """Returns one of the replicas; it may be ending."""
        with self._lock:
            return chooser.choice([*self._facades.values()])

    def two(self, chooser: random.Random) -> list[Facade]:
        """Returns two of the replicas."""
        with self._lock:
            return chooser.sample([*self._facades.values()], 2)

    def memory(self) -> float:
        """Returns the memory of the first replica in MiB."""
        return self._processes[0].memory()

    def restart_one(self) -> None:
        """Ends a replica, abruptly or in order, and starts another one in its place."""
        place = self._random.randrange(1, len(self._processes))
        number = self._random.choice((signal.SIGKILL, signal.SIGTERM))
        self._end(self._processes[place], number)
        with self._lock:
            self._old_channels.append(self._facades.pop(place).channel)
        process = self._start()
        with self._lock:
            self._processes[place], self._facades[place] = process, self._open(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for channel in [*self._old_channels, *(facade.channel for facade in self._facades.values())]:
            channel.close()
        for process in self._processes:
            self._end(process, signal.SIGTERM)

    def _start(self) -> FacadeProcess:
        return FacadeProcess(*_FLAGS, "--endpoint-url", self._url).wait_until_serving()

    def _open(self, process: FacadeProcess) -> Facade:
        return Facade.over(
            process.address, open_channel(process.address, use_local_subchannel_pool=1, enable_retries=0)
        )

    def _end(self, process: FacadeProcess, number: signal.Signals) -> None:
        """Ends a process; after SIGTERM it must exit with 0."""
        process.signal(number)
        code = process.wait()
        self.problems += [str(line) for line in process.lines if "text" in line or line["level"] == "error"]
        if number == signal.SIGKILL:
            self.killed += 1
        else:
            self.terminated += 1
            self.problems += [f"exit code {code} after SIGTERM"] if code else []
