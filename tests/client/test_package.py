"""The package as its users install it, without the server."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import cloudfront_facade
from client.canned import Canned, running_server

# Rejects every import that is neither in the standard library nor a dependency of the client. (coverage is imported if
# the tests are measured.)
ONLY_THE_CLIENT = """
import sys

ALLOWED = {"cloudfront_facade", "google", "grpc", "grpc_status", "typing_extensions", "coverage"}


class OnlyTheClient:
    @staticmethod
    def find_spec(name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in ALLOWED and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"the client must not need {name}", name=name)


sys.meta_path.insert(0, OnlyTheClient)
for server_only in ("boto3", "cloudfront_facade_server"):
    try:
        __import__(server_only)
    except ModuleNotFoundError:
        continue
    sys.exit("the test does not block imports")

import cloudfront_facade
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest

with cloudfront_facade.connect(sys.argv[1]) as facade:
    print(facade.functions.CreateFunction(CreateFunctionRequest(name="rewrite")).etag)
"""


def test_the_client_imports_only_its_dependencies() -> None:
    with running_server(Canned()) as target:
        completed = subprocess.run(
            [sys.executable, "-c", ONLY_THE_CLIENT, target], capture_output=True, text=True, timeout=60, check=False
        )
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, "E1\n", "")


def test_the_package_is_typed_and_has_its_version() -> None:
    assert (Path(cloudfront_facade.__file__).parent / "py.typed").exists()
    assert cloudfront_facade.__version__ == version("cloudfront-facade")
    assert all(hasattr(cloudfront_facade, name) for name in cloudfront_facade.__all__)


ONE_CREATE = """
import sys

from cloudfront_facade import connect
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest

with connect(sys.argv[1]) as facade:
    facade.functions.CreateFunction(CreateFunctionRequest(name="rewrite"))
print(*sorted(name for name in sys.modules if name.startswith(("cloudfront_facade", "rich"))))
"""


def test_a_script_that_creates_a_function_imports_only_what_it_needs() -> None:
    with running_server(Canned()) as target:
        completed = subprocess.run(
            [sys.executable, "-c", ONE_CREATE, target], capture_output=True, text=True, timeout=60, check=True
        )
    assert set(completed.stdout.split()) == {
        "cloudfront_facade",
        *(
            f"cloudfront_facade.{module}"
            for module in (
                "_argument_checks",
                "_client",
                "_closable_channel",
                "_defaults",
                "_error_details",
                "_interceptor",
                "_repeated_call",
                "_repeats",
                "_request_checks",
                "_sending",
                "_service_config",
                "_targets",
                "_tls",
                "errors",
            )
        ),
        "cloudfront_facade.v1",
        *(
            f"cloudfront_facade.v1.{module}"
            for module in (
                "function_service_pb2",
                "function_service_pb2_grpc",
                "tag_pb2",
            )
        ),
    }
