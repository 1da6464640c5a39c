"""Concurrency primitives for the event loop.

`greenlets`   runs plain functions in the event loop, and suspends them while they wait
`backoff`     exponential backoff
`keyed_lock`  one lock for each key
"""
