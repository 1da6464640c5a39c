"""Rolling restarts of two replicas under load: callers notice nothing, whatever balances their calls."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from cloudfront_facade import Client, FacadeError, connect
from cloudfront_facade.v1.function_service_pb2 import DeleteFunctionRequest, DescribeFunctionRequest
from cloudfront_facade.v1.key_value_store_service_pb2 import (
    CreateKeyValueStoreRequest,
    DescribeKeyValueStoreRequest,
    ListKeyValueStoresRequest,
)
from support.facade import function, open_channel
from support.process import FacadeProcess
from support.tools import skip_or_fail
from support.waiting import wait_until

RESTARTS = 12
READERS = 1
CREATORS = 1
STORE = "read-by-everybody"

HEALTH_CHECK = (
    # The preface of HTTP/2, and empty SETTINGS.
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    + bytes.fromhex("000000040000000000")
    # HEADERS: POST, http, the path, the authority, the content type, and te.
    + bytes.fromhex("0000480104000000018386")
    + b"\x04\x1c/grpc.health.v1.Health/Check\x01\x06health"
    + b"\x0f\x10\x10application/grpc\x00\x02te\x08trailers"
    # DATA: an empty message.
    + bytes.fromhex("0000050001000000010000000000")
).hex()
"""A call of gRPC's health check, because HAProxy 2.6 has none. It is in docs/guides/retries-and-idempotency.md."""

HAPROXY = """
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    timeout check 250ms
    retries 2
    option redispatch 1
    http-error status 502 content-type application/grpc hdr grpc-status 14
    http-error status 503 content-type application/grpc hdr grpc-status 14
    http-error status 504 content-type application/grpc hdr grpc-status 14
frontend callers
    bind {balancer} proto h2
    default_backend replicas
backend replicas
    balance roundrobin
    option tcp-check
    tcp-check connect
    tcp-check send-binary {health_check}
    tcp-check expect binary 00000000020801
    server first {first} proto h2 check inter 100ms fall 1 rise 1
    server second {second} proto h2 check inter 100ms fall 1 rise 1
"""

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream replicas {{
        server {first} max_fails=0;
        server {second} max_fails=0;
    }}
    server {{
        listen {balancer} http2;
        location / {{
            grpc_pass grpc://replicas;
            grpc_connect_timeout 1s;
            error_page 502 503 504 = /unavailable;
        }}
        location = /unavailable {{
            internal;
            default_type application/grpc;
            add_header grpc-status 14 always;
            return 204;
        }}
    }}
}}
"""


@dataclass
class Calls:
    """What the callers of one way to the replicas have seen."""

    reads: int = 0
    created: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Replica:
    """A server process at a fixed address, which can be restarted."""

    def __init__(self, address: str, database: Path) -> None:
        self.address = address
        self._database = database
        self._process = self._start()

    def _start(self) -> FacadeProcess:
        return FacadeProcess(
            *("--backend", "embedded", "--embedded-db", str(self._database), "--listen", self.address),
            *("--drain-delay", "0.5", "--shutdown-grace-period", "5"),
        ).wait_until_serving()

    def stop(self) -> None:
        self._process.signal(signal.SIGTERM)
        assert self._process.wait(20) == 0
        assert not [line for line in self._process.lines if line.get("level") == "error"]

    def restart(self) -> None:
        self.stop()
        self._process = self._start()


@contextmanager
def balancer(command: list[str], address: str) -> Iterator[None]:
    """Runs a load balancer until the block ends."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:

        def is_ready() -> bool:
            assert process.poll() is None, process.stderr and process.stderr.read()
            with open_channel(address) as channel:
                try:
                    channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=1)
                except grpc.RpcError:
                    return False
                return True

        wait_until(is_ready)
        yield
    finally:
        process.terminate()
        process.wait(10)
        if process.stderr:
            process.stderr.close()


class Callers:
    """Threads that read and create through one target until they are stopped."""

    def __init__(self, target: str, calls: Calls) -> None:
        self._client = connect(target)
        self._calls = calls
        self._stopped = threading.Event()
        jobs: list[Callable[[Client], None]] = [*[self._read] * READERS, *[self._create] * CREATORS]
        self._threads = [threading.Thread(target=self._repeat, args=(job,)) for job in jobs]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(60)
        self._client.close()

    def _repeat(self, job: Callable[[Client], None]) -> None:
        while not self._stopped.wait(0.02):
            try:
                job(self._client)
            except FacadeError as error:
                self._calls.failures.append(str(error))

    def _read(self, client: Client) -> None:
        client.key_value_stores.ListKeyValueStores(ListKeyValueStoresRequest())
        client.key_value_stores.DescribeKeyValueStore(DescribeKeyValueStoreRequest(name=STORE))
        self._calls.reads += 2

    def _create(self, client: Client) -> None:
        name = f"f-{uuid.uuid4()}"
        etag = client.functions.CreateFunction(function(name)).etag
        found = client.functions.DescribeFunction(DescribeFunctionRequest(name=name))
        assert found.etag == etag
        self._calls.created.append(name)
        # Functions have a quota. A delete whose answer is lost is repeated, and then finds no function.
        try:
            client.functions.DeleteFunction(DeleteFunctionRequest(name=name, etag=etag))
        except FacadeError as error:
            if error.reason != "FUNCTION_NOT_FOUND":
                raise


def addresses() -> tuple[str, str, str, str]:
    """Returns four addresses that no other test uses: those of a loopback network made of this process' id."""
    network = f"127.{os.getpid() // 256 % 256}.{os.getpid() % 256}"
    return f"{network}.11:50051", f"{network}.12:50051", f"{network}.13:50051", f"{network}.14:50051"


def test_rolling_restarts_fail_no_read_and_no_create(tmp_path: Path) -> None:
    first, second, haproxy, nginx = addresses()
    ways = {"client": f"ipv4:{first},{second}"}
    missing = []
    with ExitStack() as stack:
        replicas = [Replica(address, tmp_path / "embedded.sqlite") for address in (first, second)]
        for replica in replicas:
            stack.callback(replica.stop)
        with connect(first) as client:
            client.key_value_stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name=STORE))
        for name, template, address, flags in (
            ("haproxy", HAPROXY, haproxy, ("-db", "-f")),
            ("nginx", NGINX, nginx, ("-e", str(tmp_path / "nginx.log"), "-c")),
        ):
            if not (path := shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")):
                missing.append(name)
                continue
            configuration = tmp_path / f"{name}.conf"
            values = {"balancer": address, "first": first, "second": second}
            configuration.write_text(template.format(**values, folder=tmp_path, health_check=HEALTH_CHECK))
            stack.enter_context(balancer([path, *flags, str(configuration)], address))
            ways[name] = address
        seen = {way: Calls() for way in ways}
        callers = [Callers(target, seen[way]) for way, target in ways.items()]
        try:
            for number in range(RESTARTS):
                replicas[number % 2].restart()
        finally:
            for each in callers:
                each.stop()
    for way, calls in seen.items():
        assert calls.failures == [], way
        assert calls.reads > 10 * RESTARTS, way
        assert len(calls.created) > RESTARTS, way
    if missing:
        skip_or_fail(f"{' and '.join(missing)} not installed")
