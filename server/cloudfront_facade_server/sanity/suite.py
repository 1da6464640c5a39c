"""Runs the cases and prints the report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

import grpc

from ..settings.client import SANITY_GROUPS, SanitySettings
from . import function_tests, functions, key_value_stores, key_values, tags
from .expectations import CaseFailedError, describe_error
from .facade import Facade, open_facade
from .registry import Case

OK: Final = "ok"
FAILED: Final = "FAIL"
SKIPPED: Final = "skip"

_REGISTRIES: Final = (functions.case, function_tests.case, key_value_stores.case, key_values.case, tags.case)


@dataclass(frozen=True)
class Result:
    """The result of a case.

    Attributes:
        case: The case.
        state: OK, FAILED or SKIPPED.
        reason: Why it failed or was skipped; empty if it passed.
    """

    case: Case
    state: str
    reason: str = ""


def all_cases() -> list[Case]:
    """Returns the cases of all groups in the order of the groups."""
    cases = [case for registry in _REGISTRIES for case in registry.cases]
    return sorted(cases, key=lambda case: SANITY_GROUPS.index(case.group))


def run(settings: SanitySettings, output: Callable[[str], None]) -> int:
    """Runs the suite against a server.

    Args:
        settings: The server, and the groups of cases to skip.
        output: Prints a line of the report.

    Returns:
        The exit code: 0 if at least one case passed and none failed, otherwise 1. It is also 1 if Ctrl-C or SIGTERM
        ended the run; the created resources are deleted first.
    """
    results: list[Result] = []
    interrupted = False
    with open_facade(settings) as facade:
        try:
            if reason := facade.unusable():
                output(f"{settings.target}: {reason}")
                return 1
            try:
                for result in _results(facade, settings.without):
                    results.append(result)
                    _print(result, output)
            finally:
                remaining = facade.clean_up()
        except KeyboardInterrupt:
            interrupted = True
            # The interrupt may have stopped the clean-up itself.
            remaining = facade.clean_up()
    for name in remaining:
        output(f"{FAILED}  could not be deleted: {name}")
    counts = {state: sum(result.state == state for result in results) for state in (OK, FAILED, SKIPPED)}
    start = "interrupted: " if interrupted else ""
    output(f"{start}{counts[OK]} passed, {counts[FAILED] + len(remaining)} failed, {counts[SKIPPED]} skipped")
    return 1 if interrupted or counts[FAILED] or remaining or not counts[OK] else 0


def _print(result: Result, output: Callable[[str], None]) -> None:
    output(f"{result.state:4}  {result.case.group}: {result.case.sentence}")
    if result.reason:
        output(f"      {result.reason}")


def _results(facade: Facade, without: Collection[str]) -> Iterator[Result]:
    for case in all_cases():
        if missing := sorted({case.group, *case.needs} & set(without)):
            yield Result(case, SKIPPED, f"without {', '.join(missing)}")
            continue
        try:
            case.check(facade)
        except CaseFailedError as error:
            yield Result(case, FAILED, str(error))
        except grpc.RpcError as error:
            yield Result(case, FAILED, describe_error(error))
        except Exception as error:  # noqa: BLE001 (one broken case must not end the run)
            yield Result(case, FAILED, f"bug in the case: {type(error).__name__}: {' '.join(str(error).split())}")
        else:
            yield Result(case, OK)
