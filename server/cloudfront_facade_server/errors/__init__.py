"""Turns what went wrong into the status that a caller receives.

`status_error`   the one exception that every failure becomes, and its trailers
`facade_errors`  the facade's own errors
`classify`       step one: what an upstream error says about what happened
`translate`      step two: the status for it, by the table
`aws_codes`      the table of what AWS and its libraries can answer
`redaction`      CloudFront's own messages, without what callers must not read
`violations`     violations of validation rules
"""
