"""Rejects language features that the two runtimes do not document, and rewrites imports.

The engine supports more of JavaScript than CloudFront does. A function that uses an undocumented feature would pass a
test here and fail in CloudFront, so it is rejected with the message of CloudFront's engine. Source: the Developer
Guide, JavaScript runtime 1.0 and 2.0 features. The lists below contain the features that the guide does not document.

Each token is checked once, with its neighbours and the bracket around it, so the time is linear in the length of the
code.
"""

from __future__ import annotations

from . import RUNTIME_1
from .tokens import EXPRESSION_KEYWORDS, Token, tokenize

MAX_NESTING = 500
"""Maximum depth of nested brackets. The engine's parser reads ahead from each one, so its time grows with the depth,
and it fails at a few thousand. CloudFront's limit is not published."""

MODULE = "cloudfront"
BUILT_IN = frozenset(["crypto", "querystring"])
"""Modules that can be imported or required, as in the Developer Guide's example of token validation."""

_RUNTIME_2_WORDS = frozenset(["let", "const", "async", "await", "import"])
_UNSUPPORTED_WORDS = frozenset(["class", "extends", "super", "export", "yield", "enum", "with", "debugger"])
_CHECKED = _RUNTIME_2_WORDS | _UNSUPPORTED_WORDS | {"of", "catch"}
_UNSUPPORTED_OPERATORS = frozenset(["?.", "??", "??=", "&&=", "||=", "#", "@"])
_DECLARATIONS = frozenset(["var", "let", "const"])
_STATEMENTS = frozenset(["if", "for", "while", "switch", "catch"])
_WORDS_THAT_THROW = frozenset(["throw", "reject", "Promise"])
_BRACKETS = {"(": ")", "[": "]", "{": "}", "${": "}"}
_CLOSING = frozenset(_BRACKETS.values())


class UnsupportedSyntaxError(Exception):
    """The code uses a feature that the runtime does not support. The message is that of a SyntaxError."""


class Script:
    """A function that the engine may load.

    Attributes:
        text: The code in strict mode, with the same line numbers; evaluates to the handler.
        imports_cloudfront: Whether it imports the `cloudfront` module.
        may_throw_null: Whether it contains a word with which it could throw null.
    """

    __slots__ = ("imports_cloudfront", "may_throw_null", "text")

    def __init__(self, text: str, *, imports_cloudfront: bool, may_throw_null: bool) -> None:
        self.text = text
        self.imports_cloudfront = imports_cloudfront
        self.may_throw_null = may_throw_null


def to_script(text: str, runtime: str, module_name: str) -> Script:
    """Checks a function and turns it into a script.

    Args:
        text: The function.
        runtime: Its runtime.
        module_name: The name of the global that holds the `cloudfront` module.

    Returns:
        The script.

    Raises:
        UnsupportedSyntaxError: The code uses a feature that the runtime does not support.
    """
    code = _Code(text)
    pieces, end, may_throw_null, imports_cloudfront = [], 0, False, False
    for index, token in enumerate(code.tokens):
        if token.kind == "name" and token.text in _WORDS_THAT_THROW:
            may_throw_null = True
        if code.is_unsupported(index, token, runtime):
            raise UnsupportedSyntaxError(f'Token "{token.text}" not supported in this version in {token.line}')
    for index, token in enumerate(code.tokens):
        if token.text == "import" and token.kind == "name" and not code.is_property(index):
            name, last, value = code.parse_import(index, module_name)
            stop = last.start + len(last.text)
            lines = "\n" * text.count("\n", token.start, stop)
            pieces.append(f"{text[end : token.start]}const {name} = {value}{lines}")
            imports_cloudfront = imports_cloudfront or value == module_name
            end = stop
    script = f'"use strict";{"".join(pieces)}{text[end:]}\n;typeof handler === "function" ? handler : undefined'
    return Script(script, imports_cloudfront=imports_cloudfront, may_throw_null=may_throw_null)


