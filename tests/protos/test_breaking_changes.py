"""`make lint` fails if a commit breaks the contract of the last release."""

from __future__ import annotations

from pathlib import Path

import pytest

from protos.checkout import Checkout
from support.tools import require_tool

V1 = "protos/cloudfront_facade/v1"

BREAKS = {
    "deleted rpc": (
        f"{V1}/function_service.proto",
        "  rpc DeleteFunction(DeleteFunctionRequest) returns (DeleteFunctionResponse);\n",
        "",
        'Previously present RPC "DeleteFunction"',
    ),
    "changed field number": (
        f"{V1}/tag.proto",
        "optional string value = 2;",
        "optional string value = 3;",
        'Previously present field "2"',
    ),
    "changed field type": (
        f"{V1}/key_value_store_data_service.proto",
        "  int64 applied_changes = 1;",
        "  int32 applied_changes = 1;",
        'changed type from "int64" to "int32"',
    ),
}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    require_tool("npm")
    return Checkout(tmp_path)


def test_a_contract_without_changes_passes(checkout: Checkout) -> None:
    completed = checkout.make("buf")
    assert (completed.returncode, completed.stdout) == (0, "")


@pytest.mark.parametrize(("name", "old", "new", "finding"), BREAKS.values(), ids=BREAKS)
def test_a_committed_breaking_change_fails(checkout: Checkout, name: str, old: str, new: str, finding: str) -> None:
    checkout.edit(name, old, new)
    checkout.commit()
    # The environment and the generated code are not part of this checkout: `-o` takes them for current.
    completed = checkout.make("lint", "-o", "proto-check", "-o", ".venv/.dev")
    assert completed.returncode != 0
    assert finding in completed.stdout


def test_an_added_field_passes(checkout: Checkout) -> None:
    checkout.edit(
        f"{V1}/tag.proto",
        "  optional string value = 2;",
        "  optional string value = 2;\n\n  // A new field.\n  string note = 3;",
    )
    checkout.commit()
    completed = checkout.make("buf")
    assert (completed.returncode, completed.stdout) == (0, "")
