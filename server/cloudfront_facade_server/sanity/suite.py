"""The cases that there are, their run and its report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

import grpc

from ..settings import SANITY_GROUPS, SanitySettings
from .facade import CaseFailedError, Facade, describe_error, open_facade

Check = Callable[[Facade], None]

OK: Final = "ok"
FAILED: Final = "FAIL"
SKIPPED: Final = "skip"


@dataclass(frozen=True)
class Case:
    """One behaviour.

    Attributes:
        sentence: what a facade should do.
        group: a name of SANITY_GROUPS.
        needs: other groups whose rpcs the case calls too.
        check: raises UnmetError, or grpc.RpcError, where it does not; anything else is a fault of the check.
    """

    sentence: str
    group: str
    needs: frozenset[str]
    check: Check


class Cases:
    """The cases of one group; used as a decorator. The docstring of a check is its sentence."""

    def __init__(self, group: str) -> None:
        self._group = group
        self.all: list[Case] = []

    def __call__(self, *needs: str) -> Callable[[Check], Check]:
        """Adds a check that needs the rpcs of these groups too."""

        def add(check: Check) -> Check:
            self.all.append(Case(" ".join((check.__doc__ or "").split()), self._group, frozenset(needs), check))
            return check

        return add


@dataclass(frozen=True)
class Verdict:
    """What came of a case.

    Attributes:
        case: the case.
        state: OK, FAILED or SKIPPED.
        why: what was not as it should be; empty where it was.
    """

    case: Case
    state: str
    why: str = ""


def all_cases() -> list[Case]:
    """Gives the cases of all groups."""
    from . import function_tests, functions, key_value_stores, key_values, tags

    modules = {module.case for module in (functions, function_tests, key_value_stores, key_values, tags)}
    return sorted((each for cases in modules for each in cases.all), key=lambda each: SANITY_GROUPS.index(each.group))


def run(settings: SanitySettings, say: Callable[[str], None]) -> int:
    """Runs the suite against an endpoint.

    Args:
        settings: which endpoint, and what it does not have.
        say: takes the lines of the report.

    Returns:
        The exit code: 0 where every case that was run held; 1 also where Ctrl-C or SIGTERM ended the run, after the
        clean-up.
    """
    verdicts: list[Verdict] = []
    interrupted = False
    with open_facade(settings) as facade:
        try:
            if reason := facade.unreachable():
                say(f"{settings.target}: {reason}")
                return 1
            try:
                for verdict in _verdicts(facade, settings.without):
                    verdicts.append(verdict)
                    _say(verdict, say)
            finally:
                left = facade.clean_up()
        except KeyboardInterrupt:
            interrupted = True
            # It may have been the clean-up that was interrupted.
            left = facade.clean_up()
    for name in left:
        say(f"{FAILED}  could not be deleted: {name}")
    counts = {state: sum(each.state == state for each in verdicts) for state in (OK, FAILED, SKIPPED)}
    start = "interrupted: " if interrupted else ""
    say(f"{start}{counts[OK]} passed, {counts[FAILED] + len(left)} failed, {counts[SKIPPED]} skipped")
    return 1 if interrupted or counts[FAILED] or left or not counts[OK] else 0


def _say(verdict: Verdict, say: Callable[[str], None]) -> None:
    say(f"{verdict.state:4}  {verdict.case.group}: {verdict.case.sentence}")
    if verdict.why:
        say(f"      {verdict.why}")


def _verdicts(facade: Facade, without: Collection[str]) -> Iterator[Verdict]:
    for case in all_cases():
        if missing := sorted({case.group, *case.needs} & set(without)):
            yield Verdict(case, SKIPPED, f"without {', '.join(missing)}")
            continue
        try:
            case.check(facade)
        except CaseFailedError as error:
            yield Verdict(case, FAILED, str(error))
        except grpc.RpcError as error:
            yield Verdict(case, FAILED, describe_error(error))
        except Exception as error:  # noqa: BLE001 (a case that is wrong itself; the others are not)
            yield Verdict(case, FAILED, f"a fault of the case: {type(error).__name__}: {' '.join(str(error).split())}")
        else:
            yield Verdict(case, OK)
