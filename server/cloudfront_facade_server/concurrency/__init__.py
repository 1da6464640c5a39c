"""Concurrency primitives of the event loop.

`greenlets`   runs plain functions in the event loop; they are suspended while they wait
`backoff`     exponential backoff
`keyed_lock`  one lock for each key
"""
