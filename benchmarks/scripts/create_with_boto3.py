"""Creates one function with boto3 and exits: `create_with_boto3.py URL`."""

import sys

import boto3

boto3.client("cloudfront", region_name="us-east-1", endpoint_url=sys.argv[1]).create_function(
    Name="url-rewrite",
    FunctionConfig={"Comment": "Adds index.html", "Runtime": "cloudfront-js-2.0"},
    FunctionCode=b"function handler(event) { return event.request; }",
    Tags={"Items": [{"Key": "team", "Value": "web"}]},
)
