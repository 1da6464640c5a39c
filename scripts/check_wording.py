#!/usr/bin/env python3
"""Finds phrases that are not idiomatic English in everything a person reads, and suggests the usual ones.

    check_wording.py [FILE ...]      without FILE: every file that git tracks

It skips binary files and the files of SKIPPED, named or not.

Prints FILE:LINE, the phrase and what to write instead. Exits with 1 if it finds a phrase.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

PHRASES = {
    r"tells?|told|telling": "report, return, say or show",
    r"gives?|gave|giving": "return, yield, pass or have",
    r"anew": "again",
    r"mend(s|ed|ing)?": "fix",
    r"(is|are|was|were) (?-i:none)": "is not one",
    r"(?<!there\s)(is|are|was|were) no (?!longer|more|one|need|such|way|other)\w+": "is not a ...",
    r"beside": "next to, besides or except",
    r"apart(?! from\b)": "except",
    r"(nothing|none|anything|everything|4xx|keys?|ASCII) but(?! (not|also|no)\b)": "except",
    r"[,;] for (it|its|they|he|she|this|that|there|no|nobody|none|what|which|then|who|so)": "because",
    r"where (it|there|they|he|she|that|this|none|nobody|nothing|one|no|some|such|CloudFront|gRPC)": "if or when",
    r"where (a|an|the) \w+ (is|are|was) (missing|taken|absent|gone|not)": "if or when",
    r"(?<!connection\s)(?<!connections\s)refus(e|ed|ing|al)s?": "reject",
    r"under way": "in flight",
    r"breathes?": "yield to the event loop",
    r"played with": "disposable",
    r"as (it|they) should(?! not\b)": "correct",
    r"(is|are|was|were|be|been) said": "is set, is specified",
    r"the matter is": "the problem is",
    r"nobody waits": "the caller is gone",
    r"lacks? the right": "is not allowed",
    r"stands? still": "is suspended",
    r"nasty": "hostile",
    r"rubbish": "leftovers",
    r"(goes|go|went|going) on(?! (to|a|the)\b)": "continue",
    r"(computes?|blocks?|waits?|runs?) for long": "for a long time",
    r"for ever": "forever",
    r"(time|deadline|wait) (is|was) over": "has passed or has expired",
    r"own words?": "own message",
    r"own accord": "automatically",
    r"(holds?|held) up": "delay or block",
    r"in one go": "together",
    r"makes? no sense": "is malformed",
    r"in so many (seconds|words)": "in N seconds",
    r"and the like": "and similar ones",
    r"again and again": "repeatedly",
    r"(as many|as much|as often) as (one|you) likes?": "any number of",
    r"knows? no": "does not support",
    r"(is|are|was|were) waited for": "the caller waits for it",
    r"(is|are|was|were) seen to": "is observed to",
    r"in [A-Z]?\w+'s words": "in the wording of",
    r"stays? with (it|them)": "keeps it",
    r"such a one": "one like that",
    r"takes? no for an answer": "insists",
    r"comes? back as": "is returned",
    r"in turns": "interleaved or alternately",
    r"(?-i:in all)(?! \w)": "a total of",
    r"(stays?|stayed|remains?) as (it is|they are|it was|they were)": "does not change",
    r"one after the other": "in order, sequentially or are serialized",
    r"of (its|their) own": "separate, or its own ...",
}
"""Each phrase, as a regular expression of whole words, and what to write instead."""

SKIPPED = (
    "docs/reference/faults.md",  # generated from tests/faults.toml, which is checked, and the names of tests
    "LICENSE",
    "*/LICENSE",
    "*.svg",
    "scripts/check_wording.py",
    "tests/unit/test_wording.py",
    "requirements/*.txt",
    "requirements/buf/package-lock.json",
    "clients/node/package-lock.json",
    "clients/node/src/gen/*",
    "clients/python/cloudfront_facade/v1/*",
)
"""Patterns of the files that are not checked: licenses, generated files, and lists of these phrases."""

_MARK = r"(?:#:?|///?|\*|>)"
"""The start of a line in a comment or in a quote."""

_GAP = rf"(?:[^\S\n]+|[^\S\n]*\n[^\S\n]*(?:{_MARK}[^\S\n]*)?)"
"""Between two words: spaces, or the end of a line and the start of the next one, with its mark."""

_LINE_END = re.compile(rf"\n[^\S\n]*{_MARK}")

_COMPILED = [
    (re.compile(rf"\b(?:{phrase.replace(' ', _GAP)})(?!\w)", re.IGNORECASE), advice)
    for phrase, advice in PHRASES.items()
]


def findings(text: str) -> Iterator[tuple[int, str, str]]:
    """Yields the line number, the phrase on one line, and the advice for each phrase in a text."""
    for phrase, advice in _COMPILED:
        for found in phrase.finditer(text):
            yield text.count("\n", 0, found.start()) + 1, " ".join(_LINE_END.sub(" ", found[0]).split()), advice


def tracked() -> list[Path]:
    """Returns the files that git tracks."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    return [PROJECT / name for name in names.split("\0") if name]


def text_of(path: Path) -> str:
    """Returns the text of a file; empty if it is skipped, binary or no longer there."""
    path = path.resolve()
    name = str(path.relative_to(PROJECT)) if path.is_relative_to(PROJECT) else path.name
    if not path.is_file() or any(fnmatch(name, pattern) for pattern in SKIPPED):
        return ""
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode()


def main(arguments: list[str]) -> int:
    """Runs the check; returns the exit code."""
    count = 0
    for path in map(Path, arguments) if arguments else tracked():
        for number, phrase, advice in findings(text_of(path)):
            count += 1
            print(f'{path}:{number}: "{phrase}": {advice}')
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
