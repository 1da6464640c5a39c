"""Builds the distributions, without network access."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path

from .process import unmeasured_environment


@dataclass(frozen=True)
class Built:
    """The files of a distribution by their paths, without the top folder of the sdist.

    Attributes:
        source: The folder with its pyproject.toml.
        package: The name of its import package.
        sdist: The source distribution.
        wheel: The wheel that was built from the sdist.
        sdist_files: The files of the sdist.
        wheel_files: The files of the wheel.
        direct_files: The files of a wheel that was built from the checkout.
    """

    source: Path
    package: str
    sdist: Path
    wheel: Path
    sdist_files: dict[str, bytes]
    wheel_files: dict[str, bytes]
    direct_files: dict[str, bytes]

    @property
    def metadata(self) -> Message:
        """The core metadata of the wheel."""
        [name] = [name for name in self.wheel_files if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(self.wheel_files[name])


def _run_build(source: Path, output: Path, *options: str) -> None:
    completed = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(output), *options, str(source)],
        env=unmeasured_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr


def _read_wheel(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist()}


def _read_sdist(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as sdist:
        files = {member.name: sdist.extractfile(member) for member in sdist.getmembers() if member.isfile()}
        assert {name.partition("/")[0] for name in files} == {path.name.removesuffix(".tar.gz")}
        return {name.partition("/")[2]: file.read() for name, file in files.items() if file}


def build(source: Path, package: str, output: Path) -> Built:
    """Builds the sdist, the wheel from it, and a wheel from the checkout."""
    _run_build(source, output)
    _run_build(source, output / "direct", "--wheel")
    [sdist], [wheel] = output.glob("*.tar.gz"), output.glob("*.whl")
    return Built(
        source,
        package,
        sdist,
        wheel,
        _read_sdist(sdist),
        _read_wheel(wheel),
        _read_wheel(output / "direct" / wheel.name),
    )
