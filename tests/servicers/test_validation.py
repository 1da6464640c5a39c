"""Each method of the services applies its rpc's rules before it calls the backend."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from botocore import xform_name
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from cloudfront_facade_server.call_context import CallContext
from cloudfront_facade_server.errors.violations import ValidationError
from cloudfront_facade_server.settings.serve import ServeSettings
from cloudfront_facade_server.validation.rules import Rules
from cloudfront_facade_server.wiring import services
from support.event_loop import in_loop
from support.rpcs import RPCS


class RuleAppliedError(Exception):
    """The rules of the rpc were applied."""


def call_with_an_invalid_request(rpc: MethodDescriptor, backend: Any) -> None:
    """Calls an rpc with an empty request, or with an invalid page size if it has one."""
    request: Any = GetMessageClass(rpc.input_type)()
    if "page_size" in rpc.input_type.fields_by_name:
        request.page_size = -1
    service, _ = services(ServeSettings(backend="embedded", settle_timeout=0), backend)[
        rpc.containing_service.full_name
    ]
    call = CallContext(rpc.name, "test", deadline=float("inf"))
    in_loop(getattr(service, rpc.name), iter([request]) if rpc.client_streaming else request, call)


@pytest.mark.parametrize("rpc", RPCS.values(), ids=RPCS)
def test_an_invalid_request_is_rejected_before_the_backend_is_called(rpc: MethodDescriptor) -> None:
    backend = Mock()
    with pytest.raises(ValidationError) as caught:
        call_with_an_invalid_request(rpc, backend)
    fields = {violation.field for violation in caught.value.violations}
    assert ("page_size" in fields) is ("page_size" in rpc.input_type.fields_by_name)
    assert backend.method_calls == []


@pytest.mark.parametrize("rpc", RPCS.values(), ids=RPCS)
def test_an_rpc_applies_its_own_rules(rpc: MethodDescriptor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rules, xform_name(rpc.name), Mock(side_effect=RuleAppliedError))
    with pytest.raises(RuleAppliedError):
        call_with_an_invalid_request(rpc, Mock())
