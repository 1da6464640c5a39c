"""FunctionService."""

from __future__ import annotations

from cloudfront_facade.v1.function_service_pb2 import CreateFunctionRequest, CreateFunctionResponse

from ..call import Call
from ..creates.creates import Creates
from ..translation.functions import create_function_from_boto, create_function_to_boto
from ..validation.rules import Rules


class FunctionService:
    """The rpcs of `cloudfront_facade.v1.FunctionService`.

    Each takes its request and the call, and raises ValidationError or StatusError.
    """

    def __init__(self, rules: Rules, creates: Creates) -> None:
        self._rules = rules
        self._creates = creates

    def CreateFunction(self, request: CreateFunctionRequest, call: Call) -> CreateFunctionResponse:  # noqa: N802
        """Creates a function, once for each request_id."""
        self._rules.create_function(request)
        arguments = create_function_to_boto(request)
        response = self._creates.create(arguments, request.request_id, call, validate_only=request.validate_only)
        return create_function_from_boto(response)
