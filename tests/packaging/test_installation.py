"""Installing the wheels, and the root of the checkout, into a separate environment."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from support.distributions import Built
from support.process import clean_environment, unmeasured_environment


class Environment:
    """A virtual environment without pip. With `dependencies`, it sees the packages of this one, except the checkout."""

    def __init__(self, folder: Path, *, dependencies: bool) -> None:
        venv.create(folder, symlinks=True)
        self.python = folder / "bin" / "python"
        paths = {"base": str(folder), "platbase": str(folder)}
        self.site_packages = Path(sysconfig.get_path("purelib", vars=paths))
        if dependencies:
            # The .pth files of a folder that a .pth file adds are not read, so the checkout stays out.
            (self.site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))

    def install(self, *paths: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *(sys.executable, "-m", "pip", "--python", str(self.python), "install"),
                *("--quiet", "--no-deps", "--no-index", "--no-color", *map(str, paths)),
            ],
            env=unmeasured_environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.python.parent / command[0]), *command[1:]],
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def installed(folder: Path, *built: Built, dependencies: bool = False) -> Environment:
    environment = Environment(folder, dependencies=dependencies)
    completed = environment.install(*(distribution.wheel for distribution in built))
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return environment


def test_the_client_alone_has_the_command_which_names_the_servers_distribution(client: Built, tmp_path: Path) -> None:
    environment = installed(tmp_path, client)
    version = environment.run("cloudfront-facade", "--version")
    assert (version.stdout, version.stderr) == (f"cloudfront-facade {client.metadata['Version']}\n", "")
    for command in ("serve", "health", "sanity"):
        completed = environment.run("cloudfront-facade", command, "--help")
        assert (completed.returncode, completed.stdout, completed.stderr) == (
            1,
            "",
            f'cloudfront-facade: the command "{command}" needs the server; in a checkout: pip install ./server\n',
        )


def test_the_client_works_with_only_its_dependencies(client: Built, tmp_path: Path) -> None:
    environment = installed(tmp_path, client, dependencies=True)
    script = "import cloudfront_facade as c; c.connect('127.0.0.1:1').close(); print(c.__file__, c.__version__)"
    completed = environment.run("python", "-c", script)
    assert completed.returncode == 0, completed.stderr
    file, version = completed.stdout.split()
    assert Path(file).is_relative_to(environment.site_packages)
    assert version == client.metadata["Version"]


def test_the_server_adds_its_commands(client: Built, server: Built, tmp_path: Path) -> None:
    environment = installed(tmp_path, client, server, dependencies=True)
    for command in (["cloudfront-facade"], ["python", "-m", "cloudfront_facade_server"]):
        version = environment.run(*command, "--version")
        assert version.stdout == f"cloudfront-facade {server.metadata['Version']}\n", version.stderr
        usage = environment.run(*command, "--help").stdout
        assert "needs" not in usage
        unhealthy = environment.run(*command, "health", "--target", "127.0.0.1:1")
        assert (unhealthy.returncode, unhealthy.stderr) == (1, "")
        assert unhealthy.stdout.startswith("127.0.0.1:1: UNAVAILABLE: ")
    assert "--backend" in environment.run("cloudfront-facade", "serve", "--help").stdout
    module_file = environment.run(
        "python", "-c", "import cloudfront_facade_server as s; print(s.__file__)"
    ).stdout.strip()
    assert Path(module_file).is_relative_to(environment.site_packages)


def test_an_sdist_can_be_installed(built: Built, tmp_path: Path) -> None:
    environment = Environment(tmp_path, dependencies=False)
    completed = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"),
            *("--target", str(environment.site_packages), str(built.sdist)),
        ],
        env=unmeasured_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    script = "from importlib.metadata import version; import sys; print(version(sys.argv[1]))"
    version = environment.run("python", "-c", script, built.metadata["Name"])
    assert version.stdout == f"{built.metadata['Version']}\n", version.stderr
    assert (environment.site_packages / built.package / "py.typed").exists()


@pytest.mark.parametrize("options", [[], ["--editable"]])
def test_installing_the_root_fails_and_names_what_to_install(options: list[str], tmp_path: Path, project: Path) -> None:
    root = tmp_path / "root"
    (root / "scripts").mkdir(parents=True)
    for name in ("pyproject.toml", "scripts/root_build_backend.py"):
        (root / name).write_bytes((project / name).read_bytes())
    completed = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", *options, str(root)],
        env=unmeasured_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert completed.returncode == 1
    output = completed.stdout + completed.stderr
    line = "For the client: pip install ./clients/python. For the server too: pip install ./clients/python ./server"
    assert any(text.strip().endswith(line) for text in output.splitlines()), output
    assert "Traceback" not in output
