"""Limits and forced tags by caller, from `--limits FILE`.

`file` reads the YAML, `matching` finds the entry of a caller, `gcra` limits the rate, `in_flight` the concurrency,
`forced_tags` checks and adds tags, and `limits` is what the server calls.
"""
