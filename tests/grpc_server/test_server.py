"""The edge of a real server process: addresses, TLS, health, reflection, the log and the commands."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives import serialization
from grpc_health.v1 import health_pb2

import cloudfront_facade
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from support.certificates import write_certificates
from support.cloudfront.fixtures import AWS_VARIABLES
from support.facade import REQUEST_ID, failing, function, open_channel
from support.process import COMMAND, EMBEDDED, FacadeProcess, clean_environment, run_command
from support.tools import grpcurl


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_certificates(tmp_path_factory.mktemp("certificates"))


def test_the_same_port_twice_fails_with_one_clear_line(facade_address: str) -> None:
    second = run_command("serve", *EMBEDDED, "--listen", facade_address)
    assert second.returncode == 1
    assert second.stderr == (f"cloudfront-facade: cannot listen on {facade_address}: address already in use\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "--backend must be said"),
        ((*EMBEDDED, "--listen", "0.0.0.0:0"), "say --allow-plaintext"),
        (
            (*EMBEDDED, "--listen", "192.0.2.1:50051", "--allow-plaintext"),
            "cannot listen on 192.0.2.1:50051: cannot assign requested address",
        ),
        ((*EMBEDDED, "--listen", f"unix:/tmp/{'x' * 120}"), "path too long"),
        ((*EMBEDDED[:2], "--embedded-db", "/proc/none/db"), "/proc/none"),
        (("--backend", "aws", "--profile", "nobody"), "profile"),
        (("--backend", "aws", "--listen", "127.0.0.1:0"), "there are no AWS credentials"),
    ],
)
def test_a_server_that_cannot_start_says_why_in_one_line(arguments: tuple[str, ...], says: str) -> None:
    ended = run_command(
        "serve",
        *arguments,
        AWS_CONFIG_FILE="/dev/null",
        AWS_SHARED_CREDENTIALS_FILE="/dev/null",
        AWS_EC2_METADATA_DISABLED="true",
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("cloudfront-facade: ")
    assert ended.stderr.count("\n") == 1
    assert says in ended.stderr


def test_a_unix_socket_serves_is_not_taken_twice_and_is_taken_over_from_the_dead(tmp_path: Path) -> None:
    path = tmp_path / "facade.sock"
    listen = ("--listen", f"unix:{path}")
    with FacadeProcess(*EMBEDDED, *listen) as process:
        assert stat.S_ISSOCK(path.stat().st_mode)
        with cloudfront_facade.connect(f"unix:{path}") as client:
            assert client.functions.CreateFunction(function()).etag
        second = run_command("serve", *EMBEDDED, *listen)
        assert (second.returncode, "in use" in second.stderr) == (1, True)
        process.signal(signal.SIGKILL)
        process.wait()
    with FacadeProcess(*EMBEDDED, *listen), cloudfront_facade.connect(f"unix:{path}") as client:
        assert client.functions.CreateFunction(function()).etag
    path.unlink(missing_ok=True)
    path.write_text("not a socket")
    folderless = run_command("serve", *EMBEDDED, "--listen", f"unix:{tmp_path}/nowhere/facade.sock")
    assert (folderless.returncode, "no such folder" in folderless.stderr) == (1, True)
    third = run_command("serve", *EMBEDDED, *listen)
    assert (third.returncode, "no socket" in third.stderr) == (1, True)
    assert path.read_text() == "not a socket"


def test_tls_serves_the_client_and_refuses_plaintext(certificates: dict[str, Path]) -> None:
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
    assert not [line for line in process.lines if "text" in line], "no traceback, no line of a library"


def test_mutual_tls_lets_only_certificates_of_its_authority_in(certificates: dict[str, Path]) -> None:
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
        for stranger in (None, "foreign"):
            with pytest.raises(cloudfront_facade.FacadeError) as refused:
                call(stranger)
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        health = ("health", "--target", address, "--tls-ca", str(certificates["ca"]))
        client = ("--tls-cert", str(certificates["client_cert"]), "--tls-key", str(certificates["client_key"]))
        assert run_command(*health, *client).returncode == 0
        assert run_command(*health).returncode == 1


def test_tls_files_of_no_use_stop_the_start(certificates: dict[str, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    for cert, key in (
        (broken, certificates["server_key"]),
        (certificates["server_cert"], certificates["client_key"]),
    ):
        ended = run_command("serve", *EMBEDDED, "--tls-cert", str(cert), "--tls-key", str(key))
        assert ended.returncode == 1
        assert "the TLS files cannot be used" in ended.stderr
        assert ended.stderr.count("\n") == 1


def test_a_key_with_a_passphrase_is_refused_without_asking_for_it(
    certificates: dict[str, Path], tmp_path: Path
) -> None:
    key = serialization.load_pem_private_key(certificates["server_key"].read_bytes(), password=None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    ended = run_command("serve", *EMBEDDED, "--tls-cert", str(certificates["server_cert"]), "--tls-key", str(locked))
    assert ended.returncode == 1
    assert "the TLS files cannot be used" in ended.stderr
    assert "passphrase" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_callers_may_ping_a_connection_that_has_no_calls() -> None:
    ping = b"\x00\x00\x08\x06\x00\x00\x00\x00\x00" + b"--ping--"
    with FacadeProcess(*EMBEDDED) as process:
        host, _, port = process.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
            received = b""
            for _ in range(4):
                connection.sendall(ping)
                time.sleep(5.2)
                received += connection.recv(65_536)
            assert received.count(b"--ping--") == 4
            assert b"too_many_pings" not in received


def test_what_does_not_speak_grpc_is_closed_without_a_line_in_the_log(certificates: dict[str, Path]) -> None:
    with FacadeProcess(*EMBEDDED) as process:
        host, _, port = process.address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: facade\r\n\r\n")
            while plain.recv(4096):
                pass
        context = ssl.create_default_context(cafile=str(certificates["ca"]))
        with socket.create_connection((host, int(port)), timeout=5) as plain, pytest.raises(OSError):
            context.wrap_socket(plain, server_hostname="localhost")
        assert run_command("health", "--target", process.address).returncode == 0
    assert not [line for line in process.lines if "text" in line or line.get("level") == "error"]


def test_idle_and_half_open_connections_are_closed(certificates: dict[str, Path]) -> None:
    tls = ("--tls-cert", str(certificates["server_cert"]), "--tls-key", str(certificates["server_key"]))
    with (
        FacadeProcess(*EMBEDDED, "--max-connection-idle", "1") as plain,
        FacadeProcess(*EMBEDDED, *tls, "--handshake-timeout", "1") as secured,
    ):
        idle = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"  # and settings
        for process, content in ((plain, idle), (secured, b"")):
            host, _, port = process.address.rpartition(":")
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                connection.sendall(content)
                while connection.recv(4096):
                    pass  # until the server closes, or the timeout fails the test


def test_health_is_served_for_the_server_and_each_service(facade_address: str) -> None:
    for service in ("", "cloudfront_facade.v1.FunctionService", "cloudfront_facade.v1.KeyValueStoreService"):
        asked = run_command("health", "--target", facade_address, "--service", service)
        assert (asked.returncode, asked.stdout) == (0, "SERVING\n")
    unknown = run_command("health", "--target", facade_address, "--service", "no.such.Service")
    assert unknown.returncode == 1
    assert "NOT_FOUND" in unknown.stdout


def test_health_of_an_address_that_is_none_is_told_in_one_line() -> None:
    asked = run_command("health", CLOUDFRONT_FACADE_LISTEN="bogus")
    assert asked.returncode == 1
    assert asked.stderr == (
        "cloudfront-facade: CLOUDFRONT_FACADE_LISTEN 'bogus': "
        "allowed: HOST:PORT with a port from 0 to 65535, or unix:PATH\n"
    )


def test_a_target_that_is_no_address_is_told_in_one_line() -> None:
    for target in ("50051", "http://127.0.0.1:50051", "127.0.0.1:70000", "unix:"):
        asked = run_command("health", "--target", target)
        assert (asked.returncode, asked.stdout) == (1, "")
        assert asked.stderr.startswith(f"cloudfront-facade: --target {target!r}: ")
        assert asked.stderr.count("\n") == 1


def test_health_of_nobody_is_1_and_its_target_is_where_serve_would_listen(facade_address: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = run_command("health", CLOUDFRONT_FACADE_LISTEN=f"127.0.0.1:{closed.getsockname()[1]}")
    assert nobody.returncode == 1
    assert nobody.stdout.startswith("127.0.0.1:")
    assert "UNAVAILABLE" in nobody.stdout
    assert nobody.stdout.count("\n") == 1
    port = facade_address.rpartition(":")[2]
    assert run_command("health", CLOUDFRONT_FACADE_LISTEN=f"0.0.0.0:{port}").returncode == 0
    assert run_command("health", CLOUDFRONT_FACADE_HEALTH_TARGET=facade_address).returncode == 0


def test_the_health_watch_tells_of_the_end(tmp_path: Path) -> None:
    with FacadeProcess(*EMBEDDED, "--drain-delay", "1") as process, open_channel(process.address) as channel:
        watch = channel.unary_stream(
            "/grpc.health.v1.Health/Watch", response_deserializer=health_pb2.HealthCheckResponse.FromString
        )
        statuses = watch(b"")
        assert next(statuses).status == health_pb2.HealthCheckResponse.SERVING
        cloudfront_facade.connect(process.address).functions.CreateFunction(function())
        process.signal(signal.SIGTERM)
        assert next(statuses).status == health_pb2.HealthCheckResponse.NOT_SERVING


def test_a_server_whose_credentials_do_not_answer_yet_runs_and_is_not_serving() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}/credentials"
        variables = {name: value for name, value in AWS_VARIABLES.items() if "KEY" not in name}
        process = FacadeProcess(
            "--backend", "aws", environment={**variables, "AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint,
                                             "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "",
                                             "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "1"})  # fmt: skip
        waiting = process.wait_for("waiting for AWS credentials", timeout=30)
        asked = run_command("health", "--target", waiting["listen"])
        assert (asked.returncode, asked.stdout) == (1, "NOT_SERVING\n")
        process.signal(signal.SIGTERM)
        assert process.wait() == 0


def test_credentials_that_never_come_hold_up_neither_the_start_nor_the_end(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\ncredential_process = sleep 60\n")
    variables = {"AWS_CONFIG_FILE": str(config), "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    process = FacadeProcess("--backend", "aws", "--drain-delay", "0", environment=variables)
    waiting = process.wait_for("waiting for AWS credentials", timeout=20)
    assert waiting["reason"] == "their source has not answered yet"
    asked = run_command("health", "--target", waiting["listen"])
    assert (asked.returncode, asked.stdout) == (1, "NOT_SERVING\n")
    process.signal(signal.SIGTERM)
    assert process.wait(5) == 0


def test_a_connection_gets_no_more_streams_than_it_may_have() -> None:
    with (
        FacadeProcess(*EMBEDDED, "--max-concurrent-streams", "2") as process,
        open_channel(process.address, use_local_subchannel_pool=1) as channel,
    ):
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch")
        watching = [watch(b"") for _ in range(2)]
        assert all(next(each) for each in watching)
        third = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert failing(third, b"", timeout=0.5).code is grpc.StatusCode.DEADLINE_EXCEEDED
        watching[0].cancel()
        assert third(b"", timeout=5)


def test_a_log_that_cannot_be_written_changes_no_answer() -> None:
    command = [*COMMAND, "serve", *EMBEDDED, "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(command, env=clean_environment(), stderr=subprocess.PIPE, text=True)
    assert process.stderr
    with process.stderr as log:
        address = next(line["listen"] for line in map(json.loads, log) if line.get("event") == "serving")
    with open_channel(address) as channel:
        functions = FunctionServiceStub(channel)
        assert functions.CreateFunction(function(), timeout=10).etag
        assert failing(functions.CreateFunction, function("no name"), timeout=10).reason == "VALIDATION_FAILED"
    process.send_signal(signal.SIGTERM)
    process.wait(10)


def test_a_log_that_nobody_reads_keeps_no_answer_back_and_tells_what_was_lost() -> None:
    command = [*COMMAND, "serve", *EMBEDDED, "--listen", "127.0.0.1:0", "--log-format", "json"]
    process = subprocess.Popen(command, env=clean_environment(), stderr=subprocess.PIPE)
    assert process.stderr
    with process.stderr as log:
        fcntl.fcntl(log, fcntl.F_SETPIPE_SZ, 16_384)
        address = next(line["listen"] for line in map(json.loads, log) if line.get("event") == "serving")
        answered = 200
        with open_channel(address) as channel:
            functions = FunctionServiceStub(channel)
            for number in range(answered):
                failure = failing(functions.CreateFunction, function(f"no name {number}"), timeout=5)
                assert failure.reason == "VALIDATION_FAILED"
            assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=5) == b"\x08\x01"
            assert functions.CreateFunction(function(), timeout=5).etag

            os.set_blocking(log.fileno(), False)
            kept = log.read() or b""
            assert failing(functions.CreateFunction, function("no name"), timeout=5).reason == "VALIDATION_FAILED"
            written, ends = b"", time.monotonic() + 5
            while written.count(b"\n") < 2 and time.monotonic() < ends:
                written += log.read() or b""
                time.sleep(0.01)
        told, next_one = map(json.loads, written.splitlines())
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    kept_lines = [line for line in map(json.loads, kept.splitlines()) if line["event"] == "rpc"]
    assert (told["event"], told["count"]) == ("log lines lost", answered + 1 - len(kept_lines))
    assert (next_one["event"], next_one["reason"]) == ("rpc", "VALIDATION_FAILED")


def test_streams_that_are_no_calls_do_not_hold_up_the_end() -> None:
    with FacadeProcess(*EMBEDDED, "--shutdown-grace-period", "30") as process, open_channel(process.address) as channel:
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"")
        next(watch)
        ended = threading.Event()
        silent = channel.stream_unary("/cloudfront_facade.v1.FunctionService/CreateFunction")
        silent.future(iter(lambda: ended.wait(60) and b"", True))
        started = time.monotonic()
        process.signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - started < 4
        ended.set()


def test_callers_that_go_away_leave_one_line_each_at_most_and_no_error() -> None:
    with FacadeProcess(*EMBEDDED) as process, open_channel(process.address) as channel:
        functions = FunctionServiceStub(channel)
        seen = 0
        for number in range(300):
            calls = [functions.CreateFunction.future(function(f"f{number}"), timeout=5) for _ in range(4)]
            time.sleep(number % 7 / 2000)
            for call in calls:
                call.cancel()
            seen += sum(1 for call in calls if call.code() is not grpc.StatusCode.CANCELLED)
    # Some went before the server heard of them: those have no line.
    rpcs = [line["status"] for line in process.lines if line["event"] == "rpc"]
    assert seen <= len(rpcs) <= 1200
    assert set(rpcs) <= {"OK", "ALREADY_EXISTS", "CANCELLED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"}
    assert rpcs.count("OK") <= 300
    assert {line.get("event") for line in process.lines} <= {
        "rpc", "serving", "draining", "stopped", "the embedded backend is not CloudFront: nothing leaves this machine"
    }  # fmt: skip
    assert not [line for line in process.lines if "text" in line or line.get("level") == "error"]


def test_reflection_lists_the_services_as_v1_and_v1alpha(facade_address: str) -> None:
    listed = grpcurl(facade_address, "list").stdout.split()
    assert listed == [
        "cloudfront_facade.v1.FunctionService",
        "cloudfront_facade.v1.KeyValueStoreDataService",
        "cloudfront_facade.v1.KeyValueStoreService",
        "cloudfront_facade.v1.TagService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ]
    # field 7 of the request: list_services; the messages of both versions are the same
    with open_channel(facade_address) as channel:
        answers = {
            version: b"".join(
                channel.stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo")(
                    iter([b"\x3a\x00"])
                )
            )
            for version in ("v1", "v1alpha")
        }
    assert answers["v1"] == answers["v1alpha"]
    assert b"cloudfront_facade.v1.FunctionService" in answers["v1"]


def test_what_reflection_and_health_cannot_read_is_refused_without_a_word_of_the_library(facade_address: str) -> None:
    with open_channel(facade_address) as channel:
        reflection = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
        for broken in (
            failing(channel.unary_unary("/grpc.health.v1.Health/Check"), b"\xff"),
            failing(lambda: list(reflection(iter([b"\xff"])))),
            failing(lambda: list(channel.unary_stream("/grpc.health.v1.Health/Watch")(b"\xff"))),
        ):
            assert broken.code is grpc.StatusCode.INVALID_ARGUMENT
            assert broken.reason == "VALIDATION_FAILED"
            assert "bytes are no message" in broken.message


def test_reflection_can_be_switched_off() -> None:
    with FacadeProcess(*EMBEDDED, "--no-reflection") as process:
        listed = grpcurl(process.address, "list")
        assert listed.returncode != 0
        assert "reflection" in listed.stderr


def test_the_log_has_one_json_line_for_each_rpc_and_none_of_its_content(facade_process: FacadeProcess) -> None:
    before = len(facade_process.lines)
    request = function("logged", request_id=REQUEST_ID, function_code=b"a secret of the code")
    with open_channel(facade_process.address) as channel:
        create = channel.unary_unary("/cloudfront_facade.v1.FunctionService/CreateFunction")
        create(request.SerializeToString())
        refused = function("not a name", function_code=b"a secret of the code")
        failing(create, refused.SerializeToString())

    while len(lines := facade_process.lines[before:]) < 2:
        facade_process.wait_for("rpc", timeout=5)
    assert {"method", "caller", "status", "duration_ms", "outcome", "timestamp", "level"} <= set(lines[0])
    assert [(line["event"], line["status"]) for line in lines] == [("rpc", "OK"), ("rpc", "INVALID_ARGUMENT")]
    assert lines[0]["aws_request_id"]
    assert lines[1]["reason"] == "VALIDATION_FAILED"
    written = json.dumps(facade_process.lines)
    assert "secret" not in written
    assert "000000000000" not in written


def test_only_the_client_installed_is_said_in_one_line(tmp_path: Path) -> None:
    blocker = tmp_path / "sitecustomize.py"
    blocker.write_text(
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('pydantic', 'pydantic_settings', 'structlog', 'boto3', 'botocore'):\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Block())\n"
    )
    ended = run_command("serve", PYTHONPATH=str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr == "cloudfront-facade: the server needs the extra: pip install '.[server]'\n"
