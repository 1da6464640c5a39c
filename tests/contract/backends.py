"""The backends that the contract tests run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any, Final

from cloudfront_facade_server.backends.embedded import EmbeddedBackend
from cloudfront_facade_server.backends.protocol import Backend, Response
from support.aws_backend import new_aws_backend
from support.cloudfront.http import CloudFrontDouble
from support.event_loop import waiting

NAMES: Final = ("embedded", "aws")
CODE_BYTES: Final = 10_240
V1: Final = "cloudfront-js-1.0"
V2: Final = "cloudfront-js-2.0"
NO_CONFIG: Final = {"Comment": "", "Runtime": V2}
STALE: Final = "E0000000000000"
STALE_DATA: Final = "KV0000000000000"
MALFORMED: Final = ("", "x", "*", '"quoted"', "e" * 14)

Backends = Callable[..., Backend]


class Pool:
    """Reuses AWS backends and their doubles, because creating one takes a tenth of a second."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._free: list[tuple[CloudFrontDouble, Backend]] = []

    @contextmanager
    def aws(self, *, provisioning_seconds: float, max_functions: int, max_stores: int) -> Iterator[Backend]:
        """Opens the AWS backend on an empty double."""
        double, backend = self._free.pop() if self._free else self._create()
        double.forget()
        double.provisioning_seconds = provisioning_seconds
        double.function_quota, double.store_quota = max_functions, max_stores
        double.code_bytes = CODE_BYTES
        yield backend
        self._free.append((double, backend))

    def close(self) -> None:
        """Closes the backends and the doubles."""
        self._stack.close()

    def _create(self) -> tuple[CloudFrontDouble, Backend]:
        double = self._stack.enter_context(CloudFrontDouble())
        backend = self._stack.enter_context(closing(waiting(new_aws_backend(endpoint_url=double.url))))
        assert backend.credentials_available()
        return double, backend


@contextmanager
def embedded(*, provisioning_seconds: float, max_functions: int, max_stores: int) -> Iterator[Backend]:
    """Opens the embedded backend in memory."""
    with closing(
        EmbeddedBackend(
            path=":memory:",
            s3_dir=None,
            provisioning_seconds=provisioning_seconds,
            max_functions=max_functions,
            max_key_value_stores=max_stores,
            max_function_code_bytes=CODE_BYTES,
        )
    ) as backend:
        yield backend


def function(name: str = "f", **more: Any) -> dict[str, Any]:
    """Returns the arguments that create a function."""
    return {"Name": name, "FunctionConfig": NO_CONFIG, "FunctionCode": b"code", **more}


def change(name: str, etag: str, **more: Any) -> dict[str, Any]:
    """Returns the arguments that update a function."""
    return {"Name": name, "IfMatch": etag, "FunctionConfig": NO_CONFIG, "FunctionCode": b"changed", **more}


def associated(*arns: str, runtime: str = V2) -> dict[str, Any]:
    """Returns a function configuration with stores."""
    items = [{"KeyValueStoreARN": arn} for arn in arns]
    associations = {"Quantity": len(items), "Items": items}
    return {"Comment": "", "Runtime": runtime, "KeyValueStoreAssociations": associations}


def ready_store(backend: Backend, name: str = "s") -> str:
    """Creates a store, which is READY if provisioning takes no time, and returns its ARN."""
    arn: str = backend.create_key_value_store(Name=name)["KeyValueStore"]["ARN"]
    return arn


def status(response: Response) -> int:
    """Returns the HTTP status of a response."""
    code: int = response["ResponseMetadata"]["HTTPStatusCode"]
    return code
