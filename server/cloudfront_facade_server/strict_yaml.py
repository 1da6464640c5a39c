"""Strict YAML: plain data only, no key twice, no anchors, and bounded depth."""

from __future__ import annotations

from typing import Any, Final

import yaml

from .errors.violations import quote
from .printable import printable

_MAX_DEPTH: Final = 10
_SHOWN_CHARACTERS: Final = 120
_ALIAS: Final = "while scanning an alias"
_HINT: Final = "; write a text that begins with * in quotes"
_MERGE: Final = "tag:yaml.org,2002:merge"


class YamlError(ValueError):
    """A text is not strict YAML. The message is one line: the position and the problem."""


def load(text: str) -> Any:
    """Returns the value of a document; raises YamlError."""
    try:
        _check_events(text)
        if node := yaml.compose(text, Loader=yaml.SafeLoader):
            _check_keys(node)
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        problem = f"{_position(error.problem_mark)}: {printable(error.problem or 'not YAML')[:_SHOWN_CHARACTERS]}"
        raise YamlError(f"{problem}{_HINT if error.context == _ALIAS else ''}") from None
    except yaml.reader.ReaderError as error:
        raise YamlError(f"character {error.position + 1}: U+{error.character:04X} is not allowed in YAML") from None
    except ValueError as error:  # a date or a number that does not exist
        raise YamlError(str(error)) from None


def _check_events(text: str) -> None:
    """Rejects what would take much memory or a deep stack: anchors, aliases and deep nesting."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlError(f"{_position(event.start_mark)}: anchors and aliases are not allowed{_HINT}")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise YamlError(f"{_position(event.start_mark)}: nested too deeply; allowed: {_MAX_DEPTH} levels")


def _check_keys(node: yaml.Node) -> None:
    if isinstance(node, yaml.SequenceNode):
        for each in node.value:
            _check_keys(each)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            where = _position(key.start_mark)
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                raise YamlError(f"{where}: this key is not allowed; allowed: a text")
            if key.value in seen:
                raise YamlError(f"{where}: the key {quote(key.value)} occurs twice")
            seen.add(key.value)
            _check_keys(value)


def _position(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else "not YAML"
