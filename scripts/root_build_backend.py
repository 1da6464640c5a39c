"""The build backend of the repository's root, which holds two distributions and is none itself."""

raise SystemExit(
    "Nothing to install here. For the client: pip install ./clients/python. "
    "For the server too: pip install ./clients/python ./server"
)
