"""The checks of a function's configuration, code and stage."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from cloudfront_facade.v1.function_service_pb2 import FunctionConfig, FunctionRuntime, FunctionStage

from .. import limits
from ..errors.violations import Violation
from . import checks
from .arns import ArnRules
from .rule_names import Rule

_RUNTIMES: Final = FunctionRuntime.keys()[1:]
_RUNTIME_NUMBERS: Final = frozenset(FunctionRuntime.values()[1:])


def check_config(field: str, config: FunctionConfig, arns: ArnRules) -> Iterator[Violation]:
    """Checks the configuration of a function, with the rules for the ARNs of its stores."""
    yield from checks.check_comment(f"{field}.comment", config.comment)
    if config.runtime not in _RUNTIME_NUMBERS:
        sent = str(config.runtime) if config.runtime else "not set"
        yield Violation(f"{field}.runtime", Rule.RUNTIME_KNOWN, f"{sent}; allowed: {' or '.join(_RUNTIMES)}")
    associations = config.key_value_store_associations
    if associations and config.runtime == FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0:
        yield Violation(
            f"{field}.runtime",
            Rule.RUNTIME_OF_ASSOCIATION,
            f"{_RUNTIMES[0]} cannot read a key value store; "
            f"allowed: {_RUNTIMES[1]}, or no key_value_store_associations",
        )
    if len(associations) > limits.ASSOCIATIONS_MAX:
        yield Violation(
            f"{field}.key_value_store_associations",
            Rule.ASSOCIATIONS_COUNT,
            f"{len(associations)} associations; allowed: at most {limits.ASSOCIATIONS_MAX}",
        )
    for index, association in enumerate(islice(associations, limits.CHECKED_ELEMENTS_MAX)):
        yield from arns.check_key_value_store_arn(
            f"{field}.key_value_store_associations[{index}].key_value_store_arn", association.key_value_store_arn
        )


def check_code(field: str, code: bytes, max_bytes: int) -> Iterator[Violation]:
    """Checks the size of a function's code."""
    if not 1 <= (size := len(code)) <= max_bytes:
        sent = f"{size} bytes" if size else "empty"
        yield Violation(field, Rule.FUNCTION_CODE_SIZE, f"{sent}; allowed: 1 to {max_bytes} bytes")


def check_stage(field: str, stage: int) -> Iterator[Violation]:
    """Checks the optional stage of a function."""
    if stage not in FunctionStage.values():
        names = " or ".join(FunctionStage.keys()[1:])
        yield Violation(field, Rule.STAGE_KNOWN, f"{stage}; allowed: not set, or {names}")
