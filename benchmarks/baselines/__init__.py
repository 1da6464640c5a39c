"""The programs that the facade is compared with.

Each server runs as `python -m benchmarks.baselines.NAME LISTEN ENDPOINT`. `plain_boto3.py` is not a server: it calls
CloudFront directly.
"""
