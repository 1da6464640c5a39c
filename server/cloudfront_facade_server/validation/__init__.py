"""The rules of each request, checked before anything is sent. All violations of a request are reported at once.

`rules`        one method for each rpc
`rule_names`   the name of every rule, and what it allows
`checks`       names, comments, ARNs, etags, keys and other single values
`tags`         the tags of a resource
`keys`         changes of keys, in one request and in a stream
`events`       the event of a test

The numbers and patterns are in `limits`. What a check finds is in `errors.violations`.
"""
