"""The client of CloudFront Facade: create CloudFront functions and key value stores, with tags, over gRPC.

Requests and responses are the messages of `cloudfront_facade.v1`, generated from the protos; each field is explained
there. Everything that can go wrong with a call is a `FacadeError`.

Example:
    from cloudfront_facade import FacadeError, connect
    from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, FunctionConfig, FunctionRuntime
    from cloudfront_facade.v1.tag_pb2 import Tag

    request = CreateFunctionRequest(
        name="docstring-example",
        function_config=FunctionConfig(runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0),
        function_code=b"function handler(event) { return event.request; }",
        tags=[Tag(key="team", value="web")],
    )
    with connect("127.0.0.1:50051") as facade:
        try:
            print(facade.functions.CreateFunction(request).function_summary.function_metadata.function_arn)
        except FacadeError as error:
            print(error.reason, error.violations)
"""

from cloudfront_facade._client import Client, connect
from cloudfront_facade.errors import FacadeError, FunctionChangedError, Precondition, Quota, Resource, Violation
from cloudfront_facade._tls import TLS

__all__ = [
    "TLS",
    "Client",
    "FacadeError",
    "FunctionChangedError",
    "Precondition",
    "Quota",
    "Resource",
    "Violation",
    "__version__",
    "connect",
]


def __getattr__(name: str) -> str:
    """Looks `__version__` up when it is asked for: that takes a tenth as long as the whole import."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("cloudfront-facade")
