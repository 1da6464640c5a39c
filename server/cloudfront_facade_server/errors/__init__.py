"""From what went wrong to the status that a caller gets.

`status_error`  the one exception that every failure becomes, and the trailers it is sent as
`refusals`      the service's own refusals
`table`         the one table of what AWS and its libraries can answer
`proof`         what an upstream error is, and what it proves about the effect
`redaction`     CloudFront's own words, as far as callers may read them
`upstream`      the translation by that table
"""
