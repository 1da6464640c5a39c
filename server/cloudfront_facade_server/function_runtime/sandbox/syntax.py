"""What the two runtimes document of the language, and the import of the `cloudfront` module.

The engine knows more of JavaScript than CloudFront does. A function that uses what is not documented would pass here
and fail there, so it is refused, in the words of CloudFront's engine. Source: the Developer Guide, JavaScript runtime
1.0 and 2.0 features. Each list is of what the guide leaves out; what it names works.

Each token is looked at once, with its neighbours and the bracket that it stands in: the time is in proportion to the
length of the code.
"""

from __future__ import annotations

from . import RUNTIME_1
from .tokens import Token, tokens

MAX_NESTING = 500
"""Brackets within brackets. The engine's parser reads ahead from each one, so that its time grows with their number; it
gives up itself at a few thousand. CloudFront publishes no figure."""

MODULE = "cloudfront"
BUILT_IN = frozenset(["crypto", "querystring"])
"""Modules that both `import` and `require` give. Developer Guide: the example that validates a token imports one."""

_ONLY_2 = frozenset(["let", "const", "async", "await", "import"])
_NEVER = frozenset(["class", "extends", "super", "export", "yield", "enum", "with", "debugger"])
_WATCHED = _ONLY_2 | _NEVER | {"of", "catch"}
_NEVER_OPERATORS = frozenset(["?.", "??", "??=", "&&=", "||=", "#", "@"])
_DECLARATIONS = frozenset(["var", "let", "const"])
_STATEMENTS = frozenset(["if", "for", "while", "switch", "catch"])
_EXPRESSION_KEYWORDS = frozenset(
    ["return", "typeof", "case", "in", "delete", "void", "throw", "new", "instanceof", "do", "else", "await"]
)
_THROWERS = frozenset(["throw", "reject", "Promise"])
_PAIRS = {"(": ")", "[": "]", "{": "}", "${": "}"}
_ENDS = frozenset(_PAIRS.values())


class UnsupportedSyntaxError(Exception):
    """The code uses what the runtime does not have. The message is that of a SyntaxError."""


class Prepared:
    """A function that the engine may load.

    Attributes:
        script: in strict mode, lines kept; its value is the handler.
        has_module: whether it imports the `cloudfront` module.
        can_throw: whether there is a word in it by which a value can be thrown that is no error.
    """

    __slots__ = ("can_throw", "has_module", "script")

    def __init__(self, script: str, *, has_module: bool, can_throw: bool) -> None:
        self.script = script
        self.has_module = has_module
        self.can_throw = can_throw


def prepared(text: str, runtime: str, module_name: str) -> Prepared:
    """The function as a script.

    Args:
        text: the function.
        runtime: its runtime.
        module_name: the name of the global that stands for the `cloudfront` module.

    Raises:
        UnsupportedSyntaxError: the runtime does not have what the code uses.
    """
    code = _Code(text)
    pieces, end, can_throw, has_module = [], 0, False, False
    for index, token in enumerate(code.tokens):
        if token.kind == "name" and token.text in _THROWERS:
            can_throw = True
        if code.is_refused(index, token, runtime):
            raise UnsupportedSyntaxError(f'Token "{token.text}" not supported in this version in {token.line}')
    for index, token in enumerate(code.tokens):
        if token.text == "import" and token.kind == "name" and not code.is_property(index):
            name, last, value = code.imported(index, module_name)
            stop = last.start + len(last.text)
            lines = "\n" * text.count("\n", token.start, stop)
            pieces.append(f"{text[end : token.start]}const {name} = {value}{lines}")
            has_module = has_module or value == module_name
            end = stop
    script = f'"use strict";{"".join(pieces)}{text[end:]}\n;typeof handler === "function" ? handler : undefined'
    return Prepared(script, has_module=has_module, can_throw=can_throw)


def _tokens(text: str) -> list[Token]:
    """The tokens of a function, which go no further than it may be nested."""
    found, depth = [], 0
    for token in tokens(text):
        found.append(token)
        if token.kind == "punctuation":
            depth += (token.text in _PAIRS) - (token.text in _ENDS)
            if depth > MAX_NESTING:
                raise UnsupportedSyntaxError(f"brackets are nested more than {MAX_NESTING} deep in {token.line}")
    return found


