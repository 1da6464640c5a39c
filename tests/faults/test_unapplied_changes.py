"""Lost changes that were not applied: existing state does not confirm them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from cloudfront_facade.v1 import function_service_pb2 as functions
from cloudfront_facade.v1 import key_value_store_service_pb2 as stores
from faults.changing import CODE, LOST, UNKNOWN, etag_of, publishing, status_of, updating
from support.cloudfront.faults import apply_then_status
from support.cloudfront.http import CloudFrontDouble
from support.facade import Facade, failing


def test_a_lost_update_to_the_current_state_has_an_unknown_outcome(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    current = facade.functions.UpdateFunction(updating(created.etag))
    cloudfront.script("UpdateFunction", LOST)
    assert status_of(failing(facade.functions.UpdateFunction, updating(current.etag))) == UNKNOWN


@pytest.mark.parametrize("newer", [{"code": b"// another"}, {"comment": "another"}], ids=["code", "config"])
def test_a_live_stage_with_other_content_does_not_confirm_a_publish(
    newer: dict[str, object],
    cloudfront: CloudFrontDouble,
    facade: Facade,
    created: functions.CreateFunctionResponse,
) -> None:
    first = facade.functions.UpdateFunction(updating(created.etag))
    facade.functions.PublishFunction(publishing(first.etag))
    changed: dict[str, Any] = {"code": CODE, **newer}
    second = facade.functions.UpdateFunction(updating(first.etag, **changed))
    cloudfront.script("PublishFunction", LOST)

    assert status_of(failing(facade.functions.PublishFunction, publishing(second.etag))) == UNKNOWN


def test_a_published_newer_version_does_not_confirm_a_publish(
    cloudfront: CloudFrontDouble, facade: Facade, created: functions.CreateFunctionResponse
) -> None:
    first = facade.functions.UpdateFunction(updating(created.etag))
    second = facade.functions.UpdateFunction(updating(first.etag))
    facade.functions.PublishFunction(publishing(second.etag))
    cloudfront.script("PublishFunction", LOST)

    assert status_of(failing(facade.functions.PublishFunction, publishing(first.etag))) == UNKNOWN


def test_a_lost_update_to_the_current_comment_has_an_unknown_outcome(
    cloudfront: CloudFrontDouble, facade: Facade, store: stores.KeyValueStore
) -> None:
    request = stores.UpdateKeyValueStoreRequest(name=store.name, comment="new", etag=etag_of(facade))
    request.etag = facade.stores.UpdateKeyValueStore(request).etag
    cloudfront.script("UpdateKeyValueStore", LOST)
    assert status_of(failing(facade.stores.UpdateKeyValueStore, request)) == UNKNOWN


def test_a_change_is_read_until_it_is_visible(
    cloudfront: CloudFrontDouble,
    created: functions.CreateFunctionResponse,
    replica: Callable[..., AbstractContextManager[Facade]],
) -> None:
    cloudfront.script("UpdateFunction", apply_then_status(503))
    cloudfront.script("DescribeFunction", LOST)
    with replica(settle_timeout=5) as facade:
        updated = facade.functions.UpdateFunction(updating(created.etag))
    assert updated.etag == cloudfront.functions["rewrite"].etag
    assert cloudfront.count("DescribeFunction") == 3, "one fails, one shows the change, one confirms it"
