"""Translates failures to the status that a caller receives.

`status_error`   the exception that every failure becomes, and its trailers
`facade_errors`  the facade's own errors
`classify`       the first step for an upstream error: what happened
`operation_target`  the resource that an operation is about
`translate`      the second step: the status, by the table
`aws_codes`      the table of AWS codes and botocore's exceptions
`aws_code_families`  the codes that every AWS service can return
`aws_texts`      codes whose meaning depends on the text
`redaction`      removes from AWS's messages what callers must not read
`etag_sources`   the rpcs that return current etags
`violations`     violations of validation rules
"""