def _tokens(text: str) -> list[Token]:
    """Returns the tokens of a function; rejects it as soon as it is nested too deeply."""
    result, depth = [], 0
    for token in tokenize(text):
        result.append(token)
        if token.kind == "punctuation":
            depth += (token.text in _BRACKETS) - (token.text in _CLOSING)
            if depth > MAX_NESTING:
                raise UnsupportedSyntaxError(f"brackets are nested more than {MAX_NESTING} deep in {token.line}")
    return result


class _Code:
    """The tokens of a function, and the brackets that enclose each.

    Raises:
        UnsupportedSyntaxError: The code is nested too deeply.
    """

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self._texts = [token.text for token in self.tokens]
        # The text before the first token, at index -1, and after the last.
        self._texts.append("")
        self._parents: list[int] = []
        """For each token, the index of the innermost bracket that is open before it; -1 outside all brackets."""
        self._partners: dict[int, int] = {}
        """The index of the closing bracket, by the index of the opening one."""
        self._match_brackets()
        self._parameter_lists = {
            start for start in self._partners if self._texts[start] == "(" and self._is_parameter_list(start)
        }
        """The indices of the brackets that open a list of parameters."""

    def _match_brackets(self) -> None:
        inside = [-1]
        for index, token in enumerate(self.tokens):
            text = token.text
            is_punctuation = token.kind == "punctuation"
            if is_punctuation and text in _CLOSING and len(inside) > 1 and _BRACKETS[self._texts[inside[-1]]] == text:
                self._partners[inside.pop()] = index
            self._parents.append(inside[-1])
            if is_punctuation and text in _BRACKETS:
                inside.append(index)

    def _is_parameter_list(self, start: int) -> bool:
        before, after = self._texts[start - 1], self._texts[self._partners[start] + 1]
        if after == "=>" or before == "function" or self._at(start - 2) in ("function", "get", "set"):
            return True
        return after == "{" and start > 0 and self.tokens[start - 1].kind == "name" and before not in _STATEMENTS

    def _at(self, index: int) -> str:
        return self._texts[index] if 0 <= index < len(self._texts) else ""

    def is_property(self, index: int) -> bool:
        """Returns whether a name is a property name, which may be any word."""
        before = self._texts[index - 1]
        return before in (".", "?.") or (before in ("{", ",") and self._texts[index + 1] == ":")

    def parse_import(self, index: int, module_name: str) -> tuple[str, Token, str]:
        """Parses an import statement.

        Returns:
            The name that it declares, its last token, and an expression for the module.

        Raises:
            UnsupportedSyntaxError: The statement has another form, or the module does not exist.
        """
        statement = self.tokens[index + 1 : index + 4]
        if statement and statement[0].text == "{":
            raise UnsupportedSyntaxError(f"Non-default import is not supported in {self.tokens[index].line}")
        if [token.kind for token in statement] != ["name", "name", "string"] or statement[1].text != "from":
            raise UnsupportedSyntaxError(f"Illegal import statement in {self.tokens[index].line}")
        name, _, module = statement
        imported = module.text[1:-1]
        if imported != MODULE and imported not in BUILT_IN:
            raise UnsupportedSyntaxError(f'Cannot find module "{imported}" in {self.tokens[index].line}')
        return name.text, module, module_name if imported == MODULE else f'require("{imported}")'

    def is_unsupported(self, index: int, token: Token, runtime: str) -> bool:
        """Returns whether the runtime does not support a token.

        Raises:
            UnsupportedSyntaxError: It does not, and CloudFront has a specific message for this token.
        """
        text = token.text
        if token.kind == "name":
            return text in _CHECKED and not self.is_property(index) and self._is_unsupported_word(index, token, runtime)
        if token.kind == "punctuation":
            return self._is_unsupported_punctuation(index, text)
        if token.kind == "number":
            return text.endswith("n") and not text.lower().startswith("0x")
        if token.kind == "template" and index and text.startswith("`") and text != "`":
            before = self.tokens[index - 1]
            return (before.kind == "name" and before.text not in EXPRESSION_KEYWORDS) or before.text in (")", "]")
        return False

    def _is_unsupported_word(self, index: int, token: Token, runtime: str) -> bool:
        text, after = token.text, self._texts[index + 1]
        if text == "export":
            raise UnsupportedSyntaxError(f"Illegal export statement in {token.line}")
        if text in _UNSUPPORTED_WORDS:
            return True
        if runtime == RUNTIME_1 and text in _RUNTIME_2_WORDS and not self._is_plain_async(index):
            return True
        if text == "of":
            return self._is_loop_head(index)
        if text == "async":
            return self._is_closure(index)
        if text == "await" and self._is_argument(index):
            raise UnsupportedSyntaxError(f"await in arguments not supported in {token.line}")
        if text == "catch" and after == "{":
            body = self.tokens[index + 1]
            raise UnsupportedSyntaxError(f'Token "{body.text}" not supported in this version in {body.line}')
        return False

    def _is_unsupported_punctuation(self, index: int, text: str) -> bool:
        if text in _UNSUPPORTED_OPERATORS:
            return True
        before = self._texts[index - 1]
        if text in ("{", "["):
            is_parameter = self._parents[index] in self._parameter_lists and before in ("(", ",")
            end = self._partners.get(index)
            is_assigned = end is not None and self._texts[end + 1] == "="
            is_pattern = index == 0 or before in (";", "{", "}", "(", ",", "=") or before in EXPRESSION_KEYWORDS
            return before in _DECLARATIONS or is_parameter or (is_assigned and is_pattern)
        if text == "=":
            # The default value of a parameter.
            return self._parents[index] in self._parameter_lists
        if text == "...":
            # Only a rest parameter is documented, not a spread.
            is_name = index + 1 < len(self.tokens) and self.tokens[index + 1].kind == "name"
            return self._parents[index] not in self._parameter_lists or not is_name
        return text == "*" and before in ("function", "async")

    def _is_plain_async(self, index: int) -> bool:
        """Returns whether `async` is used as an ordinary name."""
        is_before_name = index + 1 < len(self.tokens) and self.tokens[index + 1].kind == "name"
        return self._texts[index] == "async" and not is_before_name

    def _is_loop_head(self, index: int) -> bool:
        """Returns whether `of` follows the target in the head of a loop; elsewhere it is an ordinary name."""
        parent = self._parents[index]
        if parent < 1 or self._texts[parent] != "(" or "for" not in self._texts[max(parent - 2, 0) : parent]:
            return False
        before = self.tokens[index - 1]
        if before.kind != "name":
            return before.text in _CLOSING
        return self.is_property(index - 1) or before.text not in _DECLARATIONS | EXPRESSION_KEYWORDS

    def _is_closure(self, index: int) -> bool:
        """Returns whether `async` begins a function that is not a declaration."""
        after = self._texts[index + 1]
        if after == "(":
            end = self._partners.get(index + 1)
            return end is not None and self._texts[end + 1] == "=>"
        if after != "function":
            return self._at(index + 2) == "=>"
        before = self._texts[index - 1]
        is_first = index == 0 or before in (";", "{", "}") or self.tokens[index - 1].line < self.tokens[index].line
        return not is_first or before in ("(", ",", "=", "=>", ":", "return")

    def _is_argument(self, index: int) -> bool:
        """Returns whether `await` begins an argument of a call, not a parenthesized expression or a condition."""
        parent = self._parents[index]
        if parent < 1 or self._texts[parent] != "(" or self._texts[index - 1] not in ("(", ","):
            return False
        before = self.tokens[parent - 1]
        is_named = before.kind == "name" and before.text not in _STATEMENTS | EXPRESSION_KEYWORDS
        return is_named or before.text in (")", "]")
