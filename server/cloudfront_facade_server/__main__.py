"""The command `cloudfront-facade`, also as `python -m cloudfront_facade_server`."""

import os
import sys

_NEEDED = frozenset(
    [
        "aiohttp",
        "boto3",
        "botocore",
        "certifi",
        "greenlet",
        "grpc_health",
        "grpc_reflection",
        "orjson",
        "pydantic",
        "pydantic_settings",
        "structlog",
        "yarl",
    ]
)


def main() -> int:
    """Runs the command and gives its exit code; says in one line where only the client is installed."""
    # gRPC writes lines of its own where this program says in one line what is wrong.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        from .cli import run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _NEEDED:
            raise
        print("cloudfront-facade: the server needs the extra: pip install '.[server]'", file=sys.stderr)  # noqa: T201
        return 1
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
