"""The Python code that runs in the process of a function: all code that parses what callers and functions send.

It imports only its own modules and fast ones of the standard library, because each run imports them again. Each module
imports only those above it:
`tokens`, `syntax`              the language that the runtimes document
`fields`, `event`, `output`     the event structure, as input and output
`confinement`                   what the process may no longer do, enforced by the kernel
`worker`                        one run, from the request to the response
"""

from enum import StrEnum

RUNTIME_1 = "cloudfront-js-1.0"
RUNTIME_2 = "cloudfront-js-2.0"


class State(StrEnum):
    """How a run ended.

    The worker reports all states except CRASHED and TIMEOUT, which the runner sets after the process has ended.
    """

    COMPLETED = "completed"
    CPU_TIME_EXCEEDED = "cpu_time_exceeded"
    CRASHED = "crashed"
    FAILED = "failed"
    """The function threw an error, or could not be loaded."""
    INVALID_CODE = "invalid_code"
    """The runtime does not support the code."""
    INVALID_EVENT = "invalid_event"
    INVALID_OUTPUT = "invalid_output"
    MEMORY_EXCEEDED = "memory_exceeded"
    OUTPUT_EXCEEDED = "output_exceeded"
    PENDING = "pending"
    """The function returned a promise that can no longer settle."""
    THREW_NULL = "threw_null"
    """The function threw null, or the engine did because no memory was left to create an error."""
    TIMEOUT = "timeout"
    """The wall-clock limit was exceeded."""
