"""A soak: replicas that are killed, a CloudFront that fails, and a check of everything that callers were answered.

`faults`    the kinds of faults between the replicas and CloudFront
`effects`   what identifies a change, in a request and in what CloudFront applied
`upstream`  the HTTP double with these faults, which records what was applied, and who sent it
`replicas`  server processes that are killed and restarted
`callers`   what the callers do, by a seed
`owned`     the resources of a caller, and its next request for one of them
`history`   what they asked for and how each send was answered
`check`     the invariants: it compares the history with what CloudFront applied and has
`run`       all of it for a number of seconds; `python -m soak` is the command
"""
