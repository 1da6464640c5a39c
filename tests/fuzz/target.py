"""The server that is attacked, and what must hold for each of its answers."""

from __future__ import annotations

import builtins
import re
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import botocore.exceptions
import grpc
import pydantic
from google.protobuf import message as protobuf_message

from cloudfront_facade.v1.function_service_pb2 import ListFunctionsRequest
from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest
from support.facade import Facade, function, open_channel
from support.process import EMBEDDED, FacadeProcess
from support.rpcs import RPCS

CALL_SECONDS: Final = 3.0
_READ_SECONDS: Final = 0.01

_MODULES: Final[Sequence[Any]] = (builtins, protobuf_message, grpc, grpc.aio, pydantic, botocore.exceptions)
_CLASSES: Final = sorted(
    name
    for module in _MODULES
    for name, value in vars(module).items()
    if isinstance(value, type) and issubclass(value, BaseException)
)
FORBIDDEN: Final = re.compile(rb"\b(" + "|".join(_CLASSES).encode() + rb"|Traceback|google\.protobuf|\w+\.py)\b")
"""Names of classes and files that no caller must see."""


class Target:
    """A server process on the embedded backend, with a function and a store.

    Attributes:
        known: Texts that lead further into the server than random ones.
        statuses: How often each status was answered.
        sent: How many requests and connections were sent.
    """

    def __init__(self, process: FacadeProcess, channel: Any) -> None:
        self.process = process
        self.statuses: Counter[str] = Counter()
        self.sent = 0
        self._channel = channel
        self._facade = Facade.over(process.address, channel)
        created = self._facade.functions.CreateFunction(function("f"))
        store = self._facade.stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="s")).key_value_store
        arn = created.function_summary.function_metadata.function_arn
        self.known = ["f", "s", "", arn, store.arn, created.etag, "W/" + created.etag, "*", "k", "aws:tag", "../f"]

    def call(self, path: str, contents: Sequence[bytes]) -> None:
        """Sends these bytes as the messages of a call; checks its answer."""
        self.sent += 1
        call = self._channel.stream_stream(path)(iter(contents), timeout=CALL_SECONDS)
        with suppress(grpc.RpcError):
            for _ in call:
                pass
        code = call.code()
        self.statuses[code.name] += 1
        shown = b"\n".join(
            [
                (call.details() or "").encode(),
                *(value if isinstance(value, bytes) else value.encode() for _, value in call.trailing_metadata() or ()),
            ]
        )
        assert code not in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN), (path, code, shown)
        assert not (found := FORBIDDEN.search(shown)), (path, found, shown)

    def send(self, content: bytes) -> None:
        """Opens a connection, sends these bytes, and reads what comes back for a moment."""
        self.sent += 1
        host, _, port = self.process.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection, suppress(OSError):
            connection.sendall(content)
            connection.settimeout(_READ_SECONDS)
            while connection.recv(65536):
                pass

    def check(self) -> None:
        """Checks that the server answers on a new connection, and has logged no error."""
        assert self.process.process.poll() is None, self.process.lines[-5:]
        with open_channel(self.process.address, use_local_subchannel_pool=1) as channel:
            Facade.over(self.process.address, channel).functions.ListFunctions(ListFunctionsRequest(), timeout=10)
        bugs = [line for line in self.process.lines if "text" in line or line["level"] == "error"]
        assert not bugs, bugs

    def resources(self) -> tuple[float, int, int]:
        """Returns the server's memory in MiB, its open files and its threads."""
        return self.process.memory(), self.process.open_files(), self.process.threads()


PATHS: Final = [
    *(f"/{method.containing_service.full_name}/{name}" for name, method in RPCS.items()),
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/List",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "/unknown.Service/Method",
]


@contextmanager
def target() -> Iterator[Target]:
    """Runs a server until the block ends."""
    flags = ("--max-stream-silence", "1", "--max-connections", "500")
    with FacadeProcess(*EMBEDDED, *flags) as process, open_channel(process.address, enable_retries=0) as channel:
        yield Target(process, channel)
