"""The checks of ARNs: their form, and the account that they name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final

from .. import limits
from ..errors.violations import Violation, quote
from .rule_names import Rule

ANY_ACCOUNT: Final = "*"
"""Allows ARNs of every account."""

AllowedAccounts = Callable[[], Collection[str]]
"""Returns the accounts whose ARNs are allowed, or ANY_ACCOUNT. It may wait for AWS, and raise a StatusError."""

_ACCOUNT: Final = slice(len("arn:aws:cloudfront::"), len("arn:aws:cloudfront::") + 12)

_MAX_SHOWN_CHARACTERS: Final = 120

_KEY_VALUE_STORE_ARN: Final = "arn:aws:cloudfront::ACCOUNT:key-value-store/ID"


def allow_any_account() -> Collection[str]:
    """Returns ANY_ACCOUNT."""
    return (ANY_ACCOUNT,)


class ArnRules:
    """Checks ARNs.

    The account in a store's ARN is part of the name of the host that keys are read from, so an ARN of another account
    would make the service send a signed request to that account's host.

    Args:
        allowed_accounts: Returns the accounts whose ARNs are allowed.
    """

    def __init__(self, allowed_accounts: AllowedAccounts = allow_any_account) -> None:
        self._allowed_accounts = allowed_accounts

    def check_key_value_store_arn(self, field: str, value: str) -> Iterator[Violation]:
        """Checks the ARN of a store."""
        if _is_key_value_store_arn(value):
            yield from self._check_account(field, value)
            return
        yield Violation(
            field,
            Rule.KEY_VALUE_STORE_ARN_FORM,
            f"{show_arn(value)}; allowed: {_KEY_VALUE_STORE_ARN}; ACCOUNT is 12 digits, ID is a UUID; "
            "DescribeKeyValueStore returns the ARN",
        )

    def check_resource_arn(self, field: str, value: str) -> Iterator[Violation]:
        """Checks the ARN of a function or a store."""
        if limits.FUNCTION_ARN_PATTERN.fullmatch(value) or _is_key_value_store_arn(value):
            yield from self._check_account(field, value)
            return
        yield Violation(
            field,
            Rule.RESOURCE_ARN_FORM,
            f"{show_arn(value)}; allowed: arn:aws:cloudfront::ACCOUNT:function/NAME without a stage, or "
            f"{_KEY_VALUE_STORE_ARN}; ACCOUNT is 12 digits, ID is a UUID; "
            "DescribeFunction and DescribeKeyValueStore return the ARN",
        )

    def _check_account(self, field: str, arn: str) -> Iterator[Violation]:
        allowed = self._allowed_accounts()
        if ANY_ACCOUNT not in allowed and arn[_ACCOUNT] not in allowed:
            yield Violation(
                field,
                Rule.ARN_ACCOUNT,
                f"{show_arn(arn)} belongs to another account; allowed: ARNs of the service's own account, "
                "or of the accounts that the operator sets with --accounts instead",
            )


def _is_key_value_store_arn(value: str) -> bool:
    return len(value) <= limits.KEY_VALUE_STORE_ARN_MAX_LENGTH and bool(
        limits.KEY_VALUE_STORE_ARN_PATTERN.fullmatch(value)
    )


def show_arn(value: str) -> str:
    """Returns an ARN as messages show it."""
    return quote(value, _MAX_SHOWN_CHARACTERS) if value else "empty"
