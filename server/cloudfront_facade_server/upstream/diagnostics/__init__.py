"""Reads that explain why CloudFront rejected a call.

`association`   why a function cannot be associated with its key value store
`in_use`        what uses a function or a store
`store_status`  the errors for a store that is missing or not READY
"""
