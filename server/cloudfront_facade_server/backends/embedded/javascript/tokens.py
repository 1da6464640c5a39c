"""Cuts JavaScript into tokens: enough to see which features of the language a function uses.

It does not check the language; the engine does. Where code is no JavaScript at all, the tokens simply end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["name", "number", "string", "template", "regex", "punctuation"]


@dataclass(frozen=True, slots=True)
class Token:
    """A token.

    Attributes:
        kind: a template's pieces between its substitutions are `template` tokens, `${` and its `}` are punctuation.
        text: as it is in the code.
        start: where it begins, characters.
        line: where it begins, from 1.
    """

    kind: Kind
    text: str
    start: int
    line: int


_PUNCTUATION = re.compile(
    r">>>=|\.\.\.|[=!]==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|[=!<>]=|&&|\|\||\?\?|\?\.(?!\d)|\+\+|--|[-+*/%&|^]=|<<|>>|\*\*"
    r"|[]{}()[;,<>+*/%&|^!~?:=.@#-]"
)
_TOKEN = re.compile(
    r"""
    (?P<space>[\s\ufeff]+|//[^\n\r\u2028\u2029]*|/\*(?s:.*?)\*/)
    |(?P<name>(?:[^\W\d]|[$]|\\u[0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]+\})(?:\w|[$\u200c\u200d]|\\u[0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]+\})*)
    |(?P<number>0[xXoObB][\w]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?n?)
    |(?P<string>"(?:[^"\\\n\r]|\\(?s:.))*"|'(?:[^'\\\n\r]|\\(?s:.))*')
    """,
    re.VERBOSE,
)
_REGEX = re.compile(r"/(?:[^\\/\[\n\r]|\\[^\n\r]|\[(?:[^\]\\\n\r]|\\[^\n\r])*\])+/[a-zA-Z]*")
_TEMPLATE = re.compile(r"(?:[^`\\$]|\\(?s:.)|\$(?!\{))*")
_BEFORE_REGEX = frozenset(
    ["return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "instanceof", "do", "else", "await"]
)
"""Keywords that an expression follows, so that a slash after them begins a regular expression."""


def tokens(code: str) -> Iterator[Token]:
    """The tokens of `code`, without spaces and comments."""
    position, line = 0, 1
    previous: Token | None = None
    # What each open bracket is; "${" when its end goes on with a template.
    brackets: list[str] = []
    while position < len(code):
        match = _TOKEN.match(code, position)
        if match is not None and match.lastgroup == "space":
            line += _lines(match[0])
            position = match.end()
            continue
        found: list[tuple[Kind, str]] = []
        if match is not None:
            kind: Kind = match.lastgroup  # type: ignore[assignment]
            found.append((kind, match[0]))
        elif code[position] == "`":
            found.extend(_template(code, position, "`"))
        elif code[position] == "/" and _begins_regex(previous) and (regex := _REGEX.match(code, position)):
            found.append(("regex", regex[0]))
        else:
            punctuation = _PUNCTUATION.match(code, position)
            if punctuation is None:
                return
            text = punctuation[0]
            if text == "}" and brackets and brackets[-1] == "${":
                found.extend(_template(code, position, "}"))
            else:
                found.append(("punctuation", text))
        for kind, text in found:
            previous = Token(kind, text, position, line)
            if text in ("{", "(", "[", "${"):
                brackets.append(text)
            elif text in ("}", ")", "]") and kind == "punctuation" and brackets:
                brackets.pop()
            yield previous
            line += _lines(text)
            position += len(text)


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
    return len(re.findall(r"\r\n|[\n\r\u2028\u2029]", text))
