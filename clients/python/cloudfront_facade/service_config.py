"""What gRPC itself does for a client, as data: balancing, retries, keepalive.

Form: https://github.com/grpc/grpc/blob/master/doc/service_config.md. The server steers retries with the trailer
`grpc-retry-pushback-ms`.
"""

from __future__ import annotations

import json
from typing import Any

from cloudfront_facade.v1 import function_service_pb2, key_value_store_service_pb2

LOAD_BALANCING: list[dict[str, Any]] = [{"round_robin": {}}]
"""Every address that the target resolves to takes its turn, so that new replicas get work."""

RETRY_POLICY = {
    "maxAttempts": 4,
    "initialBackoff": "0.2s",
    "maxBackoff": "5s",
    "backoffMultiplier": 2,
    # AIP-194: the one status that is safe to retry without looking at the method.
    "retryableStatusCodes": ["UNAVAILABLE"],
}

KEEPALIVE = {
    "grpc.keepalive_time_ms": 60_000,
    "grpc.keepalive_timeout_ms": 20_000,
    "grpc.keepalive_permit_without_calls": 0,
}
"""A dead connection is noticed within 80 s of a call; an idle one is left alone, as servers demand."""

_FILES = (function_service_pb2.DESCRIPTOR, key_value_store_service_pb2.DESCRIPTOR)


def service_config(*, retry: bool, request_ids: bool) -> str:
    """The service config of a client, in JSON.

    Args:
        retry: Whether calls that are answered UNAVAILABLE are sent again.
        request_ids: Whether every create has a `request_id`. Without one, the answer to a second send could be
            ALREADY_EXISTS for what the first one made, so creates are then sent once.
    """
    methods: list[dict[str, Any]] = []
    if retry:
        methods.append({"name": [{}], "retryPolicy": RETRY_POLICY})
        if not request_ids:
            methods.append({"name": creates()})
    return json.dumps({"loadBalancingConfig": LOAD_BALANCING, "methodConfig": methods})


def creates() -> list[dict[str, str]]:
    """The methods whose requests have a `request_id`, as names of a service config."""
    return [
        {"service": service.full_name, "method": method.name}
        for file in _FILES
        for service in file.services_by_name.values()
        for method in service.methods
        if "request_id" in method.input_type.fields_by_name
    ]
