"""A caller's process is killed in the middle of a create, and another one repeats it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub
from support.cloudfront.faults import Fault, apply_then, hold
from support.cloudfront.http import CloudFrontDouble
from support.facade import REQUEST_ID, function, open_channel
from support.process import FacadeProcess

CALLER = """
import sys
import grpc
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest
from cloudfront_facade.v1.function_service_pb2_grpc import FunctionServiceStub

request = CreateFunctionRequest.FromString(bytes.fromhex(sys.argv[2]))
FunctionServiceStub(grpc.insecure_channel(sys.argv[1])).CreateFunction(request, timeout=60)
"""


@pytest.mark.parametrize("fault", [hold(), apply_then(hold())], ids=["before it is applied", "when it is applied"])
def test_a_create_of_a_killed_caller_happens_once_and_its_repeat_succeeds(
    cloudfront: CloudFrontDouble, fault: Fault
) -> None:
    cloudfront.script("CreateFunction", fault)
    request = function(request_id=REQUEST_ID)
    with FacadeProcess("--backend", "aws", "--endpoint-url", cloudfront.url, "--drain-delay", "0") as process:
        caller = subprocess.Popen([sys.executable, "-c", CALLER, process.address, request.SerializeToString().hex()])
        cloudfront.wait_for("CreateFunction", timeout=30)
        caller.kill()
        caller.wait(10)
        cloudfront.release()
        with open_channel(process.address) as channel:
            created = FunctionServiceStub(channel).CreateFunction(request, timeout=20)
        process.wait_for("rpc")
    assert created.function_summary.name == request.name
    assert cloudfront.effects("CreateFunction") == 1
    assert len(cloudfront.functions) == 1
