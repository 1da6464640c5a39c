"""The servers that are compared with the facade, each run as `python -m benchmarks.sides.NAME LISTEN ENDPOINT`.

`plain_boto3.py` is no server but the caller that all of them replace; `messages.py` has what all send and answer.
"""
