"""The backends: one Protocol, two implementations.

`protocol`     the boto3-shaped methods that every backend has
`aws`          CloudFront itself, or any HTTP endpoint that is compatible with it, through boto3
`embedded`     an emulation of CloudFront on SQLite, in this process
`thread_pool`  runs a blocking backend in threads
`timeouts`     shortens the timeouts of reads that settle a change or explain an error
"""
