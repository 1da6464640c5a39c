"""The client for Node.js, against real servers."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.certificates import write_certificates
from support.process import EMBEDDED, FacadeProcess
from support.tools import require_tool, skip_or_fail

PROJECT = Path(__file__).parents[2]
CLIENT = PROJECT / "clients" / "node"
INSTALLED = CLIENT / "node_modules" / ".package-lock.json"
LOCK = CLIENT / "package-lock.json"
README = CLIENT / "README.md"
GUIDE = PROJECT / "docs" / "guides" / "node.md"
# The output of the examples of both pages.
EXPECTED = [
    r"^arn:aws:cloudfront::\d{12}:function/readme-function-node \w+$",
    r"^VALIDATION_FAILED not_applied\nname .*\ntags\[0\]\.key ",
    r"^$",
    r"^keys: 2n\n/old /new\n/older /new\nKEY_NOT_FOUND not_applied$",
]
OLDEST_NODE = 20


def require_node() -> tuple[str, str]:
    """Returns the paths of node and npm; skips the test if they are missing or too old."""
    node, npm = require_tool("node"), require_tool("npm")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        skip_or_fail(f"the client for Node.js needs Node.js {OLDEST_NODE}; this is {version.strip()}")
    return node, npm


def run(*command: str, cwd: Path = CLIENT, **variables: str) -> str:
    """Runs a command and returns its output."""
    completed = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=90,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout
    return completed.stdout


@pytest.fixture
def tls_address(tmp_path: Path) -> Iterator[str]:
    """The address of a server with mutual TLS; `tmp_path` has a client's certificate."""
    files = write_certificates(tmp_path)
    with FacadeProcess(
        *EMBEDDED,
        *("--tls-cert", str(files["server_cert"]), "--tls-key", str(files["server_key"])),
        *("--tls-client-ca", str(files["ca"])),
    ) as process:
        yield process.address


def test_the_clients_own_tests_and_the_examples_of_its_pages_pass(
    facade_address: str, tls_address: str, tmp_path: Path
) -> None:
    node, npm = require_node()
    # `make lint`, which `make test` runs first, installs the packages.
    if not INSTALLED.exists() or INSTALLED.stat().st_mtime < LOCK.stat().st_mtime:
        run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        INSTALLED.touch()
    run(npm, "run", "build")
    files = sorted(str(file.relative_to(CLIENT)) for file in (CLIENT / "dist" / "test").glob("*.test.js"))
    assert len(files) == len(list((CLIENT / "test").glob("*.test.ts")))
    # The tests mostly wait, but by default Node.js runs one file at a time on two cores.
    output = run(
        *(node, "--test", "--test-concurrency=2", "--test-reporter=tap", *files),
        CLOUDFRONT_FACADE_TARGET=facade_address,
        CLOUDFRONT_FACADE_TLS_TARGET=tls_address,
        CLOUDFRONT_FACADE_TLS_DIRECTORY=str(tmp_path),
    )
    assert_all_passed(output)
    pages = README.read_text() + GUIDE.read_text()
    for number, example in enumerate(re.findall(r"^```ts\n(.*?)^```$", pages, re.MULTILINE | re.DOTALL)):
        # The examples have no type annotations, so they are JavaScript too.
        script = CLIENT / "dist" / f"example-{number}.mjs"
        script.write_text(example.replace("127.0.0.1:50051", facade_address))
        assert re.search(EXPECTED[number], run(node, str(script), cwd=tmp_path)), example
    assert_first_mistakes_are_rejected(node, facade_address)


def assert_first_mistakes_are_rejected(node: str, address: str) -> None:
    """Asserts that each call in the table of the guide rejects with the error in the table."""
    rows = re.findall(r"^\| `(facade\..+?)` \| `(.+?)` \|", GUIDE.read_text(), re.MULTILINE)
    assert len(rows) == GUIDE.read_text().count("\n| `facade.")
    calls = ",\n".join(f"() => {call}" for call, _ in rows)
    script = CLIENT / "dist" / "mistakes.mjs"
    script.write_text(
        f"""import {{ connect }} from "cloudfront-facade";
const facade = connect("{address}");
for (const call of [{calls}]) {{
  await call().then(() => console.log("no error"), (error) => console.log(error.name, error.message));
}}
facade.close();
"""
    )
    lines = run(node, str(script)).splitlines()
    assert len(lines) == len(rows) > 5
    for line, (_, error) in zip(lines, rows, strict=True):
        assert line.startswith(f"TypeError {error}")


def assert_all_passed(output: str) -> None:
    """Asserts that Node's test runner ran and passed every test in the files."""
    counts = {name: int(count) for name, count in re.findall(r"^# (\w+) (\d+)$", output, re.MULTILINE)}
    defined = sum(len(re.findall(r"^test\(", file.read_text(), re.MULTILINE)) for file in CLIENT.glob("test/*.test.ts"))
    assert counts["pass"] == counts["tests"] >= defined, output  # some are defined in a loop
    assert counts["fail"] == counts["cancelled"] == counts["skipped"] == counts["todo"] == 0, output


def test_the_client_has_the_projects_version() -> None:
    version = tomllib.loads((PROJECT / "clients" / "python" / "pyproject.toml").read_text())["project"]["version"]
    assert json.loads((CLIENT / "package.json").read_text())["version"] == version
    assert json.loads(LOCK.read_text())["version"] == version


def test_the_lock_file_has_hashes_and_no_addresses() -> None:
    packages = json.loads(LOCK.read_text())["packages"]
    installed = [package for path, package in packages.items() if path]
    assert installed
    assert all(package["integrity"].startswith("sha512-") for package in installed)
    assert not any("resolved" in package for package in installed)
