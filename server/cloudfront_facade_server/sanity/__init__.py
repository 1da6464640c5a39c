"""The sanity suite: a black box's behaviour over all rpcs, for anyone to point at an endpoint. Its cases are sentences.

`suite`             the cases that there are, their run and its report
`facade`            the endpoint: its stubs, resources that are made for a case and cleaned up after it
`functions`         cases of FunctionService
`tests`             cases of TestFunction
`key_value_stores`  cases of KeyValueStoreService
`key_values`        cases of KeyValueStoreDataService
`tags`              cases of TagService
"""
