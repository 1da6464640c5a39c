"""The command of `make fuzz`."""

from __future__ import annotations

import argparse
import secrets
import sys

from fuzz.run import fuzz


def main() -> int:
    """Runs the fuzzer, which raises if the server does not behave."""
    parser = argparse.ArgumentParser(prog="fuzz", description="Send malformed requests, and check every answer.")
    parser.add_argument("--seconds", type=float, default=600.0, help="duration (default: 600)")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="seed of all choices (default: a random one)")
    arguments = parser.parse_args()
    print(f"seed: {arguments.seed}", flush=True)
    result = fuzz(arguments.seconds, arguments.seed)
    print(f"sent: {result.sent} calls and connections")
    print(f"statuses: {result.statuses}")
    print(f"memory: {result.growth:+.1f} MiB since the first round")
    return 0


if __name__ == "__main__":
    sys.exit(main())
