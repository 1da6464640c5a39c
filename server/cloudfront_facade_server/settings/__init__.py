"""The settings of the commands. Each one is a flag and an environment variable.

`serve`      the settings of `serve`
`client`     the settings of `health` and `sanity`, which connect to a server
`fields`     the types of settings: what a value must be
`flags`      generates the flags of a command from its settings
`reading`    reads settings, and describes invalid ones
`variables`  finds misspelt environment variables, and removes empty ones
"""
