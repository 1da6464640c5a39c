"""Cuts JavaScript into tokens: enough to see which features of the language a function uses.

It does not check the language; the engine does. Where code is no JavaScript at all, the tokens simply end. Whatever the
code is, the time is in proportion to its length: no expression here is tried again after a failure, but for `_Regexes`,
which remembers.
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
        kind: a template's pieces between its substitutions are `template` tokens, `${` and its `}` are punctuation.
        text: as it is in the code.
        start: where it begins, characters.
        line: where it begins, from 1.
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
_BEFORE_REGEX = frozenset(
    ["return", "typeof", "case", "in", "delete", "void", "throw", "new", "instanceof", "do", "else", "await"]
)
"""Keywords that an expression follows, so that a slash after them begins a regular expression."""


def tokens(code: str) -> Iterator[Token]:
    """The tokens of `code`, without spaces and comments."""
    position, line, length = 0, 1, len(code)
    previous: Token | None = None
    # Whether the previous token names a property, where a keyword is none.
    is_property = False
    # What each open bracket is; "${" when its end goes on with a template, a word of _HEADS when it begins its head.
    brackets: list[str] = []
    # Whether the previous token ends such a head, after which a statement begins.
    is_after_head = False
    regexes = _Regexes(code)
    match_at = _TOKEN.match
    while position < length:
        match = match_at(code, position)
        if match is None:
            return
        kind, text = match.lastgroup, match[0]
        if kind == "space":
            line += _lines(text)
            position = match.end()
            continue
        found: list[tuple[Kind, str]]
        if kind != "special":
            found = [(kind, text)]  # type: ignore[list-item]
        elif text == "`":
            found = _template(code, position, "`")
        elif text == "}":
            is_template = bool(brackets) and brackets[-1] == "${"
            found = _template(code, position, "}") if is_template else [("punctuation", "}")]
        elif code.startswith("/*", position):
            end = code.find("*/", position + 2) + 2
            if end < 2:
                return
            line += _lines(code[position:end])
            position = end
            continue
        elif (is_after_head or (not is_property and _begins_regex(previous))) and (end := regexes.end(position)):
            found = [("regex", code[position:end])]
        else:
            found = [("punctuation", "/=" if code.startswith("/=", position) else "/")]
        for kind, text in found:
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
                line += _lines(text)
            position += len(text)


_HEADS = frozenset(["if", "while", "for", "with"])
_OPENING = frozenset(["{", "(", "[", "${"])
_CLOSING = frozenset(["}", ")", "]"])
_MAY_HAVE_LINES = frozenset(["string", "template"])


class _Regexes:
    """Finds the ends of regular expressions. A place from which none was found is not looked at again."""

    def __init__(self, code: str) -> None:
        self._code = code
        # Positions, twice, and one more within square brackets.
        self._endless: set[int] = set()

    def end(self, start: int) -> int:
        """The end of the expression that begins at the slash at `start`, with its flags; 0 when there is none."""
        code, position, in_class = self._code, start + 1, 0
        seen = []
        while position < len(code) and (place := 2 * position + in_class) not in self._endless:
            seen.append(place)
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
        self._endless.update(seen)
        return 0


def _template(code: str, position: int, opening: str) -> list[tuple[Kind, str]]:
    """A piece of a template, from its backtick or from the end of a substitution, to the next of these."""
    match = _TEMPLATE.match(code, position + 1)
    body = match[0] if match is not None else ""
    after = position + 1 + len(body)
    found: list[tuple[Kind, str]] = [("template", "`" + body)] if opening == "`" else [("punctuation", "}")]
    if opening == "}" and body:
        found.append(("template", body))
    if code.startswith("${", after):
        found.append(("punctuation", "${"))
    elif after < len(code):
        found.append(("template", "`"))
    return found


def _begins_regex(previous: Token | None) -> bool:
    if previous is None:
        return True
    if previous.kind == "name":
        return previous.text in _BEFORE_REGEX
    return previous.kind == "punctuation" and previous.text not in (")", "]", "}", "++", "--")


def _lines(text: str) -> int:
    if text.isascii() and "\r" not in text:
        return text.count("\n")
    return len(re.findall(r"\r\n|[\n\r\u2028\u2029]", text))
