"""The sanity suite: black-box tests of any endpoint, rpc by rpc. Each case describes one behaviour in a sentence.

`suite`             runs the cases and prints the report
`registry`          registers cases with their sentences
`facade`            the endpoint: its stubs, and resources that are created for a case and deleted at the end
`expectations`      assertions of cases, and descriptions of failures
`functions`         cases of FunctionService, except TestFunction
`function_tests`    cases of TestFunction
`key_value_stores`  cases of KeyValueStoreService
`key_values`        cases of KeyValueStoreDataService
`tags`              cases of TagService
"""
