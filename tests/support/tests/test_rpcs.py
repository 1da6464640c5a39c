"""The derived lists of operations agree with botocore's service models."""

from __future__ import annotations

from botocore import xform_name

from support.cloudfront.data_wire import DESCRIBE_DATA, installed_data_wire
from support.cloudfront.wire import installed_wire
from support.rpcs import BACKEND_METHODS, CONTROL_OPERATIONS, DATA_OPERATIONS, OPERATIONS


def test_the_operations_of_a_backend_are_those_of_the_service_models() -> None:
    assert {xform_name(operation) for operation in OPERATIONS} == set(BACKEND_METHODS)
    assert set(CONTROL_OPERATIONS) == {
        name for name in installed_wire().model.operation_names if xform_name(name) in BACKEND_METHODS
    }
    data_plane = set(installed_data_wire().model.operation_names)
    assert {operation.removesuffix("Data") for operation in DATA_OPERATIONS} == data_plane
    assert DESCRIBE_DATA in DATA_OPERATIONS
