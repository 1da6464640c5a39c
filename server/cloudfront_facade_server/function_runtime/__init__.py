"""Runs CloudFront functions on quickjs-ng, each run in a separate process.

It imports nothing from the rest of the server. The public names are those in `__all__`. Each module imports only those
above it:
`model`                  limits, errors, the result of a run, and the metadata of a store
`sandbox`, `scripts/`    the code that runs in the process: Python, which imports only `sandbox`, and JavaScript
`process`                starts the process, limits its time and output, and kills it
`runner`                 sends bytes to the process and parses its response; never parses the code or the event
"""

from .model import InvalidEventError, Limits, Run, RunnerError, StoreMetadata
from .runner import Runner

__all__ = ["InvalidEventError", "Limits", "Run", "Runner", "RunnerError", "StoreMetadata"]
