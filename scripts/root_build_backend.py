"""The build backend of the repository's root, which is not a distribution itself."""

raise SystemExit(
    "Nothing to install here. For the client: pip install ./clients/python. "
    "For the server too: pip install ./clients/python ./server"
)
