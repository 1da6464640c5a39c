"""What the two runtimes document of the language, and the import of the `cloudfront` module.

The engine knows more of JavaScript than CloudFront does. A function that uses what is not documented would pass here
and fail there, so it is refused, in the words of CloudFront's engine. Source: the Developer Guide, JavaScript runtime
1.0 and 2.0 features. Each list is of what the guide leaves out; what it names works.
"""

from __future__ import annotations

from collections.abc import Sequence

from .model import RUNTIME_1
from .tokens import Token, tokens

MODULE = "cloudfront"
_ONLY_2 = frozenset(["let", "const", "async", "await", "import"])
_NEVER = frozenset(["class", "extends", "super", "export", "yield", "enum", "with", "debugger"])
_NEVER_OPERATORS = frozenset(["?.", "??", "??=", "&&=", "||=", "#", "@"])
_DECLARATIONS = frozenset(["var", "let", "const"])
_PAIRS = {"(": ")", "[": "]", "{": "}", "${": "}"}


class UnsupportedSyntaxError(Exception):
    """The code uses what the runtime does not have. The message is that of a SyntaxError."""


def prepared(code: str, runtime: str, module_name: str) -> tuple[str, bool]:
    """The code as a script in strict mode that ends with its handler.

    Args:
        code: the function.
        runtime: its runtime.
        module_name: the name of the global that stands for the `cloudfront` module.

    Returns:
        The script, lines kept, and whether it imports the module.

    Raises:
        UnsupportedSyntaxError: the runtime does not have what the code uses.
    """
    found = list(tokens(code))
    partners = _partners(found)
    parameters = _parameters(found, partners)
    for index, token in enumerate(found):
        _check(found, index, token, runtime, partners, parameters)
    imports = [index for index, token in enumerate(found) if token.text == "import" and not _is_property(found, index)]
    pieces, end = [], 0
    for index in imports:
        name, last = _import(found, index)
        start, stop = found[index].start, last.start + len(last.text)
        lines = "\n" * code.count("\n", start, stop)
        pieces.append(f"{code[end:start]}const {name} = {module_name}{lines}")
        end = stop
    script = f'"use strict";{"".join(pieces)}{code[end:]}\n;typeof handler === "function" ? handler : undefined'
    return script, bool(imports)


def _import(found: Sequence[Token], index: int) -> tuple[str, Token]:
    statement = found[index + 1 : index + 4]
    if (
        len(statement) < 3
        or statement[0].kind != "name"
        or statement[1].text != "from"
        or statement[2].kind != "string"
    ):
        raise UnsupportedSyntaxError(f"Illegal import statement in {found[index].line}")
    if statement[2].text[1:-1] != MODULE:
        raise UnsupportedSyntaxError(f'Cannot find module "{statement[2].text[1:-1]}" in {found[index].line}')
    return statement[0].text, statement[2]


def _check(
    found: Sequence[Token],
    index: int,
    token: Token,
    runtime: str,
    partners: dict[int, int],
    parameters: dict[int, int],
) -> None:
    before = found[index - 1] if index else None
    after = found[index + 1] if index + 1 < len(found) else None
    refused = False
    if token.kind == "name" and not _is_property(found, index):
        if token.text == "export":
            raise UnsupportedSyntaxError(f"Illegal export statement in {token.line}")
        refused = (
            token.text in _NEVER
            or (runtime == RUNTIME_1 and token.text in _ONLY_2 and not _is_plain_name(token, after))
            or (token.text == "of" and _is_loop_head(found, index))
            or (token.text == "async" and _is_closure(found, index))
            or (
                token.text == "await"
                and before is not None
                and before.text in ("(", ",")
                and _is_argument(found, index)
            )
            or (token.text == "catch" and after is not None and after.text == "{")
        )
    elif token.kind == "number":
        refused = token.text.endswith("n") and not token.text.lower().startswith("0x")
    elif token.kind == "template" and before is not None and token.text.startswith("`") and token.text != "`":
        refused = (before.kind == "name" and before.text not in _EXPRESSION_KEYWORDS) or before.text in (")", "]")
    elif token.kind == "punctuation":
        refused = _is_refused_punctuation(found, index, token, before, after, partners, parameters)
    if refused:
        raise UnsupportedSyntaxError(f'Token "{token.text}" not supported in this version in {token.line}')


_EXPRESSION_KEYWORDS = frozenset(
    ["return", "typeof", "case", "in", "delete", "void", "throw", "new", "instanceof", "do", "else", "await"]
)


