"""The service's side of the REST-JSON protocol of the data plane of key value stores."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from .wire import HttpResponse, Router, arguments_of_head, client_error

PREFIX: Final = "/key-value-stores/"
"""The prefix of all paths of the data plane."""

_DESCRIBE: Final = "DescribeKeyValueStore"
DESCRIBE_DATA: Final = "DescribeKeyValueStoreData"
"""The data plane's DescribeKeyValueStore; the control plane has an operation of the same name."""

_SIGNATURE: Final = re.compile(
    r"AWS4-ECDSA-P256-SHA256 Credential=[^ /,]+/[0-9]{8}/cloudfront-keyvaluestore/aws4_request,"
    r" SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{136,144}"
)
"""SigV4A has no region in its scope, and an ECDSA signature in DER."""


class DataWire:
    """The service's side of the protocol for every operation of the data plane."""

    def __init__(self) -> None:
        self._router = Router("cloudfront-keyvaluestore")
        self.model = self._router.model

    def operation_model(self, operation: str) -> Any:
        """Returns the model of an operation; its DescribeKeyValueStore is called DescribeKeyValueStoreData."""
        return self.model.operation_model(_DESCRIBE if operation == DESCRIBE_DATA else operation)

    def decode(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, Any]]:
        """Returns the operation of a request and the arguments that boto3 was called with.

        Raises:
            ClientError: The operation does not exist, or the body or the host of the request is wrong.
        """
        routed = self._router.find(method, target)
        shape = self.model.operation_model(routed.operation).input_shape
        arguments, in_body = arguments_of_head(shape, routed, headers)
        if headers.get("host", "").partition(".")[0] != arguments["KvsARN"].split(":")[4:5][0]:
            raise client_error("ValidationException", 400, "the host does not begin with the account of the store")
        if in_body:
            arguments |= _parsed(in_body, body)
        operation = DESCRIBE_DATA if routed.operation == _DESCRIBE else routed.operation
        return operation, arguments

    def check_signature(self, headers: Mapping[str, str]) -> None:
        """Raises ClientError unless the whole request is signed with SigV4A for any region."""
        match = _SIGNATURE.fullmatch(headers.get("authorization", ""))
        needed = {"host", "x-amz-date", "x-amz-region-set", *({"if-match", "content-type"} & headers.keys())}
        if match is None or headers.get("x-amz-region-set") != "*" or not needed <= set(match[1].split(";")):
            raise client_error("IncompleteSignatureException", 403, "the request is not signed with SigV4A")

    def encode(self, operation: str, response: Mapping[str, Any]) -> HttpResponse:
        """Returns the HTTP response that boto3 parses into this response."""
        model = self.operation_model(operation)
        headers, body = {}, {}
        for name, member in model.output_shape.members.items():
            if name not in response:
                continue
            if member.serialization.get("location") == "header":
                headers[member.serialization["name"]] = response[name]
            else:
                # Times are seconds since 1970 with milliseconds.
                is_time = member.type_name == "timestamp"
                body[name] = round(response[name].timestamp(), 3) if is_time else response[name]
        return _json(int(model.http["responseCode"]), body, headers)

    def error(self, code: str, status: int, message: str, request_id: str) -> HttpResponse:
        """Returns the HTTP response that boto3 raises as ClientError."""
        return _json(status, {"Message": message}, {"x-amzn-ErrorType": code})


@cache
def installed_data_wire() -> DataWire:
    """Returns the protocol of the installed service model."""
    return DataWire()


def _json(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> HttpResponse:
    return HttpResponse(status, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})


def _parsed(members: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    try:
        sent = json.loads(body)
    except ValueError:
        raise client_error("SerializationException", 400, "the body is not JSON") from None
    if not isinstance(sent, dict):
        raise client_error("SerializationException", 400, "the body is not a JSON object")
    return {name: _checked(members.get(name), value) for name, value in sent.items()}


def _checked(shape: Any, value: Any) -> Any:
    """Returns a value of a request; raises ClientError if it does not have the model's shape."""
    match shape.type_name if shape else "", value:
        case "string", str():
            return value
        case "list", list():
            return [_checked(shape.member, item) for item in value]
        case "structure", dict() if set(shape.required_members) <= value.keys():
            return {name: _checked(shape.members.get(name), item) for name, item in value.items()}
    raise client_error("SerializationException", 400, "a member does not have the model's shape")
