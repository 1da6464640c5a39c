"""A test double of CloudFront: an HTTP server on loopback that speaks both planes and can fail on request.

`http`         CloudFrontDouble: scripts, counts and records requests
`faults`       what can go wrong between boto3 and CloudFront
`state`        a small CloudFront in memory: functions and tags
`stores`       its key value stores
`wire`         REST-XML of the control plane
`data_wire`    REST-JSON of the data plane
`server`       the HTTP server below all of it
`samples`      plain boto3 clients, and sample values from the service model
`credentials`  a source of credentials that a test can break
`fixtures`     pytest fixtures
"""
