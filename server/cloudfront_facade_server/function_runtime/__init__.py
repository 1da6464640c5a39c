"""Runs CloudFront functions for TestFunction, on quickjs-ng in a process of its own for each run.

`Runner` is what the backend uses. Below it, each knowing only what stands before it:
`model`                  what a run is given and gives, its limits and errors
`sandbox`, `scripts/`    what runs in the process: Python, which imports nothing else of this server, and JavaScript
`process`                the process
`runner`                 hands bytes to the process and reads its answer; looks into neither the code nor the event
"""

from .model import InvalidEventError, Limits, Run, RunnerError, StoreMetadata
from .runner import Runner

__all__ = ["InvalidEventError", "Limits", "Run", "Runner", "RunnerError", "StoreMetadata"]