class _Code:
    """The tokens of a function, and the brackets that they stand in.

    Raises:
        UnsupportedSyntaxError: it is nested too deeply.
    """

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self._texts = [token.text for token in self.tokens]
        # What is before the first token, by the index -1, and after the last.
        self._texts.append("")
        self._parents: list[int] = []
        """Where the innermost bracket begins that a token stands in; -1 where there is none."""
        self._partners: dict[int, int] = {}
        """Where each bracket ends, by where it begins."""
        self._nest()
        self._lists = {start for start in self._partners if self._texts[start] == "(" and self._is_list(start)}
        """Where lists of parameters begin."""

    def _nest(self) -> None:
        inside = [-1]
        for index, token in enumerate(self.tokens):
            text = token.text
            is_punctuation = token.kind == "punctuation"
            if is_punctuation and text in _ENDS and len(inside) > 1 and _PAIRS[self._texts[inside[-1]]] == text:
                self._partners[inside.pop()] = index
            self._parents.append(inside[-1])
            if is_punctuation and text in _PAIRS:
                inside.append(index)

    def _is_list(self, start: int) -> bool:
        before, after = self._texts[start - 1], self._texts[self._partners[start] + 1]
        if after == "=>" or before == "function" or self._at(start - 2) in ("function", "get", "set"):
            return True
        return after == "{" and start > 0 and self.tokens[start - 1].kind == "name" and before not in _STATEMENTS

    def _at(self, index: int) -> str:
        return self._texts[index] if 0 <= index < len(self._texts) else ""

    def is_property(self, index: int) -> bool:
        """Whether a name names a property, where every word is allowed."""
        before = self._texts[index - 1]
        return before in (".", "?.") or (before in ("{", ",") and self._texts[index + 1] == ":")

    def imported(self, index: int, module_name: str) -> tuple[str, Token, str]:
        """The name that an import statement gives to a module, the statement's last token, and what the module is."""
        statement = self.tokens[index + 1 : index + 4]
        if [token.kind for token in statement] != ["name", "name", "string"] or statement[1].text != "from":
            raise UnsupportedSyntaxError(f"Illegal import statement in {self.tokens[index].line}")
        name, _, module = statement
        found = module.text[1:-1]
        if found != MODULE and found not in BUILT_IN:
            raise UnsupportedSyntaxError(f'Cannot find module "{found}" in {self.tokens[index].line}')
        return name.text, module, module_name if found == MODULE else f'require("{found}")'

    def is_refused(self, index: int, token: Token, runtime: str) -> bool:
        """Whether the runtime does not have a token.

        Raises:
            UnsupportedSyntaxError: it does not, and has another message for it.
        """
        text = token.text
        if token.kind == "name":
            return text in _WATCHED and not self.is_property(index) and self._is_refused_word(index, token, runtime)
        if token.kind == "punctuation":
            return self._is_refused_punctuation(index, text)
        if token.kind == "number":
            return text.endswith("n") and not text.lower().startswith("0x")
        if token.kind == "template" and index and text.startswith("`") and text != "`":
            before = self.tokens[index - 1]
            return (before.kind == "name" and before.text not in _EXPRESSION_KEYWORDS) or before.text in (")", "]")
        return False

    def _is_refused_word(self, index: int, token: Token, runtime: str) -> bool:
        text, after = token.text, self._texts[index + 1]
        if text == "export":
            raise UnsupportedSyntaxError(f"Illegal export statement in {token.line}")
        if text in _NEVER:
            return True
        if runtime == RUNTIME_1 and text in _ONLY_2 and not self._is_plain_async(index):
            return True
        if text == "of":
            return self._is_loop_head(index)
        if text == "async":
            return self._is_closure(index)
        if text == "await":
            return self._is_argument(index)
        return text == "catch" and after == "{"

    def _is_refused_punctuation(self, index: int, text: str) -> bool:
        if text in _NEVER_OPERATORS:
            return True
        before = self._texts[index - 1]
        if text in ("{", "["):
            in_list = self._parents[index] in self._lists and before in ("(", ",")
            end = self._partners.get(index)
            is_assigned = end is not None and self._texts[end + 1] == "="
            is_pattern = index == 0 or before in (";", "{", "}", "(", ",", "=") or before in _EXPRESSION_KEYWORDS
            return before in _DECLARATIONS or in_list or (is_assigned and is_pattern)
        if text == "=":
            # The default of a parameter.
            return self._parents[index] in self._lists
        if text == "...":
            # A rest parameter is the last of a list of parameters.
            is_name = index + 1 < len(self.tokens) and self.tokens[index + 1].kind == "name"
            return self._parents[index] not in self._lists or not is_name
        return text == "*" and before in ("function", "async")

    def _is_plain_async(self, index: int) -> bool:
        """Whether `async` is an ordinary name, as it may be."""
        is_before_name = index + 1 < len(self.tokens) and self.tokens[index + 1].kind == "name"
        return self._texts[index] == "async" and not is_before_name

    def _is_loop_head(self, index: int) -> bool:
        """Whether `of` stands in the head of a loop, after what that assigns to; elsewhere it is a plain name."""
        parent = self._parents[index]
        if parent < 1 or self._texts[parent] != "(" or "for" not in self._texts[max(parent - 2, 0) : parent]:
            return False
        before = self.tokens[index - 1]
        if before.kind != "name":
            return before.text in _ENDS
        return self.is_property(index - 1) or before.text not in _DECLARATIONS | _EXPRESSION_KEYWORDS

    def _is_closure(self, index: int) -> bool:
        """Whether `async` begins a function that is not a declaration."""
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
        """Whether `await` begins an argument of a call, not what is in the brackets of an expression or a condition."""
        parent = self._parents[index]
        if parent < 1 or self._texts[parent] != "(" or self._texts[index - 1] not in ("(", ","):
            return False
        before = self.tokens[parent - 1]
        is_named = before.kind == "name" and before.text not in _STATEMENTS | _EXPRESSION_KEYWORDS
        return is_named or before.text in (")", "]")
