"""Messages whose name starts with Test are not tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cloudfront_facade.v1 import function_service_pb2

NAMES = sorted(name for name in function_service_pb2.DESCRIPTOR.message_types_by_name if name.startswith("Test"))


def test_pytest_does_not_collect_messages_whose_name_starts_with_test(tmp_path: Path) -> None:
    assert {"TestFunctionRequest", "TestResult"} <= set(NAMES)
    file = tmp_path / "test_messages.py"
    file.write_text(
        f"from cloudfront_facade.v1.function_service_pb2 import {', '.join(NAMES)}\n\n\n"
        "def test_a_message_can_be_created():\n"
        "    assert TestFunctionRequest(name='rewrite').name == 'rewrite'\n"
    )
    completed = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", "-q", file.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert completed.stdout.splitlines()[-1].startswith("1 passed"), completed.stdout
