"""Strategies for the bytes of messages, from the descriptors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

_MAX_DEPTH: Final = 4

_INTEGERS: Final[Mapping[int, tuple[int, int]]] = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}

_WIRE_TYPES: Final = range(8)

_PREFIXES: Final = (b"\x7b\x7c", b"\x7b", b"\x7c")
"""A group that no message has, and only its start or end."""


def message_bytes(descriptor: Descriptor, known: Sequence[str]) -> st.SearchStrategy[bytes]:
    """Returns a strategy for valid messages, mutated messages and raw bytes.

    Args:
        descriptor: The type of the messages.
        known: Texts that lead further into the server than random ones: names, ARNs, etags.
    """
    valid = messages(descriptor, known).map(_serialized)
    return st.one_of(
        valid,
        st.builds(_mutated, valid, _mutations()),
        st.builds(bytes.__add__, st.sampled_from(_PREFIXES), valid),
        st.binary(max_size=200),
        _foreign_fields(),
    )


def messages(descriptor: Descriptor, known: Sequence[str], depth: int = 0) -> st.SearchStrategy[Any]:
    """Returns a strategy for messages of a type, with any values of any of its fields."""
    fields = {field.name: _values(field, known, depth) for field in descriptor.fields if depth < _MAX_DEPTH}
    values = st.fixed_dictionaries(fields) | st.fixed_dictionaries({}, optional=fields)
    return values.map(lambda values: _build(descriptor, values))


def _values(field: FieldDescriptor, known: Sequence[str], depth: int) -> st.SearchStrategy[Any]:
    value = _value(field, known, depth)
    return st.lists(value, max_size=4) if field.is_repeated else value


def _value(field: FieldDescriptor, known: Sequence[str], depth: int) -> st.SearchStrategy[Any]:
    kind = field.cpp_type
    if kind == FieldDescriptor.CPPTYPE_MESSAGE:
        assert field.message_type
        return messages(field.message_type, known, depth + 1)
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        assert field.enum_type
        return st.sampled_from([value.number for value in field.enum_type.values]) | st.integers(-1, 5)
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return st.booleans()
    if kind == FieldDescriptor.CPPTYPE_STRING and field.type == FieldDescriptor.TYPE_BYTES:
        codes = st.sampled_from([b"function handler(event) { return event.request; }", b"{", b"{}", b"\xff"])
        return codes | st.binary(max_size=100)
    if kind == FieldDescriptor.CPPTYPE_STRING:
        likely = [text for text in known if field.name.endswith("arn") == text.startswith("arn:")]
        return (
            st.sampled_from(likely)
            | st.sampled_from(known)
            | st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
        )
    if kind in _INTEGERS:
        return st.integers(*_INTEGERS[kind])
    return st.floats(width=32)


def _build(descriptor: Descriptor, values: Mapping[str, Any]) -> Any:
    message = GetMessageClass(descriptor)()
    for name, value in values.items():
        field = descriptor.fields_by_name[name]
        if field.is_repeated:
            getattr(message, name).extend(value)
        elif field.message_type:
            getattr(message, name).CopyFrom(value)
        else:
            setattr(message, name, value)
    return message


def _serialized(message: Any) -> bytes:
    content: bytes = message.SerializeToString()
    return content


def _mutations() -> st.SearchStrategy[list[tuple[str, float, bytes]]]:
    """Returns a strategy for changes: what to do, at which part of the bytes, with which bytes."""
    one = st.tuples(
        st.sampled_from(["replace", "insert", "delete", "cut", "repeat"]),
        st.floats(0, 1),
        st.binary(min_size=1, max_size=8),
    )
    return st.lists(one, min_size=1, max_size=5)


def _mutated(content: bytes, mutations: Sequence[tuple[str, float, bytes]]) -> bytes:
    for kind, part, new in mutations:
        at = int(part * len(content))
        if kind == "cut":
            content = content[:at]
        elif kind == "repeat":
            content = content[:at] + content
        else:
            removed = 0 if kind == "insert" else len(new)
            content = content[:at] + (b"" if kind == "delete" else new) + content[at + removed :]
    return content


def _foreign_fields() -> st.SearchStrategy[bytes]:
    """Returns a strategy for fields of any number and wire type, deep groups and lengths that lie among them."""
    field = st.builds(
        lambda number, wire_type, content: _varint(number << 3 | wire_type) + content,
        st.integers(0, 2**29),
        st.sampled_from(_WIRE_TYPES),
        st.binary(max_size=20) | st.integers(0, 2**64 - 1).map(_varint),
    )
    deep = st.integers(1, 200).map(lambda depth: b"\x0b" * depth)
    return st.lists(field | deep, max_size=10).map(b"".join)


def _varint(number: int) -> bytes:
    content = bytearray()
    while number > 0x7F:
        content.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*content, number])
