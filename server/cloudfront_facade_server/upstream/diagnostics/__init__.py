"""Reads beside an operation, which explain a refusal or tell what is there. Creates and other operations share them.

`association`   why a function cannot be associated with its key value store
`store_status`  the refusals of what needs a store that is there and READY
`tags`          the tags of a resource
`users`         who uses a function or a store
"""
