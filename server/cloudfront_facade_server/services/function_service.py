"""The servicer of FunctionService."""

from __future__ import annotations

from cloudfront_facade.v1.function_service_pb2 import (
    CreateFunctionRequest,
    CreateFunctionResponse,
    DeleteFunctionRequest,
    DeleteFunctionResponse,
    DescribeFunctionRequest,
    DescribeFunctionResponse,
    GetFunctionRequest,
    GetFunctionResponse,
    ListFunctionsRequest,
    ListFunctionsResponse,
    PublishFunctionRequest,
    PublishFunctionResponse,
    TestFunctionRequest,
    TestFunctionResponse,
    UpdateFunctionRequest,
    UpdateFunctionResponse,
)

from ..call_context import CallContext
from ..translation import functions as translation
from ..upstream.creates import ResourceCreator
from ..upstream.functions import Functions
from ..validation.rules import Rules

# ruff: noqa: N802 (rpcs have the names of CloudFront's operations)


class FunctionService:
    """The rpcs of `cloudfront_facade.v1.FunctionService`.

    Each method takes its request and the call, and raises ValidationError or StatusError.

    Args:
        rules: The validation rules.
        creator: Creates functions.
        functions: The other operations on functions.
    """

    def __init__(self, rules: Rules, creator: ResourceCreator, functions: Functions) -> None:
        self._rules = rules
        self._creator = creator
        self._functions = functions

    def CreateFunction(self, request: CreateFunctionRequest, call: CallContext) -> CreateFunctionResponse:
        """Creates a function, once for each request_id."""
        self._rules.create_function(request)
        arguments = translation.create_function_to_boto(request)
        response = self._creator.create(arguments, request.request_id, call, validate_only=request.validate_only)
        return translation.create_function_from_boto(response)

    def DescribeFunction(self, request: DescribeFunctionRequest, call: CallContext) -> DescribeFunctionResponse:
        """Describes a stage of a function."""
        self._rules.describe_function(request)
        response = self._functions.describe(translation.describe_function_to_boto(request), call)
        return translation.describe_function_from_boto(response)

    def GetFunction(self, request: GetFunctionRequest, call: CallContext) -> GetFunctionResponse:
        """Returns the code of a stage of a function."""
        self._rules.get_function(request)
        response = self._functions.get(translation.get_function_to_boto(request), call)
        return translation.get_function_from_boto(response)

    def UpdateFunction(self, request: UpdateFunctionRequest, call: CallContext) -> UpdateFunctionResponse:
        """Replaces the configuration and the code of a function's DEVELOPMENT stage."""
        self._rules.update_function(request)
        response = self._functions.update(translation.update_function_to_boto(request), call)
        return translation.update_function_from_boto(response)

    def PublishFunction(self, request: PublishFunctionRequest, call: CallContext) -> PublishFunctionResponse:
        """Copies the DEVELOPMENT stage of a function to its LIVE stage."""
        self._rules.publish_function(request)
        response = self._functions.publish(translation.publish_function_to_boto(request), call)
        return translation.publish_function_from_boto(response)

    def TestFunction(self, request: TestFunctionRequest, call: CallContext) -> TestFunctionResponse:
        """Runs a function with an event."""
        self._rules.test_function(request)
        response = self._functions.test(translation.test_function_to_boto(request), call)
        return translation.test_function_from_boto(response)

    def DeleteFunction(self, request: DeleteFunctionRequest, call: CallContext) -> DeleteFunctionResponse:
        """Deletes both stages of a function."""
        self._rules.delete_function(request)
        response = self._functions.delete(translation.delete_function_to_boto(request), call)
        return translation.delete_function_from_boto(response)

    def ListFunctions(self, request: ListFunctionsRequest, call: CallContext) -> ListFunctionsResponse:
        """Lists the functions that have the requested stage."""
        self._rules.list_functions(request)
        response = self._functions.list(translation.list_functions_to_boto(request), call)
        return translation.list_functions_from_boto(response, request)
