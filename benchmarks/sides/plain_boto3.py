"""The caller without any facade: creates by boto3 in its own process, on one thread or on as many as there are callers.

Reads lines `THREADS CALLS` from standard input and answers each with a line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

from .messages import BOTO_ARGUMENTS

_MOST_THREADS = 32


def _create(client: Any, calls: int) -> list[float]:
    latencies = []
    for _ in range(calls):
        began = time.perf_counter()
        client.create_function(**BOTO_ARGUMENTS)
        latencies.append(time.perf_counter() - began)
    return latencies


def _measure(client: Any, pool: ThreadPoolExecutor, threads: int, calls: int) -> dict[str, Any]:
    cpu, began = time.process_time(), time.perf_counter()
    shares = [calls // threads + (index < calls % threads) for index in range(threads)]
    jobs = [pool.submit(_create, client, share) for share in shares]
    latencies = [latency for job in jobs for latency in job.result()]
    return {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "latencies": latencies}


if __name__ == "__main__":
    client = boto3.client(
        "cloudfront",
        region_name="us-east-1",
        endpoint_url=sys.argv[1],
        config=Config(max_pool_connections=_MOST_THREADS),
    )
    with ThreadPoolExecutor(_MOST_THREADS) as pool:
        for line in sys.stdin:
            threads, calls = map(int, line.split())
            print(json.dumps(_measure(client, pool, threads, calls)), flush=True)
