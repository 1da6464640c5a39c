"""Runs CloudFront functions on quickjs-ng, each run in a process of its own.

Imports nothing of the rest of the server. Its public names are those of `__all__`. Inside, each module imports only
those above it:
`model`                  inputs besides the function, the result, limits and errors
`sandbox`, `scripts/`    what runs in the process: Python that imports nothing outside `sandbox`, and JavaScript
`process`                starts the process, bounds its time and its output, and kills it
`runner`                 sends bytes to the process and parses its response; never looks into the code or the event
"""

from .model import InvalidEventError, Limits, Run, RunnerError, StoreMetadata
from .runner import Runner

__all__ = ["InvalidEventError", "Limits", "Run", "Runner", "RunnerError", "StoreMetadata"]
