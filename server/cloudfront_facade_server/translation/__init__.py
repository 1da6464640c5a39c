"""Pure functions that translate messages to boto3 arguments, and boto3 responses to messages.

`functions`             FunctionService
`key_value_stores`      KeyValueStoreService
`key_value_store_data`  KeyValueStoreDataService
`tags`                  TagService, and the tags of creates
`common`                pagination, timestamps and enums

Each rpc has one `<rpc>_to_boto` and one `<rpc>_from_boto`. They are annotated with the types of boto3's stubs, so that
mypy finds misspelt members. The stubs are not needed at run time.
"""
