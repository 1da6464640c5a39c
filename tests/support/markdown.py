"""Runs the examples of a Markdown page against a server and compares their output with the page.

A block marked `sh` or `python` is an example. A `json` or `text` block directly below it is its whole output. The shell
examples of a page share one shell, so that later examples can use the variables and functions of earlier ones. Each
Python example is a separate program, except that those marked `python session` form one program. Blocks marked
`console` are not run.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .process import clean_environment
from .tools import SCRIPTS, require_tool

PROJECT = Path(__file__).parents[2]
ADDRESS = "127.0.0.1:50051"

_BLOCK = re.compile(
    r"^```(sh|python|python session)\n(.*?)^```\n(?:\n?```(?:json|text)\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
_SEPARATOR = "=====next example====="

_VARYING = {
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z": "TIME",
    r"\b(E|KV)[A-Z0-9]{13}\b": "ETAG",
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "UUID",
    r'"retry_?[dD]elay": ?"[\d.]+s"': '"retry_delay": "DELAY"',
    r'("compute_?[uU]tilization": )\d+': r"\1NUMBER",
}


@dataclass(frozen=True)
class Example:
    """An example of a page.

    Attributes:
        language: `sh`, `python` or `python session`.
        code: The code.
        output: The output that the page shows; None if it shows none.
    """

    language: str
    code: str
    output: str | None

    @property
    def must_fail(self) -> bool:
        """Whether the page shows an error of grpcurl as the output."""
        return self.language == "sh" and bool(
            self.output and self.output.startswith(("ERROR:", "Error ", "Failed ", "Too many "))
        )


@dataclass(frozen=True)
class Run:
    """The result of an example.

    Attributes:
        example: The example.
        code: The exit code.
        output: Standard output and standard error.
    """

    example: Example
    code: int
    output: str

    def problem(self) -> str:
        """Returns what differs from the page; empty if nothing does."""
        if (self.code != 0) is not self.example.must_fail:
            return f"{self.example.code}\n-- exit code {self.code}\n{self.output}"
        if self.example.output is None or normalized(self.output) == normalized(self.example.output):
            return ""
        return f"{self.example.code}\n-- printed\n{self.output}\n-- but the page shows\n{self.example.output}"


def examples(page: Path) -> list[Example]:
    """Returns the examples of a page in order."""
    return [Example(match[1], match[2], match[3]) for match in _BLOCK.finditer(page.read_text())]


def run_examples(page: Path, address: str, scratch: Path) -> list[Run]:
    """Runs the examples of a page in order, in the project's folder.

    Args:
        page: The page.
        address: The server to use instead of 127.0.0.1:50051.
        scratch: A folder for files.

    Returns:
        A run for each example.
    """
    page_examples = examples(page)
    lines = ["set -uo pipefail\n"]
    session = f"print({_SEPARATOR!r})\n".join(
        example.code for example in page_examples if example.language == "python session"
    )
    for number, example in enumerate(page_examples):
        if example.language == "python session" and session:
            lines.append(_shell(_python(session, "session", address, scratch), "session", scratch))
            session = ""
        elif example.language == "python":
            lines.append(_shell(_python(example.code, str(number), address, scratch), str(number), scratch))
        elif example.language == "sh":
            code = example.code.replace(ADDRESS, address)
            lines.append(_shell(code.replace("walk-through.sh", f"walk-through.sh {address}"), str(number), scratch))
    script = scratch / "examples.sh"
    script.write_text("".join(lines))
    require_tool("grpcurl")
    completed = subprocess.run(
        ["bash", str(script)],
        cwd=PROJECT,
        env=clean_environment(PATH=f"{SCRIPTS}:{clean_environment()['PATH']}"),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert not completed.stderr, completed.stderr
    return _runs(page_examples, address, scratch)


def problems(page: Path, address: str, scratch: Path) -> str:
    """Runs the examples of a page, and returns what differs from the page; empty if nothing does."""
    return "\n\n".join(filter(None, (run.problem() for run in run_examples(page, address, scratch))))


def update(page: Path, address: str, scratch: Path) -> None:
    """Runs the examples of a page, and writes the outputs that differ into the page."""
    runs = iter(run_examples(page, address, scratch))

    def block(match: re.Match[str]) -> str:
        run, text = next(runs), match[0]
        if match[3] is None or normalized(run.output) == normalized(match[3]):
            return text
        return text[: match.start(3) - match.start()] + run.output.strip() + "\n```\n"

    page.write_text(_BLOCK.sub(block, page.read_text()))


def normalized(text: str) -> str:
    """Replaces what differs from run to run: times, versions, UUIDs and delays."""
    for pattern, name in _VARYING.items():
        text = re.sub(pattern, name, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _python(code: str, name: str, address: str, scratch: Path) -> str:
    file = scratch / f"{name}.py"
    file.write_text(code.replace(ADDRESS, address))
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(file))}\n"


def _shell(code: str, name: str, scratch: Path) -> str:
    target = shlex.quote(str(scratch / name))
    return f"{{\n{code}}} >{target}.out 2>&1 </dev/null; echo $? >{target}.code\n"


def _runs(page_examples: list[Example], address: str, scratch: Path) -> list[Run]:
    def read(name: str) -> tuple[int, str]:
        output = (scratch / f"{name}.out").read_text().replace(address, ADDRESS)
        return int((scratch / f"{name}.code").read_text()), output

    runs = []
    session = iter(read("session")[1].split(f"{_SEPARATOR}\n")) if (scratch / "session.code").exists() else iter(())
    for number, example in enumerate(page_examples):
        if example.language != "python session":
            runs.append(Run(example, *read(str(number))))
        else:
            output = next(session, None)
            failed = output is None or "Traceback (most recent call last)" in output
            runs.append(Run(example, int(failed), output or ""))
    return runs
