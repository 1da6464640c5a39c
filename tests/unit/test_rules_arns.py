"""The rule about the account that an ARN names: for every field that has an ARN of CloudFront."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from google.protobuf.descriptor import MethodDescriptor

from cloudfront_facade_server.errors.violations import ValidationError, Violation
from cloudfront_facade_server.validation.arns import ANY_ACCOUNT, ArnRules
from cloudfront_facade_server.validation.rules import Rules
from cloudfront_facade_server.validation.tags import TagRules
from support.requests import FIELDS, Path, apply, with_value
from support.rules import FUNCTION_ARN
from support.values import STORE_ARN

OWN: Final = "123456789012"
FOREIGN: Final = "210987654321"

ARNS: Final = {
    f"{name} of {'a function' if 'function/' in arn else 'a store'}": (rpc, path, arn)
    for name, (rpc, path) in FIELDS.items()
    for arn in ((STORE_ARN, FUNCTION_ARN) if name.endswith(".resource") else (STORE_ARN,))
    if path[-1].name in ("kvs_arn", "resource", "key_value_store_arn")
}
"""Every field with an ARN of CloudFront, with each kind of ARN."""


def rules(*accounts: str) -> Rules:
    return Rules(TagRules(), arns=ArnRules(lambda: accounts))


def violations_of_arns(rules: Rules, rpc: MethodDescriptor, path: Path, arn: str) -> Iterator[Violation]:
    request: Any = with_value(rpc, path, arn)
    try:
        apply(rules, rpc, request)
    except ValidationError as error:
        yield from (violation for violation in error.violations if violation.field.endswith(path[-1].name))


def test_keys_tags_and_associations_name_arns() -> None:
    assert {name.partition(" ")[0].rpartition(".")[0] for name in ARNS} == {
        "CreateFunction.function_config.key_value_store_associations",
        "UpdateFunction.function_config.key_value_store_associations",
        *("DescribeKeyValueStoreData", "GetKey", "PutKey", "DeleteKey", "ListKeys", "UpdateKeys", "ImportKeys"),
        *("TagResource", "UntagResource", "ListTagsForResource"),
    }


@pytest.mark.parametrize("name", ARNS)
def test_an_arn_of_another_account_is_rejected(name: str) -> None:
    rpc, path, arn = ARNS[name]

    (violation,) = violations_of_arns(rules("111111111111", OWN), rpc, path, arn.replace(OWN, FOREIGN))

    assert violation.rule == "ARN_ACCOUNT"
    assert violation.description.startswith(f'"{arn.replace(OWN, FOREIGN)}" belongs to another account; allowed: ')
    assert OWN not in violation.description


@pytest.mark.parametrize("name", ARNS)
@pytest.mark.parametrize("accounts", [(OWN,), (FOREIGN, OWN), (ANY_ACCOUNT,)])
def test_an_arn_of_an_allowed_account_is_accepted(name: str, accounts: tuple[str, ...]) -> None:
    rpc, path, arn = ARNS[name]

    assert list(violations_of_arns(rules(*accounts), rpc, path, arn)) == []


def test_a_malformed_arn_is_reported_without_its_account() -> None:
    rpc, path, _ = next(iter(ARNS.values()))

    (violation,) = violations_of_arns(rules(OWN), rpc, path, f"arn:aws:cloudfront::{FOREIGN}:key-value-store/x")

    assert violation.rule == "KEY_VALUE_STORE_ARN_FORM"
