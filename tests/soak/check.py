"""Compares what callers were answered with what CloudFront has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from soak.history import Create, Delete, History
from soak.upstream import Upstream

REQUEST_TAG = "cloudfront-facade:request"


def problems(history: History, upstream: Upstream, store: str) -> list[str]:
    """Returns what does not agree; empty if every answer is true."""
    return [
        *_unresolved(history),
        *_creates(history, upstream),
        *_deletes(history, upstream),
        *_keys(history, upstream, store),
        *(f"{name}: answered as absent although it exists" for name in history.false_absences),
    ]


def _unresolved(history: History) -> Iterator[str]:
    for asked in history.all:
        if not asked.is_resolved and not (isinstance(asked, Create) and not asked.request.request_id):
            yield f"not resolved by its repeats: {asked}"


def _creates(history: History, upstream: Upstream) -> Iterator[str]:
    by_name: defaultdict[tuple[str, str], list[Create]] = defaultdict(list)
    for create in history.creates:
        by_name[create.operation, create.request.name].append(create)
    for resource, creates in by_name.items():
        applied = upstream.applied[resource]
        successful = [create for create in creates if create.last.status == "OK"]
        if applied > 1:
            yield f"{resource}: created {applied} times: {creates}"
        if len({create.request.request_id for create in successful}) > 1:
            yield f"{resource}: two creates with different request ids succeeded: {creates}"
        if creates[0].contested and not successful:
            yield f"{resource}: none of the callers that wanted the name has it: {creates}"
        if not creates[0].request.request_id:
            yield from _without_request_id(creates[0], applied)
        for create in successful:
            yield from _resource(create, history, upstream)


def _without_request_id(create: Create, applied: int) -> Iterator[str]:
    expected = {"OK": 1}.get(create.last.status, 0 if create.last.outcome == "not_applied" else applied)
    if applied != expected:
        yield f"{create.request.name}: applied {applied} times, answered as {create.last}"


def _resource(create: Create, history: History, upstream: Upstream) -> Iterator[str]:
    """Compares a resource with the request that created it, unless somebody asked to delete it."""
    name = create.request.name
    if any(delete.name == name for delete in history.deletes):
        return
    found = (upstream.functions if create.operation == "CreateFunction" else upstream.stores).get(name)
    if found is None:
        yield f"{create.operation} {name}: answered with OK, and does not exist"
        return
    tags = {tag["Key"]: tag["Value"] for tag in upstream.tags[found.arn] if tag["Key"] != REQUEST_TAG}
    if tags != {tag.key: tag.value for tag in create.request.tags}:
        yield f"{create.operation} {name}: has other tags: {tags}"
    if getattr(found, "code", None) != getattr(create.request, "function_code", None):
        yield f"{create.operation} {name}: has other code"


def _deletes(history: History, upstream: Upstream) -> Iterator[str]:
    for delete in history.deletes:
        times = upstream.applied["DeleteFunction", delete.name]
        if times != 1 or delete.name in upstream.functions:
            yield f"{delete}: applied {times} times"
        yield from _first_answer_is_true(delete)


def _first_answer_is_true(delete: Delete) -> Iterator[str]:
    if delete.answers[0].status == "NOT_FOUND":
        yield f"{delete}: the function existed when it was deleted for the first time"


def _keys(history: History, upstream: Upstream, store: str) -> Iterator[str]:
    expected: dict[str, str | None] = {}
    for write in history.writes:
        expected.update(write.values)
    found = upstream.stores[store].items
    for key, value in expected.items():
        if found.get(key) != value:
            yield f"key {key}: {found.get(key)} instead of {value}"
    for key in found.keys() - expected.keys():
        yield f"key {key}: nobody wrote it"
