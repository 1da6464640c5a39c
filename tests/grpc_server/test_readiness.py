"""A server that waits for AWS credentials."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

from support.cloudfront.fixtures import AWS_VARIABLES
from support.process import FacadeProcess, run_command


def test_a_server_without_credentials_runs_and_is_not_serving() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}/credentials"
        variables = {name: value for name, value in AWS_VARIABLES.items() if "KEY" not in name}
        variables |= {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint,
            "AWS_ACCESS_KEY_ID": "",
            "AWS_SECRET_ACCESS_KEY": "",
            "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "1",
        }
        process = FacadeProcess("--backend", "aws", "--drain-delay", "0", environment=variables)
        waiting = process.wait_for("waiting for AWS credentials", timeout=30)
        checked = run_command("health", "--target", waiting["listen"])
        assert (checked.returncode, checked.stdout) == (1, "NOT_SERVING\n")
        process.signal(signal.SIGTERM)
        assert process.wait() == 0


def test_a_hanging_credential_process_delays_neither_start_nor_shutdown(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\ncredential_process = sleep 60\n")
    variables = {"AWS_CONFIG_FILE": str(config), "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    process = FacadeProcess("--backend", "aws", "--drain-delay", "0", environment=variables)
    waiting = process.wait_for("waiting for AWS credentials", timeout=20)
    assert waiting["reason"] == "the credential source has not responded yet"
    checked = run_command("health", "--target", waiting["listen"])
    assert (checked.returncode, checked.stdout) == (1, "NOT_SERVING\n")
    process.signal(signal.SIGTERM)
    assert process.wait(5) == 0
