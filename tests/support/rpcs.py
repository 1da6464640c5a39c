"""The rpcs of the API and the operations of a backend, from the descriptors and the protocol."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import Final

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from cloudfront_facade import v1
from cloudfront_facade_server.backends.protocol import Backend


def _services() -> list[ServiceDescriptor]:
    names = [module.name for module in pkgutil.iter_modules(v1.__path__) if module.name.endswith("_service_pb2")]
    modules = [import_module(f"{v1.__name__}.{name}") for name in names]
    return [service for module in modules for service in module.DESCRIPTOR.services_by_name.values()]


SERVICES: Final = _services()

RPCS: Final[Mapping[str, MethodDescriptor]] = {
    method.name: method for service in SERVICES for method in service.methods
}

BACKEND_OPERATIONS: Final = [
    name for name, value in vars(Backend).items() if callable(value) and not name.startswith("_") and name != "close"
]
"""The methods of the protocol that call CloudFront."""
