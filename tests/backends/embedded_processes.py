"""Child processes that use a database of the embedded backend."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Prints "ready", waits for a line, then creates stores and functions and prints the result of each create.
CREATE = """
import sys
from botocore.exceptions import ClientError
from cloudfront_facade_server.backends.embedded import EmbeddedBackend

path, prefix, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
tags = {"Items": [{"Key": f"k{number}", "Value": "v"} for number in range(10)]}
config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
print("ready", flush=True)
sys.stdin.readline()
backend = EmbeddedBackend(path=path, s3_dir=None, max_functions=10**6, max_key_value_stores=10**6)
for number in range(count):
    name = f"{prefix}{number}"
    try:
        backend.create_key_value_store(Name=name, Tags=tags)
        backend.create_function(Name=name, FunctionConfig=config, FunctionCode=b"x" * 10_000, Tags=tags)
        print(name, "OK", flush=True)
    except ClientError as error:
        print(name, error.response["Error"]["Code"], flush=True)
"""


@contextmanager
def creating(path: Path, prefix: str, count: int) -> Iterator[subprocess.Popen[str]]:
    """Starts a child process that creates resources once it reads a line."""
    with waiting(CREATE, path, prefix, count) as child:
        yield child


@contextmanager
def waiting(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Runs a script in a child process; yields it when the script has printed "ready"."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            yield child
        finally:
            child.kill()


def start(child: subprocess.Popen[str]) -> None:
    """Makes the process begin."""
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()
