"""Compares what callers were answered with what CloudFront applied and has."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from soak.effects import CREATES, DELETIONS, KEY_WRITES, REQUEST_TAG, Effect
from soak.history import Answer, Asked, History
from soak.upstream import Applied, Upstream

Invariant = Callable[[History, Upstream], Iterator[str]]
"""Yields what breaks the invariant."""


def problems(history: History, upstream: Upstream) -> list[str]:
    """Returns what does not agree, each with the name of the invariant; empty if every answer is true."""
    return [f"{name}: {found}" for name, invariant in INVARIANTS.items() for found in invariant(history, upstream)]


def not_applied_is_true(history: History, upstream: Upstream) -> Iterator[str]:
    """No send that was answered with `not_applied` was applied."""
    for applied, asked, answer in _sends_of_applied(history, upstream):
        if answer and answer.outcome == "not_applied":
            yield f"{asked} was applied by the send that was answered with {answer}: {applied}"


def applied_was_asked_for(history: History, upstream: Upstream) -> Iterator[str]:
    """Nothing was applied that no caller had sent to the replica before."""
    for applied, _, answer in _sends_of_applied(history, upstream):
        if answer is None:
            yield f"{applied} was not sent by a caller"


def applied_is_true(history: History, upstream: Upstream) -> Iterator[str]:
    """What was answered with OK, or with the outcome `applied`, was applied after it was first sent."""
    times: defaultdict[Effect, list[float]] = defaultdict(list)
    for applied in upstream.applied:
        for effect in applied.effects:
            times[effect].append(applied.arrived)
    writes = sorted(
        (at, effect) for effect, of_effect in times.items() for at in of_effect if effect[0] in ("put", "delete")
    )
    for asked in history.requests:
        # The same create may be applied for another caller, and the same version may be published already.
        first = 0.0 if asked.operation in (*CREATES, "PublishFunction") else asked.answers[0].sent
        missing = [effect for effect in asked.effects if max(times[effect], default=-1.0) < first]
        # An absence resolves the deletion of a key, if the response is lost.
        missing = [effect for effect in missing if effect[0] != "delete" or _existed(effect[1], first, writes)]
        if missing and any(answer.status == "OK" or answer.outcome == "applied" for answer in asked.answers):
            yield f"{asked} was not applied: {missing}"


def _existed(key: str, at: float, writes: list[tuple[float, Effect]]) -> bool:
    """Returns whether a key existed at a time, by the writes that were applied before."""
    before = [effect for arrived, effect in writes if effect[1] == key and arrived < at]
    return bool(before) and before[-1][0] == "put"


def versions_are_replaced_once(_history: History, upstream: Upstream) -> Iterator[str]:
    """No create, update or deletion was applied twice."""
    counts = Counter(effect for applied in upstream.applied for effect in applied.effects)
    for effect, times in counts.items():
        if times > 1 and effect[0] in (*CREATES, "UpdateFunction", "UpdateKeyValueStore", *DELETIONS):
            yield f"{effect} was applied {times} times"


def repeats_resolve(history: History, _upstream: Upstream) -> Iterator[str]:
    """Repeats resolve every failed request that is safe to repeat."""
    for asked in history.requests:
        if not asked.is_resolved and asked.may_repeat:
            yield f"{asked} is not resolved"


def names_have_one_owner(history: History, _upstream: Upstream) -> Iterator[str]:
    """Of creates of one name with different request ids, one succeeds."""
    by_name: defaultdict[tuple[str, str], list[Asked]] = defaultdict(list)
    for create in history.of(*CREATES):
        by_name[create.operation, create.resource].append(create)
    for resource, creates in by_name.items():
        owners = {create.request.request_id for create in creates if create.last.status == "OK"}
        if len(owners) > 1 or (creates[0].contested and not owners):
            yield f"{resource} has {len(owners)} owners: {creates}"


def deletions_delete(history: History, upstream: Upstream) -> Iterator[str]:
    """A resource that was deleted is gone, and NOT_FOUND of its first deletion does not say `not_applied`.

    The client may repeat a deletion that was applied, and then finds nothing.
    """
    for deletion in history.of(*DELETIONS):
        if _resource(deletion, upstream):
            yield f"{deletion}: the resource exists"
        first = deletion.answers[0]
        if (first.status, first.outcome) == ("NOT_FOUND", "not_applied"):
            yield f"{deletion}: the resource existed at its first deletion"


def reads_find_what_exists(history: History, _upstream: Upstream) -> Iterator[str]:
    """No read says that a resource does not exist, long after its create was answered with OK."""
    yield from (f"{name} was answered as absent" for name in history.false_absences)


def resources_agree(history: History, upstream: Upstream) -> Iterator[str]:
    """A resource that was not deleted has the content, the published code and the tags of the last changes."""
    by_resource: defaultdict[str, list[Asked]] = defaultdict(list)
    for asked in history.requests:
        by_resource[asked.resource].append(asked)
    deleted = {deletion.resource for deletion in history.of(*DELETIONS)}
    for create in history.of(*CREATES):
        if create.last.status != "OK" or create.resource in deleted:
            continue
        found = _resource(create, upstream)
        if found is None:
            yield f"{create} does not exist"
            continue
        tags = {tag["Key"]: tag.get("Value") for tag in upstream.tags[found.arn] if tag["Key"] != REQUEST_TAG}
        live = getattr(found, "live", None)
        content = found.code if create.operation == "CreateFunction" else found.comment
        expected = _expected([create, *by_resource[create.resource], *by_resource[found.arn]])
        if (content, live and live.code, tags) != expected:
            yield f"{create} has {(content, live and live.code, tags)} instead of {expected}"


def keys_agree(history: History, upstream: Upstream) -> Iterator[str]:
    """The stores have exactly the keys and values that the callers wrote last."""
    expected: dict[tuple[str, str], str | None] = {}
    for asked in history.of(*KEY_WRITES):
        for kind, key, *value in asked.effects:
            expected[asked.resource, key] = value[0] if kind == "put" else None
    found = {(store.arn, key): value for store in upstream.stores.values() for key, value in store.items.items()}
    for each in expected.keys() | found.keys():
        if expected.get(each) != found.get(each):
            yield f"{each} has {found.get(each)} instead of {expected.get(each)}"


INVARIANTS: Final[Mapping[str, Invariant]] = {
    invariant.__name__.replace("_", " "): invariant
    for invariant in (
        not_applied_is_true,
        applied_was_asked_for,
        applied_is_true,
        versions_are_replaced_once,
        repeats_resolve,
        names_have_one_owner,
        deletions_delete,
        reads_find_what_exists,
        resources_agree,
        keys_agree,
    )
}
"""The invariants by their names."""


def _sends_of_applied(history: History, upstream: Upstream) -> Iterator[tuple[Applied, Asked | None, Answer | None]]:
    """Yields each effect that was applied with the send that caused it, or with None if no caller sent it.

    It is the last one of this effect to the same replica that began before the request arrived at CloudFront.
    """
    sends: defaultdict[tuple[str, Effect], list[tuple[float, Asked, Answer]]] = defaultdict(list)
    for asked in history.requests:
        for answer in asked.answers:
            for effect in asked.effects:
                sends[answer.replica, effect].append((answer.sent, asked, answer))
    for of_effect in sends.values():
        of_effect.sort(key=_sent)
    for applied in upstream.applied:
        for effect in applied.effects:
            before = sends[applied.replica, effect]
            index = bisect_right(before, applied.arrived, key=_sent)
            yield (applied, *before[index - 1][1:]) if index else (applied, None, None)


def _sent(send: tuple[float, Asked, Answer]) -> float:
    return send[0]


def _resource(asked: Asked, upstream: Upstream) -> Any:
    """Returns the function or the store that a request names; None if it does not exist."""
    resources: Mapping[str, Any] = upstream.functions if "Function" in asked.operation else upstream.stores
    return resources.get(asked.resource)


def _expected(requests: list[Asked]) -> tuple[bytes | str | None, bytes | None, dict[str, str | None]]:
    """Returns the content, the published code and the tags after these requests."""
    content: bytes | str | None = None
    live: bytes | None = None
    tags: dict[str, str | None] = {}
    for asked in requests:
        request = asked.request
        match asked.operation:
            case "CreateFunction" | "UpdateFunction":
                content = request.function_code
            case "CreateKeyValueStore" | "UpdateKeyValueStore":
                content = request.comment
            case "PublishFunction" if isinstance(content, bytes):
                live = content
        tags |= {tag.key: tag.value for tag in getattr(request, "tags", ())}
        for key in getattr(request, "tag_keys", ()):
            del tags[key]
    return content, live, tags
