"""Messages to boto3 arguments and boto3 responses to messages: pure, and the only place of `Quantity` and `Items`.

`common`                tags, pages, times and enums
`functions`             the messages of FunctionService
`key_value_stores`      the messages of KeyValueStoreService
`key_value_store_data`  the messages of KeyValueStoreDataService
`tags`                  the messages of TagService
"""
