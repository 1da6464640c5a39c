"""The method options of a service, read from the protos' descriptors."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf import descriptor_pool

from cloudfront_facade.v1 import options_pb2


@dataclass(frozen=True)
class MethodOptions:
    """Options of a method, from `cloudfront_facade/v1/options.proto`.

    Attributes:
        long_running: Whether a call may take longer than the usual limit.
        long_poll: Whether a call only waits and changes nothing; a long poll is long-running too.
    """

    long_running: bool = False
    long_poll: bool = False


def method_options(service: str) -> dict[str, MethodOptions]:
    """Returns the options of each method of a service, by the method's name.

    Args:
        service: The full name of the service.
    """
    options = {}
    for method in descriptor_pool.Default().FindServiceByName(service).methods:
        extensions = method.GetOptions().Extensions
        options[method.name] = MethodOptions(extensions[options_pb2.long_running], extensions[options_pb2.long_poll])
    return options
