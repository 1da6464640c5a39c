"""The rules of a request, checked before anything is sent; every violation of a request is found, not only the first.

`limits`            the numbers and patterns, each with its source
`violations`        what a broken rule says of itself
`rules`             the rules of each request, one method for each rpc
`tags`              the rules of tags
`keys`              the rules of changes of keys, of a request and of a stream of them
`events`            the rules of a test's event
`text`              the rules of names, comments and other single strings
"""
