"""Creates the configured backend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from .backends.protocol import Backend
from .backends.thread_pool import ThreadPoolBackend
from .readiness import ReadinessCheck
from .settings.serve import ServeSettings

_log = structlog.get_logger()

_EMBEDDED_THREADS: Final = 4
"""More threads would only wait for each other, because SQLite has one writer."""


class CannotUseBackendError(Exception):
    """The backend cannot be used. The message is one line: the problem and its remedy."""


@dataclass(frozen=True)
class BackendSetup:
    """A backend, and what the server needs to start with it.

    Attributes:
        backend: The backend.
        location: Where resources are created, for the log.
        check_readiness: Returns why the backend is not ready; empty if it is. Raises CannotUseBackendError if it never
            will be.
        warm_up: Prepares the first call, so that it is as fast as later ones. It may block.
        on_broken: Takes what to call, in any thread, when the backend can no longer be used.
        find_account: Returns the account of the service's credentials. It may block. None if the backend is not AWS.
    """

    backend: Backend
    location: str
    check_readiness: ReadinessCheck
    warm_up: Callable[[], None]
    find_account: Callable[[], str] | None = None
    on_broken: Callable[[Callable[[], object]], None] = lambda _callback: None


def set_up_backend(settings: ServeSettings) -> BackendSetup:
    """Creates the configured backend, and imports only that one.

    Raises:
        CannotUseBackendError: The backend cannot be used with these settings.
    """
    return _set_up_embedded(settings) if settings.backend == "embedded" else _set_up_aws(settings)


def _set_up_embedded(settings: ServeSettings) -> BackendSetup:
    from .backends.embedded import EmbeddedBackend, EmbeddedDatabaseError, create_default_folder

    try:
        path = settings.embedded_db or str(create_default_folder())
        backend = EmbeddedBackend(
            path=path,
            s3_dir=settings.embedded_s3_dir,
            provisioning_seconds=settings.embedded_provisioning_seconds,
            max_functions=settings.embedded_max_functions,
            max_key_value_stores=settings.embedded_max_key_value_stores,
            max_function_code_bytes=settings.max_function_code_bytes,
        )
    except EmbeddedDatabaseError as error:
        raise CannotUseBackendError(str(error)) from None

    def on_broken(callback: Callable[[], object]) -> None:
        backend.on_loss = callback

    return BackendSetup(
        ThreadPoolBackend(backend, _EMBEDDED_THREADS, settings.concurrent_tests()),
        path,
        lambda: "",
        backend.warm_up,
        on_broken=on_broken,
    )


def _set_up_aws(settings: ServeSettings) -> BackendSetup:
    from .backends.aws import AwsBackend, AwsBackendError

    try:
        backend = AwsBackend(
            region=settings.region,
            endpoint_url=settings.endpoint_url,
            profile=settings.profile,
            role_arn=settings.role_arn,
            external_id=settings.external_id,
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.read_timeout,
            short_timeout=settings.settle_read_timeout(),
            max_connections_per_host=settings.max_concurrent_upstream_calls,
        )
    except AwsBackendError as error:
        raise CannotUseBackendError(str(error)) from None

    for warning in backend.warnings():
        _log.warning(warning)

    def check_readiness() -> str:
        try:
            return "" if backend.credentials_available() else backend.credentials_failure
        except AwsBackendError as error:
            raise CannotUseBackendError(str(error)) from None

    location = settings.endpoint_url or "CloudFront"
    find_account = None if settings.endpoint_url else backend.find_account
    return BackendSetup(backend, location, check_readiness, backend.warm_up, find_account)
