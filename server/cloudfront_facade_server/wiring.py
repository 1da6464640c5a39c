"""Wires the services to a backend, and the server to the services."""

from __future__ import annotations

import math
from typing import Final

from cloudfront_facade.v1 import (
    function_service_pb2,
    function_service_pb2_grpc,
    key_value_store_data_service_pb2,
    key_value_store_data_service_pb2_grpc,
    key_value_store_service_pb2,
    key_value_store_service_pb2_grpc,
    tag_service_pb2,
    tag_service_pb2_grpc,
)

from .backends.protocol import Backend
from .call_context import ShutdownDeadline
from .grpc_server.admission import Admission
from .grpc_server.call_limits import CallLimits
from .grpc_server.dispatcher import Dispatcher
from .grpc_server.fair_memory import FairMemory
from .grpc_server.open_calls import OpenCalls
from .grpc_server.receiver import Receiver
from .grpc_server.server import Register, Server
from .services.function_service import FunctionService
from .services.key_value_store_data_service import KeyValueStoreDataService
from .services.key_value_store_service import KeyValueStoreService
from .services.tag_service import TagService
from .settings.serve import ServeSettings
from .upstream.client import UpstreamClient
from .upstream.concurrency_limiter import ConcurrencyLimiter
from .upstream.creates import ResourceCreator
from .upstream.functions import Functions
from .upstream.key_value_stores import KeyValueStores
from .upstream.key_values import KeyValues
from .upstream.resource_kinds import FUNCTION, KEY_VALUE_STORE
from .upstream.service_account import ServiceAccount
from .upstream.tags import Tags
from .upstream.timeouts import SettleTimeouts
from .upstream.wait_for_ready import ReadyWaiter
from .validation.arns import AllowedAccounts, ArnRules, allow_any_account
from .validation.rules import Rules
from .validation.tags import TagRules

FUNCTION_SERVICE: Final = function_service_pb2.DESCRIPTOR.services_by_name["FunctionService"].full_name
KEY_VALUE_STORE_SERVICE: Final = key_value_store_service_pb2.DESCRIPTOR.services_by_name[
    "KeyValueStoreService"
].full_name
KEY_VALUE_STORE_DATA_SERVICE: Final = key_value_store_data_service_pb2.DESCRIPTOR.services_by_name[
    "KeyValueStoreDataService"
].full_name
TAG_SERVICE: Final = tag_service_pb2.DESCRIPTOR.services_by_name["TagService"].full_name


def services(
    settings: ServeSettings, backend: Backend, account: ServiceAccount | None = None
) -> dict[str, tuple[object, Register]]:
    """Returns the services.

    Args:
        settings: Limits and timeouts.
        backend: The backend that serves them.
        account: The only account whose ARNs are allowed, unless settings name some; None for any account.

    Returns:
        For each full name, the service and its generated registration.
    """
    rules = Rules(
        TagRules(settings.tag_charset, settings.max_tags),
        settings.max_function_code_bytes,
        ArnRules(_allowed_accounts(settings, account)),
    )
    limiter = ConcurrencyLimiter(
        settings.max_concurrent_upstream_calls, settings.min_upstream_time, settings.max_queue_time
    )
    lag = 0.0 if backend.name == "embedded" else settings.max_read_lag
    timeouts = SettleTimeouts(settings.settle_timeout, settings.longest_send(), lag)
    client = UpstreamClient(backend, limiter, timeouts)
    tests = UpstreamClient(backend, _test_limiter(settings), timeouts) if backend.name == "embedded" else client
    return {
        FUNCTION_SERVICE: (
            FunctionService(rules, ResourceCreator(client, FUNCTION), Functions(client, tests)),
            function_service_pb2_grpc.add_FunctionServiceServicer_to_server,
        ),
        KEY_VALUE_STORE_SERVICE: (
            KeyValueStoreService(
                rules, ResourceCreator(client, KEY_VALUE_STORE), KeyValueStores(client), ReadyWaiter(client)
            ),
            key_value_store_service_pb2_grpc.add_KeyValueStoreServiceServicer_to_server,
        ),
        KEY_VALUE_STORE_DATA_SERVICE: (
            KeyValueStoreDataService(rules, KeyValues(client)),
            key_value_store_data_service_pb2_grpc.add_KeyValueStoreDataServiceServicer_to_server,
        ),
        TAG_SERVICE: (
            TagService(rules, Tags(client, rules.check_tag_limit)),
            tag_service_pb2_grpc.add_TagServiceServicer_to_server,
        ),
    }


def _test_limiter(settings: ServeSettings) -> ConcurrencyLimiter:
    """Returns the limit of functions that run in this machine's processes. Others wait for their turn."""
    return ConcurrencyLimiter(
        settings.concurrent_tests(),
        settings.min_upstream_time,
        math.inf,
        max_waiting=settings.max_concurrent_calls,
        what="function tests",
    )


def _allowed_accounts(settings: ServeSettings, account: ServiceAccount | None) -> AllowedAccounts:
    if settings.accounts:
        accounts = frozenset(settings.accounts)
        return lambda: accounts
    return account.allowed if account else allow_any_account


def make_server(
    settings: ServeSettings, backend: Backend, account: ServiceAccount | None = None
) -> tuple[Server, Dispatcher]:
    """Returns the server, which does not listen yet, and the dispatcher of its calls. See `services`."""
    shutdown = ShutdownDeadline()
    limits = CallLimits(
        max_concurrent_calls=settings.max_concurrent_calls,
        max_long_running_calls=settings.max_long_running_calls,
        max_queue_time=settings.max_queue_time,
        default_deadline=settings.default_deadline,
        max_deadline=settings.max_deadline,
        max_long_running_deadline=settings.max_long_running_deadline,
    )
    memory = FairMemory(settings.max_request_memory // 4)
    receiver = Receiver(settings.receive_places(), settings.max_queue_time, settings.max_stream_silence, memory)
    open_calls = OpenCalls()
    admission = Admission(limits, receiver, memory, open_calls)
    dispatcher = Dispatcher(limits, admission, open_calls, backend.name, shutdown)
    return Server(settings, dispatcher, receiver, shutdown, services(settings, backend, account)), dispatcher
