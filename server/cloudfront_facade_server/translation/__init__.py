"""Messages to boto3 arguments and boto3 responses to messages: pure, and the only place of `Quantity` and `Items`.

`functions`             FunctionService
`key_value_stores`      KeyValueStoreService
`key_value_store_data`  KeyValueStoreDataService
`tags`                  TagService, and the tags of creates
`common`                pages, times and enums

Each rpc has one `<rpc>_to_boto` and one `<rpc>_from_boto`. Their types are those of boto3's stubs, so that mypy finds a
misspelt member; the stubs are not needed at run time.
"""
