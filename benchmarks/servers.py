"""Starts the facade and the baseline servers, each with the call that the load generator makes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .messages import BOTO_ARGUMENTS, CODE, IDEMPOTENT_REQUEST, METHOD, REQUEST, TAGS
from .process import AFFINITIES, Process, free_address, interpreter

REST_BODY: Final = json.dumps(
    {
        "name": BOTO_ARGUMENTS["Name"],
        "comment": BOTO_ARGUMENTS["FunctionConfig"]["Comment"],
        "runtime": BOTO_ARGUMENTS["FunctionConfig"]["Runtime"],
        "code": base64.b64encode(CODE).decode(),
        "tags": TAGS,
    }
).encode()

SERVERS: Final = ("facade", "naive", "rest", "aio", "echo", "threaded_echo", "bare_rejection")


@dataclass(frozen=True)
class Target:
    """The call that the load generator makes.

    Attributes:
        address: HOST:PORT.
        path: The path of the method.
        body: The serialized message, or the JSON.
        grpc: Whether the call is gRPC. Otherwise it is JSON over HTTP/1.1.
    """

    address: str
    path: str
    body: bytes
    grpc: bool = True


@dataclass(frozen=True)
class Server:
    """A running server."""

    name: str
    process: Process
    target: Target


def facade(endpoint: str, folder: Path, *settings: str) -> Server:
    """Starts the facade with the AWS backend, as an operator does."""
    return _facade(folder, "--backend", "aws", "--endpoint-url", endpoint, *settings)


def embedded(database: Path, folder: Path, *settings: str) -> Server:
    """Starts the facade with the embedded backend."""
    return _facade(folder, "--backend", "embedded", "--embedded-db", str(database), *settings)


def start(name: str, endpoint: str, folder: Path) -> Server:
    """Starts one of SERVERS on a free port and waits until it listens."""
    if name == "facade":
        return facade(endpoint, folder)
    address = free_address()
    command = [_interpreters().get(name, interpreter()), "-m", f"benchmarks.baselines.{name}", address, endpoint]
    process = Process(command, AFFINITIES["both cores"], folder / f"{name}.log").wait_until_listening(address)
    if name == "rest":
        return Server(name, process, Target(address, "/functions", REST_BODY, grpc=False))
    return Server(name, process, Target(address, METHOD, REQUEST.SerializeToString()))


def _facade(folder: Path, *settings: str) -> Server:
    address = free_address()
    program = str(Path(interpreter()).with_name("cloudfront-facade"))
    command = [program, "serve", "--listen", address, "--drain-delay", "0", *settings]
    process = Process(command, AFFINITIES["both cores"], folder / "facade.log").wait_until_listening(address)
    return Server("facade", process, Target(address, METHOD, IDEMPOTENT_REQUEST.SerializeToString()))


def _interpreters() -> Mapping[str, str]:
    """Returns the interpreters of servers with another environment: aiobotocore needs an older botocore."""
    return {"aio": interpreter(".venv-bench-aio")}
