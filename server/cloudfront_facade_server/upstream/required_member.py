"""The member that proves that a successful response is CloudFront's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..backends.protocol import Response
from ..errors.aws_codes import MalformedResponseError


@dataclass(frozen=True)
class RequiredMember:
    """A member that every successful response of an operation has.

    botocore parses a success of another shape to a response without its members.

    Attributes:
        path: The names of the members that lead to it.
        can_be_empty: Whether its value can be empty.
    """

    path: tuple[str, ...]
    can_be_empty: bool = True

    def check(self, response: Response) -> None:
        """Checks that a response has the member; raises MalformedResponseError."""
        found: Any = response
        for name in self.path:
            if not isinstance(found, dict) or name not in found:
                raise MalformedResponseError
            found = found[name]
        if not found and not self.can_be_empty:
            raise MalformedResponseError
