"""Runs CloudFront functions for TestFunction, on quickjs-ng in a process of its own for each run.

`Runner` is what the backend uses. Below it, each knowing only what stands before it:
`model`                            what a run is given and gives, its limits and errors
`tokens`, `syntax`                 the language that the runtimes document
`fields`, `event`, `output`        the event structure, in and out
`process`, `worker`, `scripts/`    the process; what runs in it, which imports nothing of this package
"""

from .model import InvalidEventError, Limits, Run, RunnerError, StoreFacts
from .runner import Runner

__all__ = ["InvalidEventError", "Limits", "Run", "Runner", "RunnerError", "StoreFacts"]
