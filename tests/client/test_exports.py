"""The names that the package offers to its users. Everything else may change without notice."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import cloudfront_facade
from cloudfront_facade import v1

ERRORS = {"FacadeError", "FunctionChangedError", "Precondition", "Quota", "Resource", "Violation"}
JOBS = {
    *("create_and_publish", "import_keys", "list_functions", "list_key_value_stores", "list_keys", "put_many"),
    "wait_until_ready",
}
EXPORTS = {
    "cloudfront_facade": {"Client", "TLS", "__version__", "connect", "errors", *ERRORS},
    "cloudfront_facade.aio": {"Client", "connect", *JOBS},
    "cloudfront_facade.errors": ERRORS,
    "cloudfront_facade.jobs": JOBS,
    "cloudfront_facade.progress": {"Progress", "bar"},
}


def test_every_module_is_public_or_private_by_its_name() -> None:
    names = {module.name for module in pkgutil.iter_modules(cloudfront_facade.__path__)}
    assert {name for name in names if not name.startswith("_")} == {"aio", "errors", "jobs", "progress", "v1"}
    generated = {module.name for module in pkgutil.iter_modules(v1.__path__)}
    assert all(name.endswith(("_pb2", "_pb2_grpc")) for name in generated)


@pytest.mark.parametrize("module", EXPORTS)
def test_a_public_module_exports_exactly_these_names(module: str) -> None:
    imported = importlib.import_module(module)
    assert set(imported.__all__) == EXPORTS[module]
    assert EXPORTS[module] <= set(dir(imported))
    assert all(getattr(imported, name) is not None for name in EXPORTS[module])


@pytest.mark.parametrize("module", EXPORTS)
def test_every_exported_name_has_a_docstring(module: str) -> None:
    imported = importlib.import_module(module)
    exported = [getattr(imported, name) for name in imported.__all__]
    missing = [
        item for item in exported if (inspect.isclass(item) or inspect.isfunction(item)) and not inspect.getdoc(item)
    ]
    assert missing == []


def test_a_name_that_does_not_exist_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Facade'"):
        cloudfront_facade.Facade  # noqa: B018
