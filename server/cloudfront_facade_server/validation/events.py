"""The rules of a test's event."""

from __future__ import annotations

import json
from collections.abc import Iterator

from .. import limits
from ..errors.violations import Violation


def _refuse_constant(_name: str) -> None:
    """Refuses NaN and the infinities, which Python reads and JSON does not have."""
    raise ValueError


def event_object(field: str, content: bytes) -> Iterator[Violation]:
    """Checks the event that a function is tested with: JSON in UTF-8, as large as CloudFront takes it."""
    if not 1 <= (size := len(content)) <= limits.EVENT_OBJECT_MAX_BYTES:
        sent = f"{size} bytes" if size else "empty"
        yield Violation(field, "EVENT_OBJECT_SIZE", f"{sent}; allowed: 1 to {limits.EVENT_OBJECT_MAX_BYTES} bytes")
        return
    try:
        event = json.loads(content.decode(), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        yield Violation(field, "EVENT_OBJECT_JSON", f"byte {error.start} is no UTF-8; allowed: a JSON object in UTF-8")
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        yield Violation(field, "EVENT_OBJECT_JSON", f"no JSON at {where}: {error.msg}; allowed: a JSON object in UTF-8")
    except RecursionError:
        yield Violation(field, "EVENT_OBJECT_JSON", "nested too deeply; allowed: a JSON object in UTF-8")
    except ValueError:
        yield Violation(field, "EVENT_OBJECT_JSON", "a number that no JSON has; allowed: a JSON object in UTF-8")
    else:
        if not isinstance(event, dict):
            yield Violation(field, "EVENT_OBJECT_JSON", "JSON, but no object; allowed: a JSON object in UTF-8")
