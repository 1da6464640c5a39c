"""Validates requests before anything is sent to CloudFront. All violations of a request are reported at once.

`rules`        one method for each rpc
`rule_names`   the name of every rule, and what it allows
`checks`       names, comments, ARNs, etags, keys and other single values
`tags`         the tags of a resource
`keys`         key changes, in one request and in a stream
`events`       the event of TestFunction

The numbers and patterns are in `limits`. Violations are defined in `errors.violations`.
"""
