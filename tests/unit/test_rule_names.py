"""The names of the rules, the page that lists them, the code that uses them, and requests that break them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_data_service_pb2 as data
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from cloudfront_facade.v1.tag_pb2 import Tag
from cloudfront_facade.v1.tag_service_pb2 import TagResourceRequest
from cloudfront_facade_server import caller_limits, tag_policy, validation
from cloudfront_facade_server.caller_limits.forced_tags import ForcedTags
from cloudfront_facade_server.errors.violations import raise_if_any
from cloudfront_facade_server.tag_policy.document import TagRule
from cloudfront_facade_server.tag_policy.rules import TagPolicy
from cloudfront_facade_server.validation.arns import ArnRules
from cloudfront_facade_server.validation.rule_names import Rule, table
from cloudfront_facade_server.validation.rules import Rules
from cloudfront_facade_server.validation.tags import TagRules
from support.rules import RULES, broken_rules
from support.values import STORE_ARN

PAGE = Path(__file__).parents[2] / "docs/reference/rules.md"
PACKAGES = validation, tag_policy, caller_limits
SOURCES = sorted(path for package in PACKAGES for path in Path(str(package.__file__)).parent.glob("*.py"))

S3: Final = stores.ImportSourceType.IMPORT_SOURCE_TYPE_S3

FUNCTIONS: Final = frozenset({"cloudfront:function"})
POLICY: Final = TagPolicy([TagRule("Team", ("web",), FUNCTIONS), TagRule("Cost", None, frozenset(), FUNCTIONS)])

INVALID: Final[list[tuple[Callable[[Any], Any], Any]]] = [
    (
        RULES.create_function,
        functions.CreateFunctionRequest(
            name="é" * 65,
            function_config=functions.FunctionConfig(
                comment="\0" * 129,
                runtime=functions.FunctionRuntime.FUNCTION_RUNTIME_CLOUDFRONT_JS_1_0,
                key_value_store_associations=[functions.KeyValueStoreAssociation()] * 2,
            ),
            tags=[Tag(key="aws:" + "\0" * 130, value="\0" * 300)] * 51,
            request_id="x",
        ),
    ),
    (RULES.update_function, functions.UpdateFunctionRequest(etag="é" * 257)),
    (RULES.delete_function, functions.DeleteFunctionRequest(etag="*")),
    (RULES.test_function, functions.TestFunctionRequest(stage=99)),  # type: ignore[arg-type]
    (RULES.test_function, functions.TestFunctionRequest(event_object=b"[]")),
    (RULES.list_key_value_stores, stores.ListKeyValueStoresRequest(page_size=-1, page_token="x", status="x")),
    (RULES.create_key_value_store, stores.CreateKeyValueStoreRequest(import_source=stores.ImportSource())),
    (
        RULES.create_key_value_store,
        stores.CreateKeyValueStoreRequest(
            import_source=stores.ImportSource(source_type=S3, source_arn="arn:aws:s3:::bucket/" + "\0" * 1025)
        ),
    ),
    (RULES.put_key, data.PutKeyRequest(key=".", value="v" * 1025)),
    (lambda request: RULES.update_keys(request, lambda: None), data.UpdateKeysRequest()),
    (
        lambda request: RULES.update_keys(request, lambda: None),
        data.UpdateKeysRequest(changes=[data.KeyChange(), data.KeyChange(delete="")]),
    ),
    (
        lambda requests: list(RULES.import_keys(iter(requests), lambda: None)[1]),
        [data.ImportKeysRequest(kvs_arn=STORE_ARN), data.ImportKeysRequest(kvs_arn="x")],
    ),
    (RULES.tag_resource, TagResourceRequest()),
    (lambda tags: raise_if_any(POLICY.check_create("tags", "function", tags)), [Tag(key="team", value="x")]),
    (lambda tags: raise_if_any(ForcedTags({"team": "web"}).check_create("tags", tags)), [Tag(key="team")]),
    (Rules(TagRules(), arns=ArnRules(tuple)).get_key, data.GetKeyRequest(kvs_arn=STORE_ARN)),
]
"""Requests that together break every rule."""


def used_rules(path: Path) -> set[str]:
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Rule"
    }


def test_the_page_lists_every_rule_as_the_code_describes_it() -> None:
    assert table() in PAGE.read_text(), f"replace the table in {PAGE.name} with this one:\n{table()}"


def test_the_text_of_a_rule_is_its_name() -> None:
    assert {rule.name: str(rule) for rule in Rule} == {rule.name: rule.name for rule in Rule}


def test_every_rule_is_used_by_a_check() -> None:
    assert set().union(*map(used_rules, SOURCES)) == {rule.name for rule in Rule}


def test_every_rule_can_be_broken_by_a_request() -> None:
    broken = {rule for check, request in INVALID for _, rule in broken_rules(check, request)}
    assert broken == {rule.name for rule in Rule}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_violation_names_its_rule_by_the_enum(path: Path) -> None:
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Violation"
    ]
    # `rule` is a parameter, whose type mypy checks.
    assert {ast.unparse(call.args[1]) for call in calls} <= {f"Rule.{rule.name}" for rule in Rule} | {"rule"}
