"""Sets the version of the server's distribution to the client's, and makes it depend on exactly that client."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class CustomMetadataHook(MetadataHookInterface):
    """Reads the version from the client's pyproject.toml. An sdist has the result in its PKG-INFO instead."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Sets `version` and `dependencies`."""
        client = Path(self.root).parent / "clients" / "python" / "pyproject.toml"
        version = tomllib.loads(client.read_text(encoding="utf-8"))["project"]["version"]
        metadata["version"] = version
        metadata["dependencies"] = [f"cloudfront-facade=={version}", *self.config["dependencies"]]
