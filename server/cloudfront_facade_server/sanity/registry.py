"""Registers the cases of a group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .facade import Facade

Check = Callable[[Facade], None]


@dataclass(frozen=True)
class Case:
    """A test of one behaviour.

    Attributes:
        sentence: The behaviour, in a sentence.
        group: A name in SANITY_GROUPS.
        needs: The other groups whose rpcs the case calls.
        check: Raises CaseFailedError or grpc.RpcError if the server behaves differently. Any other error is a bug
            in the case.
    """

    sentence: str
    group: str
    needs: frozenset[str]
    check: Check


class CaseRegistry:
    """The cases of one group. A registry is a decorator factory for checks; a check's docstring is the case's sentence.

    Args:
        group: A name in SANITY_GROUPS.
    """

    def __init__(self, group: str) -> None:
        self._group = group
        self.cases: list[Case] = []

    def __call__(self, *needs: str) -> Callable[[Check], Check]:
        """Returns the decorator of a check that also needs the rpcs of these groups."""

        def add(check: Check) -> Check:
            self.cases.append(Case(" ".join((check.__doc__ or "").split()), self._group, frozenset(needs), check))
            return check

        return add
