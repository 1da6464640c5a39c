"""The rpcs of the API and the operations of a backend, from the descriptors, the protocol and the service model."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import Final

from botocore.loaders import Loader
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

BACKEND_METHODS: Final = [
    name for name, value in vars(Backend).items() if callable(value) and not name.startswith("_") and name != "close"
]
"""The methods of the protocol that call CloudFront."""

OPERATIONS: Final = ["".join(word.capitalize() for word in method.split("_")) for method in BACKEND_METHODS]
"""The operations that these methods call, in the same order.

Both planes have a DescribeKeyValueStore; the data plane's is DescribeKeyValueStoreData here.
"""

_CONTROL_PLANE: Final = Loader().load_service_model("cloudfront", "service-2")["operations"]

CONTROL_OPERATIONS: Final = [operation for operation in OPERATIONS if operation in _CONTROL_PLANE]
"""The operations of the control plane."""

DATA_OPERATIONS: Final = [operation for operation in OPERATIONS if operation not in CONTROL_OPERATIONS]
"""The operations of the data plane."""
