"""The sides as running processes, each with the calls that are made of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .process import PLACES, Process, free_address, python
from .sides.messages import BOTO_ARGUMENTS, CODE, METHOD, REPEATABLE_REQUEST, REQUEST, TAGS

REST_BODY: Final = json.dumps(
    {
        "name": BOTO_ARGUMENTS["Name"],
        "comment": BOTO_ARGUMENTS["FunctionConfig"]["Comment"],
        "runtime": BOTO_ARGUMENTS["FunctionConfig"]["Runtime"],
        "code": base64.b64encode(CODE).decode(),
        "tags": TAGS,
    }
).encode()

SERVERS: Final = ("facade", "naive", "rest", "aio", "echo", "echo_threads", "bare_refusal")


@dataclass(frozen=True)
class Target:
    """What a caller calls.

    Attributes:
        address: HOST:PORT.
        path: the method's path.
        body: the message, or the JSON.
        grpc: whether it speaks gRPC, else HTTP/1.1 with JSON.
    """

    address: str
    path: str
    body: bytes
    grpc: bool = True


@dataclass(frozen=True)
class Server:
    """A running side."""

    name: str
    process: Process
    target: Target


def facade(endpoint: str, folder: Path, *settings: str) -> Server:
    """Starts the facade on the AWS backend, as an operator does."""
    return _facade(folder, "--backend", "aws", "--endpoint-url", endpoint, *settings)


def embedded(database: Path, folder: Path, *settings: str) -> Server:
    """Starts the facade on the embedded backend."""
    return _facade(folder, "--backend", "embedded", "--embedded-db", str(database), *settings)


def start(name: str, endpoint: str, folder: Path) -> Server:
    """Starts one of SERVERS on a free port, and waits until it listens."""
    if name == "facade":
        return facade(endpoint, folder)
    address = free_address()
    command = [_interpreters().get(name, python()), "-m", f"benchmarks.sides.{name}", address, endpoint]
    process = Process(command, PLACES["both cores"], folder / f"{name}.log").wait_for(address)
    if name == "rest":
        return Server(name, process, Target(address, "/functions", REST_BODY, grpc=False))
    return Server(name, process, Target(address, METHOD, REQUEST.SerializeToString()))


def _facade(folder: Path, *settings: str) -> Server:
    address = free_address()
    command = [str(Path(python()).with_name("cloudfront-facade")), "serve", "--listen", address, "--drain-delay", "0"]
    process = Process([*command, *settings], PLACES["both cores"], folder / "facade.log").wait_for(address)
    return Server("facade", process, Target(address, METHOD, REPEATABLE_REQUEST.SerializeToString()))


def _interpreters() -> Mapping[str, str]:
    """Gives the interpreters that are not the usual one: aiobotocore wants an older botocore than the server's."""
    return {"aio": python(".venv-bench-aio")}
