"""The sanity suite: black-box tests of a server. Each case has a sentence that describes one behaviour.

`suite`             runs the cases and prints the report
`registry`          registers cases with their sentences
`facade`            the server under test: its stubs, and the resources of the cases, which are deleted at the end
`expectations`      assertions of cases, and descriptions of failures
`functions`         cases of FunctionService, except TestFunction
`function_tests`    cases of TestFunction
`key_value_stores`  cases of KeyValueStoreService
`key_values`        cases of KeyValueStoreDataService
`tags`              cases of TagService
"""
