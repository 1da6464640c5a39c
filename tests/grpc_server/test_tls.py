"""TLS and mutual TLS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives import serialization

import cloudfront_facade
from support.facade import failing, function, open_channel
from support.process import EMBEDDED, FacadeProcess, run_command


def test_tls_serves_clients_and_rejects_plaintext(certificates: dict[str, Path]) -> None:
    tls = ("--tls-cert", str(certificates["server_cert"]), "--tls-key", str(certificates["server_key"]))
    with FacadeProcess(*EMBEDDED, *tls, "--listen", "0.0.0.0:0") as process:
        port = process.address.rpartition(":")[2]
        with cloudfront_facade.connect(f"localhost:{port}", tls=cloudfront_facade.TLS(ca=certificates["ca"])) as client:
            assert client.functions.CreateFunction(function()).etag
        with open_channel(f"127.0.0.1:{port}") as channel:
            failure = failing(channel.unary_unary("/grpc.health.v1.Health/Check"), b"", timeout=5)
            assert failure.code is grpc.StatusCode.UNAVAILABLE
        healthy = run_command("health", "--target", f"127.0.0.1:{port}", "--tls-ca", str(certificates["ca"]))
        assert (healthy.returncode, healthy.stdout) == (0, "SERVING\n")
    assert not [line for line in process.lines if "text" in line], "no traceback or library message may be logged"


def test_mutual_tls_accepts_only_certificates_of_its_authority(certificates: dict[str, Path]) -> None:
    tls = ("--tls-cert", str(certificates["server_cert"]), "--tls-key", str(certificates["server_key"]))
    with FacadeProcess(*EMBEDDED, *tls, "--tls-client-ca", str(certificates["ca"])) as process:
        address = process.address.replace("127.0.0.1", "localhost")

        def call(certificate: str | None) -> Any:
            identity = cloudfront_facade.TLS(
                ca=certificates["ca"],
                certificate=certificates[f"{certificate}_cert"] if certificate else None,
                key=certificates[f"{certificate}_key"] if certificate else None,
            )
            with cloudfront_facade.connect(address, tls=identity, retry=False) as client:
                return client.functions.CreateFunction(function(validate_only=True), timeout=5)

        call("client")
        for certificate in (None, "foreign"):
            with pytest.raises(cloudfront_facade.FacadeError) as rejected:
                call(certificate)
            assert rejected.value.code() is grpc.StatusCode.UNAVAILABLE
        health = ("health", "--target", address, "--tls-ca", str(certificates["ca"]))
        client = ("--tls-cert", str(certificates["client_cert"]), "--tls-key", str(certificates["client_key"]))
        assert run_command(*health, *client).returncode == 0
        assert run_command(*health).returncode == 1


def test_invalid_tls_files_of_a_client_are_named_in_one_line(certificates: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    health = ("health", "--target", "127.0.0.1:1")
    sanity = ("sanity", "--target", "127.0.0.1:1", "--i-may-create-and-delete")
    ca = ("--tls-ca", str(certificates["ca"]))
    key = ("--tls-cert", str(certificates["client_cert"]), "--tls-key", str(certificates["server_key"]))
    for command, error in (
        ((*health, "--tls-ca", str(broken)), f'--tls-ca "{broken}" is not PEM: it has no -----BEGIN line'),
        ((*sanity, "--tls-ca", str(broken)), f'--tls-ca "{broken}" is not PEM: it has no -----BEGIN line'),
        ((*health, *ca, *key), f'--tls-key "{key[3]}" is not the key of certificate "{key[1]}"'),
    ):
        completed = run_command(*command)
        assert (completed.returncode, completed.stdout) == (1, "")
        assert completed.stderr == f"cloudfront-facade: {error}\n"


def test_invalid_tls_files_stop_the_start(certificates: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    for cert, key in (
        (broken, certificates["server_key"]),
        (certificates["server_cert"], certificates["client_key"]),
    ):
        completed = run_command("serve", *EMBEDDED, "--tls-cert", str(cert), "--tls-key", str(key))
        assert completed.returncode == 1
        assert "the TLS files cannot be used" in completed.stderr
        assert completed.stderr.count("\n") == 1


def test_encrypted_key_is_rejected_without_a_passphrase_prompt(certificates: dict[str, Path], tmp_path: Path) -> None:
    key = serialization.load_pem_private_key(certificates["server_key"].read_bytes(), password=None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    completed = run_command(
        "serve", *EMBEDDED, "--tls-cert", str(certificates["server_cert"]), "--tls-key", str(locked)
    )
    assert completed.returncode == 1
    assert "the TLS files cannot be used" in completed.stderr
    assert "or one with a passphrase, which is not supported" in completed.stderr
    assert completed.stderr.count("\n") == 1
