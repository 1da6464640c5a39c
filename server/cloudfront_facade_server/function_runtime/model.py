"""Limits and errors of a run, its result, and the metadata of a store."""

from __future__ import annotations

from dataclasses import dataclass


class RunnerError(Exception):
    """The runner failed, not the function. The message is one line for the log."""


class InvalidEventError(ValueError):
    """CloudFront would not pass this event to a function. The message is for the caller."""


@dataclass(frozen=True, slots=True)
class Run:
    """The result of running a function once.

    Attributes:
        output: CloudFront's `FunctionOutput`, JSON text: `{"request": ...}` or `{"response": ...}`. None after an
            error.
        error_message: The error of the function or of the value that it returned. None if there was no error.
        logs: The lines written with `console.log`.
        compute_utilization: CPU time in percent of the limit, 0 to 100; an estimate of CloudFront's.
    """

    output: str | None
    error_message: str | None
    logs: list[str]
    compute_utilization: int


@dataclass(frozen=True, slots=True)
class StoreMetadata:
    """The metadata of the associated store, for `kvs()` and `meta()`. Times are in ISO 8601, as in CloudFront."""

    id: str
    creation_date_time: str
    last_updated_date_time: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The resources that one run may use.

    Attributes:
        memory_bytes: JavaScript memory, without that of the runtime itself. Source: the Developer Guide, quotas
            on CloudFront Functions, 2 MB.
        cpu_seconds: CPU time to load and run the function; 100 percent of compute utilization. CloudFront's limit is
            not published; its functions run "under a millisecond", in another engine on another machine.
        wall_seconds: Time from the start of the process to its end.
        log_bytes: Size of all log lines of one run, as UTF-8. Source: the Developer Guide, restrictions on CloudFront
            Functions.
        output_bytes: Size of the returned value, as JSON. CloudFront's limit is not published.
    """

    memory_bytes: int = 2 * 1024 * 1024
    cpu_seconds: float = 0.05
    wall_seconds: float = 1.6
    log_bytes: int = 10 * 1024
    output_bytes: int = 256 * 1024