def _is_refused_punctuation(
    found: Sequence[Token],
    index: int,
    token: Token,
    before: Token | None,
    after: Token | None,
    partners: dict[int, int],
    parameters: dict[int, int],
) -> bool:
    text = token.text
    if text in _NEVER_OPERATORS:
        return True
    if text == "...":
        # A rest parameter is the last of a list of parameters.
        return index not in parameters or after is None or after.kind != "name"
    if text == "*" and before is not None and before.text in ("function", "async"):
        return True
    if text in ("{", "["):
        declared = before is not None and before.text in _DECLARATIONS and before.kind == "name"
        parameter = index in parameters and before is not None and before.text in ("(", ",")
        end = partners.get(index)
        assigned = end is not None and end + 1 < len(found) and found[end + 1].text == "="
        pattern = before is None or before.text in (";", "{", "}", "(", ",", "=") or before.text in _EXPRESSION_KEYWORDS
        return declared or parameter or (assigned and pattern)
    # The default of a parameter.
    return text == "=" and index in parameters


def _partners(found: Sequence[Token]) -> dict[int, int]:
    """The index of each bracket's end, by that of its beginning."""
    partners: dict[int, int] = {}
    open_brackets: list[int] = []
    for index, token in enumerate(found):
        if token.kind != "punctuation":
            continue
        if token.text in _PAIRS:
            open_brackets.append(index)
        elif token.text in _PAIRS.values() and open_brackets and _PAIRS[found[open_brackets[-1]].text] == token.text:
            partners[open_brackets.pop()] = index
    return partners


def _parameters(found: Sequence[Token], partners: dict[int, int]) -> dict[int, int]:
    """The tokens directly in a list of parameters, by their index, with that of the list's beginning."""
    inside: dict[int, int] = {}
    for start, end in partners.items():
        if found[start].text != "(":
            continue
        before = found[start - 1].text if start else ""
        earlier = found[start - 2].text if start > 1 else ""
        after = found[end + 1].text if end + 1 < len(found) else ""
        is_list = after == "=>" or before == "function" or earlier in ("function", "get", "set")
        method = after == "{" and start > 0 and found[start - 1].kind == "name" and before not in _STATEMENTS
        if is_list or method:
            depth = 0
            for index in range(start + 1, end):
                text = found[index].text if found[index].kind == "punctuation" else ""
                depth -= text in _PAIRS.values()
                if depth == 0:
                    inside[index] = start
                depth += text in _PAIRS
    return inside


_STATEMENTS = frozenset(["if", "for", "while", "switch", "catch"])


def _is_property(found: Sequence[Token], index: int) -> bool:
    """Whether a name names a property, where every word is allowed."""
    before = found[index - 1].text if index else ""
    after = found[index + 1].text if index + 1 < len(found) else ""
    return before in (".", "?.") or (after == ":" and before in ("{", ","))


def _is_plain_name(token: Token, after: Token | None) -> bool:
    """Whether `async` is an ordinary name, as it may be."""
    return token.text == "async" and not (after is not None and (after.text == "function" or after.kind == "name"))


def _is_loop_head(found: Sequence[Token], index: int) -> bool:
    head = [token.text for token in found[max(index - 4, 0) : index]]
    return head[-2:-1] == ["("] or (len(head) > 2 and head[-3] == "(" and head[-2] in _DECLARATIONS)


def _is_closure(found: Sequence[Token], index: int) -> bool:
    """Whether `async` begins a function that is not a declaration."""
    before = found[index - 1] if index else None
    after = found[index + 1] if index + 1 < len(found) else None
    if after is None or (after.text == "(" and not _is_arrow(found, index + 1)):
        return False
    if after.text != "function":
        return after.text == "(" or (index + 2 < len(found) and found[index + 2].text == "=>")
    is_statement = before is None or before.text in (";", "{", "}") or before.line < found[index].line
    return not is_statement or (before is not None and before.text in ("(", ",", "=", "=>", ":", "return"))


def _is_arrow(found: Sequence[Token], start: int) -> bool:
    depth = 0
    for index in range(start, len(found)):
        depth += (found[index].text == "(") - (found[index].text == ")")
        if depth == 0:
            return index + 1 < len(found) and found[index + 1].text == "=>"
    return False


def _is_argument(found: Sequence[Token], index: int) -> bool:
    """Whether `await` begins an argument of a call, not what is in the brackets of an expression or a condition."""
    if index == 0 or found[index - 1].text not in ("(", ","):
        return False
    depth = 0
    for position in range(index - 1, -1, -1):
        text = found[position].text
        depth += (text in (")", "]", "}")) - (text in ("(", "[", "{"))
        if depth < 0:
            if text != "(" or position == 0:
                return False
            before = found[position - 1]
            named = before.kind == "name" and before.text not in _STATEMENTS | _EXPRESSION_KEYWORDS | {"return"}
            return named or before.text in (")", "]")
    return False
