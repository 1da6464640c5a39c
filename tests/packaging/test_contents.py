"""The contents of the wheels and the source distributions."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.distributions import Built
from support.process import unmeasured_environment

DIST_INFO = {"METADATA", "RECORD", "WHEEL", "licenses/LICENSE", "entry_points.txt"}
SDIST_ONLY = {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml", ".gitignore"}
"""Files of each sdist besides the package and the protos. hatchling needs .gitignore to select the same files again."""


def files_below(folder: Path, root: Path) -> dict[str, bytes]:
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_a_wheel_contains_only_its_package(built: Built) -> None:
    dist_info = f"{built.package}-{built.metadata['Version']}.dist-info"
    expected = files_below(built.source / built.package, built.source)
    assert set(built.wheel_files) == set(expected) | {f"{dist_info}/{name}" for name in DIST_INFO}
    assert {name: content for name, content in built.wheel_files.items() if name in expected} == expected
    assert f"{built.package}/py.typed" in expected


def test_the_wheels_do_not_share_files(client: Built, server: Built) -> None:
    assert set(client.wheel_files) & set(server.wheel_files) == set()


def test_an_sdist_contains_only_its_package_and_the_protos(built: Built, project: Path) -> None:
    expected = files_below(built.source / built.package, built.source) | files_below(project / "protos", project)
    extra = {"hatch_build.py"} if built.package.endswith("server") else {"examples/walk_through.py"}
    assert set(built.sdist_files) == set(expected) | SDIST_ONLY | extra
    assert {name: content for name, content in built.sdist_files.items() if name in expected} == expected
    assert "protos/cloudfront_facade/v1/function_service.proto" in expected


def test_the_server_ships_the_descriptor_set(server: Built) -> None:
    name = "cloudfront_facade_server/descriptors.binpb"
    assert server.wheel_files[name] == server.sdist_files[name] != b""


def test_wheels_from_the_sdist_and_from_the_checkout_are_equal(built: Built) -> None:
    assert built.wheel_files == built.direct_files


def test_the_licence_is_in_every_distribution(built: Built, project: Path) -> None:
    licence = (project / "LICENSE").read_bytes()
    [name] = [name for name in built.wheel_files if name.endswith("licenses/LICENSE")]
    assert built.wheel_files[name] == built.sdist_files["LICENSE"] == licence


def test_the_metadata_is_complete(built: Built) -> None:
    metadata = built.metadata
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Author"] == "CloudFront Facade maintainers"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata["Keywords"]
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])
    assert "Project-URL" not in metadata
    assert b"".join(built.wheel_files[name] for name in built.wheel_files if name.endswith("METADATA")).count(
        (built.source / "README.md").read_bytes()
    )


def test_the_server_has_the_clients_version_and_requires_it(client: Built, server: Built) -> None:
    version = client.metadata["Version"]
    assert server.metadata["Version"] == version
    assert f"cloudfront-facade=={version}" in server.metadata.get_all("Requires-Dist", [])
    assert re.findall(r'^version = "(.*)"$', (client.source / "pyproject.toml").read_text(), re.MULTILINE) == [version]
    assert not re.search(r"^version\b", (server.source / "pyproject.toml").read_text(), re.MULTILINE)


def test_the_client_does_not_require_the_servers_dependencies(client: Built) -> None:
    names = {re.split(r"[^\w-]", requirement)[0] for requirement in client.metadata.get_all("Requires-Dist", [])}
    assert names == {"googleapis-common-protos", "grpcio", "grpcio-status", "protobuf", "rich"}


def test_the_distributions_pass_twine_check(client: Built, server: Built) -> None:
    files = [str(file) for built in (client, server) for file in (built.sdist, built.wheel)]
    completed = subprocess.run(
        [sys.executable, "-m", "twine", "--no-color", "check", "--strict", *files],
        env=unmeasured_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert completed.stdout.count("PASSED") == len(files)


def test_the_long_description_has_no_relative_links(built: Built) -> None:
    text = (built.source / "README.md").read_text()
    links = re.findall(r"\]\(([^)]+)\)|^\[[^\]]+\]: *(\S+)|(?:src|href)=\"([^\"]+)\"", text, re.MULTILINE)
    assert [link for link in map("".join, links) if not link.startswith(("https://", "#"))] == []


@pytest.mark.parametrize("package", ["clients/python", "server"])
def test_each_distribution_has_the_licence_of_the_checkout(package: str, project: Path) -> None:
    assert (project / package / "LICENSE").read_bytes() == (project / "LICENSE").read_bytes()
