"""The sanity suite: checks the behaviour of any endpoint as a black box, rpc by rpc. Each case is one sentence.

`suite`             runs the cases and prints the report
`registry`          registers cases with their sentences
`facade`            the endpoint: its stubs, and resources that are created for a case and deleted at the end
`expectations`      what a case checks with, and how a failure is described
`functions`         cases of FunctionService, except TestFunction
`function_tests`    cases of TestFunction
`key_value_stores`  cases of KeyValueStoreService
`key_values`        cases of KeyValueStoreDataService
`tags`              cases of TagService
"""
