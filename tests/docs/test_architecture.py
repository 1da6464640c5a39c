"""Files, symbols and packages that docs/explanation names exist in the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from support.markdown import PROJECT

from .pages import DOCS, name_of

SERVER = PROJECT / "server" / "cloudfront_facade_server"
ARCHITECTURE = (DOCS / "explanation" / "architecture.md").read_text()
WALKS = re.findall(r"^\| `([\w/.]+\.(?:py|proto))` \| `([\w.]+)` \| ", ARCHITECTURE, re.MULTILINE)
PAGES = sorted((DOCS / "explanation").rglob("*.md"))


def resolve(path: str) -> Path:
    """Returns the file or folder that a path on a page refers to, below the server's package or the root."""
    return SERVER / path if (SERVER / path).exists() else PROJECT / path


def defined_names(file: Path) -> set[str]:
    """Returns the names that a file defines, and `Class.method` for methods."""
    if file.suffix == ".proto":
        return set(re.findall(r"^(?:message|enum|service) (\w+)", file.read_text(), re.MULTILINE))
    names = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.ClassDef):
            names |= {
                f"{node.name}.{member.name}"
                for member in node.body
                if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef))
            }
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize(("path", "symbol"), WALKS, ids=[f"{path}:{symbol}" for path, symbol in WALKS])
def test_each_step_of_a_walk_exists_in_the_code(path: str, symbol: str) -> None:
    assert symbol in defined_names(resolve(path))


def test_walks_name_each_file_once() -> None:
    paths = [path for path, _ in WALKS]
    assert len(paths) > 30
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_paths_of_a_page_exist(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for path in re.findall(r"`([\w-]+(?:/[\w.-]+)*(?:\.(?:py|proto)|/))`", text):
        assert resolve(path).exists(), path


def test_the_table_of_packages_is_complete() -> None:
    packages = {file.parent.relative_to(SERVER).as_posix() for file in SERVER.rglob("__init__.py")} - {"."}
    listed = {path.rstrip("/") for path in re.findall(r"^\| `([\w/]+/)` \| ", ARCHITECTURE, re.MULTILINE)}
    assert {package for package in packages if package not in listed} == {
        "backends",
        "function_runtime/sandbox",
        "upstream/diagnostics",
    }
