"""When keys are fetched, how often, and what stays in force if it fails. The server and its faults are real."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest
from structlog.testing import capture_logs

from cloudfront_facade_server.identity import fetching
from cloudfront_facade_server.identity.bearer_tokens import BearerTokens
from cloudfront_facade_server.identity.issuer import KeySource
from cloudfront_facade_server.identity.issuers import watched_file
from cloudfront_facade_server.identity.key_sets import MAX_WAITING, FetchedKeySet
from cloudfront_facade_server.identity.unknown import CallerUnknownError
from identity.key_server import Answer, KeyServer, dripping, endless, key_server, never
from identity.signing import AUDIENCE, EC256, EC384, NOW, RSA, STRANGER, AnyKey, claims, key_set, token

SUBJECTS: Final = "required_claims: {sub: ['repo:acme/*']}"


class Running:
    """Accepts the tokens of a real issuer, at times that a test sets."""

    def __init__(self, folder: Path, server: KeyServer) -> None:
        self.now = 1000.0
        self.texts: dict[int, str] = {}
        self.monkeypatch = pytest.MonkeyPatch()
        self.server = server
        self.path = folder / "issuers.yaml"
        self.path.write_text(self.entry())
        self.files = watched_file(self.path)
        self.tokens = BearerTokens(
            self.files, lambda: NOW, lambda source: FetchedKeySet(source, clock=lambda: self.now)
        )

    def answer(self, answer: Answer) -> None:
        """Lets the server answer in a bad way, with a short timeout."""
        self.server.answer = answer
        self.monkeypatch.setattr(fetching, "FETCH_SECONDS", 0.2)

    def recover(self) -> None:
        """Lets the server answer in a good way again."""
        self.server.answer = None
        self.monkeypatch.undo()

    def entry(self, more: str = SUBJECTS) -> str:
        return f"- {{issuer: '{self.server.url}', audience: {AUDIENCE}, ca_file: ca.pem, {more}}}\n"

    async def is_known(self, key: AnyKey = EC256) -> bool:
        """Returns whether the token that this key signed is accepted; it is the same one in each call."""
        text = self.texts.setdefault(id(key), token(claims(iss=self.server.url), key))
        try:
            return bool(await self.tokens.caller(text))
        except CallerUnknownError:
            return False


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def run(folder: Path, test: Callable[[Running], Awaitable[None]]) -> None:
    async def main() -> None:
        async with key_server(folder) as server:
            running = Running(folder, server)
            try:
                await test(running)
            finally:
                running.recover()

    asyncio.run(asyncio.wait_for(main(), 20))


def test_the_first_token_fetches_the_keys(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        assert await running.is_known()
        assert await running.is_known()
        assert running.server.fetches() == 1

    run(tmp_path, test)


def test_an_unknown_key_is_asked_for_at_most_every_30_seconds(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        assert await running.is_known()
        for _ in range(50):
            assert not await running.is_known(RSA)
        assert running.server.fetches() == 1
        running.now += 29.9
        assert not await running.is_known(RSA)
        assert running.server.fetches() == 1
        running.now += 0.1
        for _ in range(50):
            assert not await running.is_known(RSA)
        assert running.server.fetches() == 2

    run(tmp_path, test)


def test_rotated_keys_are_found_when_a_token_names_one(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        assert await running.is_known()
        running.server.keys = key_set(EC384)
        running.now += 30
        assert await running.is_known()
        assert await running.is_known(EC384)
        assert not await running.is_known(), "a key that was taken out of the set"

    run(tmp_path, test)


def test_a_key_that_was_taken_out_ends_within_five_minutes(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        await running.tokens.refresh_due()
        assert await running.is_known()
        running.server.keys = key_set(EC384)
        running.now += 299
        await running.tokens.refresh_due()
        assert await running.is_known()
        running.now += 1
        await running.tokens.refresh_due()
        assert not await running.is_known()
        assert running.server.fetches() == 2

    run(tmp_path, test)


def test_a_key_that_was_replaced_under_its_name_no_longer_counts(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        assert await running.is_known()
        running.server.keys = key_set(STRANGER)
        running.now += 300
        await running.tokens.refresh_due()
        assert not await running.is_known()
        assert await running.is_known(STRANGER)

    run(tmp_path, test)


def test_the_same_keys_keep_the_verified_tokens(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        text = token(claims(iss=running.server.url))
        first = await running.tokens.caller(text)
        running.now += 300
        await running.tokens.refresh_due()
        assert running.server.fetches() == 2
        assert await running.tokens.caller(text) is first

    run(tmp_path, test)


async def broken(request: object) -> None:
    raise ConnectionResetError


async def garbage(request: object) -> object:
    from aiohttp import web

    return web.Response(body=b'{"keys": [{"kty": "EC"}]}')


@pytest.mark.parametrize("answer", [never, dripping, endless, broken, garbage])
def test_the_last_good_keys_stay_while_the_source_is_bad(tmp_path: Path, answer: Answer) -> None:
    async def test(running: Running) -> None:
        assert await running.is_known()
        running.answer(answer)
        for _ in range(3):
            running.now += 300
            await running.tokens.refresh_due()
        assert running.server.fetches() >= 4
        assert await running.is_known()
        running.recover()
        running.server.keys = key_set(EC384)
        before = running.server.fetches()
        running.now += 29
        await running.tokens.refresh_due()
        assert running.server.fetches() == before
        running.now += 1
        await running.tokens.refresh_due()
        assert running.server.fetches() == before + 1, "30 s after a failure, not five minutes"
        assert await running.is_known(EC384)

    with capture_logs() as logs:
        run(tmp_path, test)
    failures = [each for each in logs if each["log_level"] == "error"]
    assert [each["event"] for each in failures] == ["keys not fetched; the last good ones stay in force"]
    assert failures[0]["has_keys"]


def test_nobody_is_known_while_there_were_never_keys(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        running.answer(never)
        assert not await running.is_known()
        running.recover()
        assert not await running.is_known(), "asked for less than 30 s ago"
        running.now += 30
        assert await running.is_known()

    run(tmp_path, test)


def test_calls_share_a_fetch_and_a_caller_that_leaves_does_not_end_it(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        leaving = asyncio.create_task(running.is_known())
        staying = [asyncio.create_task(running.is_known()) for _ in range(20)]
        await asyncio.sleep(0)
        leaving.cancel()
        assert all(await asyncio.gather(*staying))
        assert running.server.fetches() == 1

    run(tmp_path, test)


def test_the_calls_that_wait_are_bounded() -> None:
    async def main() -> None:
        async def stuck(source: KeySource) -> None:
            await asyncio.Event().wait()

        keys = FetchedKeySet(KeySource("https://issuer.example.org"), stuck)  # type: ignore[arg-type]
        assert keys.may_fetch()
        waiting = [asyncio.create_task(keys.refresh()) for _ in range(MAX_WAITING)]
        await asyncio.sleep(0)
        assert not keys.may_fetch()
        waiting.pop().cancel()
        await asyncio.sleep(0)
        assert keys.may_fetch()
        await keys.close()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(main())


def test_other_tokens_do_not_wait_for_a_fetch(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        assert await running.is_known()
        running.answer(never)
        running.now += 30
        waiting = asyncio.create_task(running.is_known(RSA))
        await running.server.wait_for_fetches(2)
        for _ in range(100):
            assert await running.is_known()
        assert not waiting.done()
        assert not await waiting

    run(tmp_path, test)


def test_keys_outlive_a_reload_that_keeps_their_source(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        assert await running.is_known()
        running.path.write_text(running.entry("required_claims: {sub: ['repo:acme/web:*']}"))
        for _ in range(2):
            running.files.look()
        running.answer(never)
        assert await running.is_known()
        assert running.server.fetches() == 1

    run(tmp_path, test)


def test_the_task_keeps_keys_fresh_and_ends_cleanly(tmp_path: Path) -> None:
    async def test(running: Running) -> None:
        task = asyncio.create_task(running.tokens.run())
        await running.server.wait_for_fetches(1)
        assert await running.is_known()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        running.answer(never)
        running.now += 300
        task = asyncio.create_task(running.tokens.run())
        await running.server.wait_for_fetches(2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert [each for each in asyncio.all_tasks() if each.get_name() == "keys"] == []

    run(tmp_path, test)
