"""What a run is given besides the function, what it gives, and how it can fail."""

from __future__ import annotations

from dataclasses import dataclass


class RunnerError(Exception):
    """The runner failed, not the function: no engine, or no process. The message is one line for the log."""


class InvalidEventError(ValueError):
    """The event is not one that CloudFront could pass to a function. The message is for the caller."""


@dataclass(frozen=True, slots=True)
class Run:
    """What running a function gave.

    Attributes:
        output: CloudFront's `FunctionOutput`, JSON text: `{"request": ...}` or `{"response": ...}`. None after an
            error.
        error_message: what went wrong in the function or with what it returned. None when nothing did.
        logs: the lines that it wrote with `console.log`.
        compute_utilization: 0 to 100, percent of the allowed CPU time; an estimate, not CloudFront's figure.
    """

    output: str | None
    error_message: str | None
    logs: list[str]
    compute_utilization: int


@dataclass(frozen=True, slots=True)
class StoreMetadata:
    """What `kvs()` and `meta()` tell of the associated store. Times are in ISO 8601, as CloudFront gives them."""

    id: str
    creation_date_time: str
    last_updated_date_time: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a function may use up.

    Attributes:
        memory_bytes: JavaScript memory, besides what the runtime itself takes. Source: the Developer Guide, quotas on
            CloudFront Functions, 2 MB.
        cpu_seconds: CPU time of loading and running; 100 percent of compute utilization. CloudFront's own figure is not
            published; its functions run "under a millisecond", in another engine on another machine.
        wall_seconds: from the start of the process to its end, whatever it does.
        log_bytes: all lines of one run, as UTF-8. Source: the Developer Guide, restrictions on CloudFront Functions.
        output_bytes: what the function returns, as JSON. CloudFront's figure is not published.
    """

    memory_bytes: int = 2 * 1024 * 1024
    cpu_seconds: float = 0.05
    wall_seconds: float = 1.6
    log_bytes: int = 10 * 1024
    output_bytes: int = 256 * 1024
