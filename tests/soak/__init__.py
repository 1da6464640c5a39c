"""A soak: replicas that are killed, a CloudFront that fails, and a check of everything that callers were answered.

`faults`    the kinds of faults between the replicas and CloudFront
`upstream`  the HTTP double with these faults, which records what was applied
`replicas`  server processes that are killed and restarted
`callers`   what the callers do, by a seed
`history`   what they asked for and how it was answered
`check`     compares the history with what CloudFront has
`run`       all of it for a number of seconds; `python -m soak` is the command
"""
