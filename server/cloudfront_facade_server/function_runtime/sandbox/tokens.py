"""Splits JavaScript into tokens, precisely enough to find the language features that a function uses.

The engine checks the syntax, not this module: the tokens end at text that is not JavaScript. The time is linear in the
length of the code: the regular expressions here do not backtrack, and `_Regexes` remembers its failures.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    Kind = Literal["name", "number", "string", "template", "regex", "punctuation"]


class Token:
    """A token.

    Attributes:
        kind: The kind. The text of a template literal is `template`; the `${` and `}` of its substitutions are
            `punctuation`.
        text: The token as it is in the code.
        start: The index of its first character.
        line: The number of the line in which it begins, from 1.
    """

    __slots__ = ("kind", "line", "start", "text")

    def __init__(self, kind: Kind, text: str, start: int, line: int) -> None:
        self.kind: Kind = kind
        self.text = text
        self.start = start
        self.line = line


_TOKEN = re.compile(
    r"""
    (?P<space>[\s\ufeff]+|//[^\n\r\u2028\u2029]*)
    |(?P<name>(?:[^\W\d]|[$]|\\u[0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]+\})(?:\w|[$\u200c\u200d]|\\u[0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]+\})*)
    |(?P<number>0[xXoObB][\w]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?n?)
    |(?P<string>"(?:[^"\\\n\r]|\\(?s:.))*"|'(?:[^'\\\n\r]|\\(?s:.))*')
    |(?P<special>/|`|\})
    |(?P<punctuation>>>>=|\.\.\.|[=!]==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|[=!<>]=|&&|\|\||\?\?|\?\.(?!\d)|\+\+|--|[-+*%&|^]=
    |<<|>>|\*\*|[]{()[;,<>+*%&|^!~?:=.@#-])
    """,
    re.VERBOSE,
)
_FLAGS = re.compile(r"[a-zA-Z]*")
_TEMPLATE = re.compile(r"(?:[^`\\$]|\\(?s:.)|\$(?!\{))*")
EXPRESSION_KEYWORDS = frozenset(
    ["return", "typeof", "case", "in", "delete", "void", "throw", "new", "instanceof", "do", "else", "await"]
)
"""Keywords that precede an expression: a slash after one of them begins a regular expression."""


def tokenize(code: str) -> Iterator[Token]:
    """Yields the tokens of `code`, without whitespace and comments."""
    position, line, length = 0, 1, len(code)
    previous: Token | None = None
    # Whether the previous token is a property name, which may be any keyword.
    is_property = False
    # The open brackets. After the "}" of a "${", the template continues. A word of _HEADS represents the "(" after it.
    brackets: list[str] = []
    # Whether the previous token closes such a "(", so that a statement follows.
    is_after_head = False
    regexes = _Regexes(code)
    match_at = _TOKEN.match
    while position < length:
        match = match_at(code, position)
        if match is None:
            return
        kind, text = match.lastgroup, match[0]
        if kind == "space":
            line += _count_lines(text)
            position = match.end()
            continue
        pieces: list[tuple[Kind, str]]
        if kind != "special":
            pieces = [(kind, text)]  # type: ignore[list-item]
        elif text == "`":
            pieces = _template(code, position, "`")
        elif text == "}":
            is_template = bool(brackets) and brackets[-1] == "${"
            pieces = _template(code, position, "}") if is_template else [("punctuation", "}")]
        elif code.startswith("/*", position):
            end = code.find("*/", position + 2) + 2
            if end < 2:
                return
            line += _count_lines(code[position:end])
            position = end
            continue
        elif (is_after_head or (not is_property and _may_precede_regex(previous))) and (end := regexes.end(position)):
            pieces = [("regex", code[position:end])]
        else:
            pieces = [("punctuation", "/=" if code.startswith("/=", position) else "/")]
        for kind, text in pieces:
            is_head = text == "(" and previous is not None and previous.text in _HEADS and not is_property
            is_property = kind == "name" and previous is not None and previous.text in (".", "?.")
            is_after_head = False
            if kind == "punctuation":
                if text in _OPENING:
                    brackets.append(previous.text if is_head and previous else text)
                elif text in _CLOSING and brackets:
                    is_after_head = brackets.pop() in _HEADS
            previous = Token(kind, text, position, line)
            yield previous
            if kind in _MAY_HAVE_LINES:
                line += _count_lines(text)
            position += len(text)


_HEADS = frozenset(["if", "while", "for", "with"])
_OPENING = frozenset(["{", "(", "[", "${"])
_CLOSING = frozenset(["}", ")", "]"])
_MAY_HAVE_LINES = frozenset(["string", "template"])


class _Regexes:
    """Finds the ends of regular expressions. Remembers unterminated ones, so that no position is scanned twice."""

    def __init__(self, code: str) -> None:
        self._code = code
        # Twice the position, plus one inside square brackets.
        self._unterminated: set[int] = set()

    def end(self, start: int) -> int:
        """Returns the end of the expression that begins with the slash at `start`, flags included; 0 if it has none."""
        code, position, in_class = self._code, start + 1, 0
        scanned = []
        while position < len(code) and (state := 2 * position + in_class) not in self._unterminated:
            scanned.append(state)
            character = code[position]
            if character == "\\":
                position += 1
                character = code[position : position + 1]
            elif character == "[":
                in_class = 1
            elif character == "]":
                in_class = 0
            elif character == "/" and not in_class:
                flags = _FLAGS.match(code, position + 1)
                return flags.end() if flags is not None else position + 1
            if character in ("\n", "\r", "\u2028", "\u2029"):
                break
            position += 1
        self._unterminated.update(scanned)
        return 0


def _template(code: str, position: int, opening: str) -> list[tuple[Kind, str]]:
    """Returns the tokens of a template literal, from a backtick or the end of a substitution up to the next one."""
    match = _TEMPLATE.match(code, position + 1)
    body = match[0] if match is not None else ""
    after = position + 1 + len(body)
    pieces: list[tuple[Kind, str]] = [("template", "`" + body)] if opening == "`" else [("punctuation", "}")]
    if opening == "}" and body:
        pieces.append(("template", body))
    if code.startswith("${", after):
        pieces.append(("punctuation", "${"))
    elif after < len(code):
        pieces.append(("template", "`"))
    return pieces


def _may_precede_regex(previous: Token | None) -> bool:
    if previous is None:
        return True
    if previous.kind == "name":
        return previous.text in EXPRESSION_KEYWORDS
    return previous.kind == "punctuation" and previous.text not in (")", "]", "}", "++", "--")


def _count_lines(text: str) -> int:
    if text.isascii() and "\r" not in text:
        return text.count("\n")
    return len(re.findall(r"\r\n|[\n\r\u2028\u2029]", text))
