"""Validates requests before anything is sent to CloudFront. All violations of a request are reported together.

`rules`             one method for each rpc
`rule_names`        the name of every rule, and what it allows
`checks`            names, comments, etags, keys and other single values
`arns`              ARNs and the accounts that they name
`functions`         a function's configuration, code and stage
`key_value_stores`  a store's import source and status
`events`            the event of TestFunction
`keys`              key changes, in one request and in a stream
`tags`              the tags of a resource
`pages`             the page of a list

The numbers and patterns are in `limits`. Violations are defined in `errors.violations`.
"""
