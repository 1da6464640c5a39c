"""The method options that the dispatcher reads from the protos."""

from __future__ import annotations

import pytest

from cloudfront_facade_server import wiring
from cloudfront_facade_server.grpc_server.method_options import MethodOptions, method_options

SPECIAL = {
    "UpdateKeys": MethodOptions(long_running=True),
    "ImportKeys": MethodOptions(long_running=True),
    "WaitForKeyValueStore": MethodOptions(long_running=True, long_poll=True),
}


@pytest.mark.parametrize(
    "service",
    [wiring.FUNCTION_SERVICE, wiring.KEY_VALUE_STORE_SERVICE, wiring.KEY_VALUE_STORE_DATA_SERVICE, wiring.TAG_SERVICE],
)
def test_only_key_changes_and_waits_are_long_running(service: str) -> None:
    options = method_options(service)
    assert options
    assert options == {name: SPECIAL.get(name, MethodOptions()) for name in options}


def test_every_long_running_method_is_known() -> None:
    services = wiring.KEY_VALUE_STORE_SERVICE, wiring.KEY_VALUE_STORE_DATA_SERVICE
    assert set(SPECIAL) <= {name for service in services for name in method_options(service)}
