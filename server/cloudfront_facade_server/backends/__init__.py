"""What stands behind the service: one Protocol, two implementations.

`protocol`         the boto3-shaped methods that both have
`aws`              CloudFront itself, or any HTTP endpoint that speaks as it does, through boto3
`aws_credentials`  credentials for it that can be found later, and found anew
`embedded`         CloudFront's behaviour for these operations on SQLite, in this process
"""
