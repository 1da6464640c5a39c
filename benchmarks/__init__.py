"""Compares the facade with baselines: boto3, a gRPC echo and other servers. `make bench` runs it.

`baselines/` has one program for each baseline. `upstream.py` starts nginx, which stands in for CloudFront.
`process.py` starts processes, pins them to cores and reads their CPU time. `load_generator.py` calls servers.
`creates.py`, `open_loop.py`, `startup.py` and `embedded.py` measure. `metrics.py` turns measurements into ratios and
verdicts. `report.py`, `plots.py` and `machine.py` describe the results.
"""
