"""A test double of CloudFront: an HTTP server on loopback that speaks both planes and can fail on request.

`http`         `CloudFrontDouble`, which records, counts and scripts requests
`faults`       what can go wrong between boto3 and CloudFront
`state`        a minimal CloudFront in memory: functions and tags
`stores`       its key value stores
`wire`         REST-XML of the control plane
`data_wire`    REST-JSON of the data plane
`server`       the underlying HTTP server
`samples`      plain boto3 clients, and sample values from the service model
`credentials`  a credential source that a test can break
`sts`          a stand-in for AWS STS
`fixtures`     pytest fixtures
"""
