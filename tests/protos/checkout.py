"""A minimal copy of the checkout in which `make` can run the checks of the contract."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from protos.descriptors import PROJECT
from support.tools import require_tool

STAMPS: Final = ".make"
GIT: Final = ("git", "-c", "user.name=test", "-c", "user.email=test@localhost")


class Checkout:
    """A git repository with the Makefile and the protos of this checkout. It shares this checkout's installed tools.

    Args:
        folder: An empty folder for the repository.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tools = PROJECT / STAMPS
        self._tools.mkdir(exist_ok=True)
        shutil.copy(PROJECT / "Makefile", folder)
        shutil.copytree(PROJECT / "protos", folder / "protos")
        shutil.copytree(PROJECT / "requirements" / "buf", folder / "requirements" / "buf")
        (folder / STAMPS).symlink_to(self._tools)
        (folder / ".gitignore").write_text(f"/{STAMPS}\n")
        self._git("init", "--quiet")
        self.commit()

    def edit(self, name: str, old: str, new: str) -> None:
        """Replaces the only occurrence of a text in a file."""
        path = self.folder / name
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} in {name}"
        path.write_text(text.replace(old, new))

    def commit(self) -> None:
        """Commits every file."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "Change the contract")

    def make(self, *arguments: str, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Runs make, with one process at a time on this machine, because it may install a tool."""
        variables = os.environ if variables is None else variables
        with (self._tools / "tests.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return subprocess.run(
                [require_tool("make"), "--no-print-directory", *arguments],
                cwd=self.folder,
                # The variables of a parent make, such as its flags, must not apply.
                env={name: value for name, value in variables.items() if not name.startswith(("MAKE", "MFLAGS"))},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=100,
                check=False,
            )

    def _git(self, *arguments: str) -> None:
        subprocess.run([*GIT, *arguments], cwd=self.folder, check=True)
