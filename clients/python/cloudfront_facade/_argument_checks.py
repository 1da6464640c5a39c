"""Checks the types of plain arguments. An error names the argument and what it must be, in the caller's words."""

from __future__ import annotations


def type_name(value: object) -> str:
    """Returns the name of a value's type as a caller writes it: None for None."""
    return "None" if value is None else type(value).__name__


def check_text(name: str, value: object) -> None:
    """Raises TypeError if an argument is not text."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be str, not {type_name(value)}")


def check_count(name: str, value: object) -> None:
    """Raises TypeError if an argument is not an integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be int, not {type_name(value)}")


def check_seconds(name: str, value: object) -> None:
    """Raises TypeError if an argument is neither a number of seconds nor None."""
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise TypeError(f"{name} must be a number of seconds or None, not {type_name(value)}")


def check_flag(name: str, value: object) -> None:
    """Raises TypeError if an argument is not True or False: the text "no" would count as True."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, not {type_name(value)}")


def check_callback(name: str, value: object) -> None:
    """Raises TypeError if an argument is neither callable nor None."""
    if value is not None and not callable(value):
        raise TypeError(f"{name} must be callable or None, not {type_name(value)}")
