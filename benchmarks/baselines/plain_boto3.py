"""Calls CloudFront directly with boto3, without a facade, on one thread or several.

Reads lines `THREADS CALLS` from standard input and writes a line of JSON for each.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

from ..messages import BOTO_ARGUMENTS

_MAX_THREADS = 32


def _create(client: Any, calls: int) -> list[float]:
    latencies = []
    for _ in range(calls):
        start = time.perf_counter()
        client.create_function(**BOTO_ARGUMENTS)
        latencies.append(time.perf_counter() - start)
    return latencies


def _measure(client: Any, pool: ThreadPoolExecutor, threads: int, calls: int) -> dict[str, Any]:
    cpu, start = time.process_time(), time.perf_counter()
    shares = [calls // threads + (index < calls % threads) for index in range(threads)]
    jobs = [pool.submit(_create, client, share) for share in shares]
    latencies = [latency for job in jobs for latency in job.result()]
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, "latencies": latencies}


if __name__ == "__main__":
    client = boto3.client(
        "cloudfront",
        region_name="us-east-1",
        endpoint_url=sys.argv[1],
        config=Config(max_pool_connections=_MAX_THREADS),
    )
    with ThreadPoolExecutor(_MAX_THREADS) as pool:
        for line in sys.stdin:
            threads, calls = map(int, line.split())
            print(json.dumps(_measure(client, pool, threads, calls)), flush=True)
