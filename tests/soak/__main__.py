"""The command of `make soak`."""

from __future__ import annotations

import argparse
import os
import secrets
import sys

from soak.run import soak


def main() -> int:
    """Runs a soak; returns 1 if an answer was not true."""
    parser = argparse.ArgumentParser(prog="soak", description="Kill replicas, cause faults and check every answer.")
    parser.add_argument("--seconds", type=float, default=300.0, help="duration (default: 300)")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="seed of all choices (default: a random one)")
    arguments = parser.parse_args()
    print(f"seed: {arguments.seed}", flush=True)
    result = soak(arguments.seconds, arguments.seed)
    print(*result.counts, sep=os.linesep)
    print(*(f"problem: {problem}" for problem in result.problems), f"{len(result.problems)} problems", sep=os.linesep)
    return 1 if result.problems else 0


if __name__ == "__main__":
    sys.exit(main())
