"""The backends: one Protocol, two implementations.

`protocol`     the boto3-shaped methods that every backend has
`aws`          CloudFront itself, or any HTTP endpoint that is compatible with it, through boto3
`embedded`     CloudFront's behavior for these operations on SQLite, in this process
`thread_pool`  runs a backend that blocks in threads
`timeouts`     shortens the timeouts of reads that settle or explain
"""
