"""A caller whose process is killed in mid-create: the repeat from a new process succeeds, and there is one resource."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from cloudfront_facade import connect
from support.cloudfront.faults import Fault, apply_then_hang, hold
from support.facade import REQUEST_ID, function
from support.process import FacadeProcess, clean_environment

if TYPE_CHECKING:
    from support.cloudfront.http import CloudFrontDouble

REQUEST = function(request_id=REQUEST_ID)
CREATE = """
import sys
from cloudfront_facade import connect
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest

with connect(sys.argv[1]) as facade:
    facade.functions.CreateFunction(CreateFunctionRequest.FromString(bytes.fromhex(sys.argv[2])))
"""


@pytest.mark.parametrize(
    ("fault", "is_released"),
    [(hold(), True), (apply_then_hang(), False)],
    ids=["applied during the repeat", "never answered"],
)
def test_a_create_of_a_killed_caller_can_be_repeated_while_it_is_still_in_flight(
    cloudfront: CloudFrontDouble, fault: Fault, is_released: bool
) -> None:
    cloudfront.script("CreateFunction", fault)
    arguments = ("--backend", "aws", "--endpoint-url", cloudfront.url, "--drain-delay", "0", "--read-timeout", "3")
    with FacadeProcess(*arguments) as server:
        command = [sys.executable, "-c", CREATE, server.address, REQUEST.SerializeToString().hex()]
        with subprocess.Popen(command, env=clean_environment()) as caller:
            cloudfront.wait_for("CreateFunction")
            caller.kill()
        with connect(server.address) as facade:
            repeat = facade.functions.CreateFunction.future(REQUEST)
            if is_released:
                time.sleep(0.2)  # so that the repeat looks for the resource before there is one
                cloudfront.release()
            assert repeat.result(20).function_summary.name == REQUEST.name
        assert cloudfront.effects("CreateFunction") == 1
        cloudfront.release()
