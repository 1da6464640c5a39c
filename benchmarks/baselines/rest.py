"""A REST facade that calls CloudFront with boto3: FastAPI on uvicorn (uvloop, httptools, no access log).

The function's code is base64 in the JSON body.
"""

from __future__ import annotations

import sys
from base64 import b64decode
from typing import Any

import boto3
import uvicorn
from botocore.config import Config
from fastapi import FastAPI
from pydantic import BaseModel


class Function(BaseModel):
    """The request body of a create."""

    name: str
    comment: str
    runtime: str
    code: str
    tags: dict[str, str]


def make_app(client: Any) -> Any:
    """Returns the application. Creates run in FastAPI's default pool of 40 threads."""

    def create(function: Function) -> dict[str, Any]:
        response = client.create_function(
            Name=function.name,
            FunctionConfig={"Comment": function.comment, "Runtime": function.runtime},
            FunctionCode=b64decode(function.code),
            Tags={"Items": [{"Key": key, "Value": value} for key, value in function.tags.items()]},
        )
        summary, metadata = response["FunctionSummary"], response["FunctionSummary"]["FunctionMetadata"]
        return {
            "name": summary["Name"],
            "status": summary["Status"],
            "comment": summary["FunctionConfig"]["Comment"],
            "runtime": summary["FunctionConfig"]["Runtime"],
            "arn": metadata["FunctionARN"],
            "stage": metadata["Stage"],
            "created_time": metadata["CreatedTime"],
            "last_modified_time": metadata["LastModifiedTime"],
            "location": response["Location"],
            "etag": response["ETag"],
        }

    app = FastAPI()
    app.add_api_route("/functions", create, methods=["POST"], status_code=201)
    return app


if __name__ == "__main__":
    host, _, port = sys.argv[1].rpartition(":")
    config = Config(max_pool_connections=40)
    cloudfront = boto3.client("cloudfront", region_name="us-east-1", endpoint_url=sys.argv[2], config=config)
    uvicorn.run(
        make_app(cloudfront),
        host=host,
        port=int(port),
        log_level="warning",
        access_log=False,
        timeout_keep_alive=3600,  # connections are idle while other servers are measured
    )
