"""Creates one function through the facade and exits: `create_with_facade.py HOST:PORT`."""

import sys

from cloudfront_facade import connect
from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, FunctionConfig, FunctionRuntime
from cloudfront_facade.v1.tag_pb2 import Tag

with connect(sys.argv[1]) as facade:
    facade.functions.CreateFunction(
        CreateFunctionRequest(
            name="url-rewrite",
            function_config=FunctionConfig(
                comment="Adds index.html", runtime=FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_2_0
            ),
            function_code=b"function handler(event) { return event.request; }",
            tags=[Tag(key="team", value="web")],
        )
    )
