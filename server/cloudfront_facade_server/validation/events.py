"""The check of TestFunction's event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from .. import limits
from ..errors.violations import Violation
from .rule_names import Rule

_DOCUMENTATION: Final = (
    "see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html"
)


class _JSONConstantError(ValueError):
    """The document contains NaN or Infinity, which Python parses but JSON does not allow."""


def _reject_constant(_name: str) -> None:
    raise _JSONConstantError


def check_event_object(field: str, content: bytes) -> Iterator[Violation]:
    """Checks the event that a function is tested with: a JSON object in UTF-8."""
    if not 1 <= (size := len(content)) <= limits.EVENT_OBJECT_MAX_BYTES:
        sent = f"{size} bytes" if size else "empty"
        allowed = f"a JSON object of 1 to {limits.EVENT_OBJECT_MAX_BYTES} bytes"
        yield Violation(field, Rule.EVENT_OBJECT_SIZE, f"{sent}; allowed: {allowed}; {_DOCUMENTATION}")
    elif problem := _find_problem(content):
        yield Violation(field, Rule.EVENT_OBJECT_JSON, f"{problem}; allowed: a JSON object in UTF-8; {_DOCUMENTATION}")


def _find_problem(content: bytes) -> str:
    """Describes why bytes are not a JSON object; empty if they are one."""
    try:
        event = json.loads(content.decode(), parse_constant=_reject_constant)
    except UnicodeDecodeError as error:
        return f"byte {error.start} is not UTF-8"
    except json.JSONDecodeError as error:
        return f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}"
    except _JSONConstantError:
        return "NaN and Infinity are not valid JSON"
    except RecursionError:
        return "nested too deeply"
    except ValueError:  # Python's int() limits the number of digits
        return "a number has too many digits"
    return "" if isinstance(event, dict) else "JSON, but not an object"
