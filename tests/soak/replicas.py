"""Server processes in front of the double, which are killed and restarted."""

from __future__ import annotations

import random
import signal
import threading
from typing import Any, Final, Self

from cloudfront_facade import connect
from soak.faults import TIMEOUT
from support.facade import Facade, open_channel
from support.process import FacadeProcess

_FLAGS: Final = (
    *("--backend", "aws", "--read-timeout", str(TIMEOUT), "--connect-timeout", "1", "--settle-timeout", "4"),
    *("--drain-delay", "0", "--shutdown-grace-period", "1"),
)
_OPTION: Final = "use_local_subchannel_pool"


class Replica:
    """A server process, and two ways to call it: plain stubs, and the Python client. Both send a call once.

    Attributes:
        name: Its name, which is its access key too.
        process: The process.
    """

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        environment = {"AWS_ACCESS_KEY_ID": name}
        self.process = FacadeProcess(*_FLAGS, "--endpoint-url", url, environment=environment).wait_until_serving()
        address = self.process.address
        client = connect(address, request_ids=False, options=[(f"grpc.{_OPTION}", 1)])
        stubs = open_channel(address, **{_OPTION: 1}, enable_retries=0)
        self._channels = (stubs, client.channel)
        self._facades = [Facade.over(address, channel) for channel in self._channels]

    def method(self, operation: str, *, by_client: bool) -> Any:
        """Returns the callable of an rpc."""
        facade = self._facades[by_client]
        services = (facade.functions, facade.stores, facade.key_values, facade.tags)
        return next(getattr(service, operation) for service in services if hasattr(service, operation))

    def close(self) -> None:
        """Closes the channels."""
        for channel in self._channels:
            channel.close()


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
        self._started = 0
        self._replicas = [self._start() for _ in range(count)]
        self._available = dict(enumerate(self._replicas))

    def any(self, chooser: random.Random) -> Replica:
        """Returns one of the replicas; it may be ending."""
        with self._lock:
            return chooser.choice([*self._available.values()])

    def two(self, chooser: random.Random) -> list[Replica]:
        """Returns two of the replicas."""
        with self._lock:
            return chooser.sample([*self._available.values()], 2)

    def memory(self) -> float:
        """Returns the memory of the first replica in MiB."""
        return self._available[0].process.memory()

    def restart_one(self) -> None:
        """Ends a replica, abruptly or in order, and starts another one in its place."""
        place = self._random.randrange(1, len(self._available))
        number = self._random.choice((signal.SIGKILL, signal.SIGTERM))
        self._end(self._available[place].process, number)
        with self._lock:
            del self._available[place]
        replica = self._start()
        with self._lock:
            self._available[place] = replica
        self._replicas.append(replica)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for replica in self._replicas:
            replica.close()
        for replica in self._available.values():
            self._end(replica.process, signal.SIGTERM)

    def _start(self) -> Replica:
        self._started += 1
        return Replica(f"REPLICA{self._started:05}", self._url)

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
