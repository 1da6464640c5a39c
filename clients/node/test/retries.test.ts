/** When a call is retried. The Python client has the same policy. */
import assert from "node:assert/strict";
import { constants } from "node:http2";
import { test } from "node:test";

import { fromBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { Code, connect, type ConnectOptions, type Facade } from "cloudfront-facade";
import { CreateFunctionRequestSchema } from "cloudfront-facade/v1/function_service_pb";

import { ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";
import { broken, deadTarget, failure, reset, scriptedTarget, status, type Answer } from "./support.js";

const { NGHTTP2_REFUSED_STREAM: REFUSED_STREAM, NGHTTP2_CANCEL: CANCEL } = constants;
const SOON = { "grpc-retry-pushback-ms": "1" };
const UNAVAILABLE = status(Code.Unavailable, SOON);
const CREATE = (facade: Facade) => facade.functions.createFunction({ name: "a" });
const READ = (facade: Facade) => facade.functions.getFunction({ name: "a" });
const PUT = (facade: Facade) => facade.keyValues.putKey({ kvsArn: "a", key: "a", value: "a" });
const PUT_WITH_ETAG = (facade: Facade) => facade.keyValues.putKey({ kvsArn: "a", key: "a", value: "a", etag: "e" });

/** Runs a call against a scripted server; returns its error, or undefined, and the calls that the server received. */
async function outcomeOf(
  context: Parameters<typeof scriptedTarget>[0],
  call: (facade: Facade) => Promise<unknown>,
  answers: Answer[],
  options: ConnectOptions = {},
) {
  const { target, received } = await scriptedTarget(context, ...answers);
  const facade = connect(target, options);
  context.after(() => facade.close());
  const error = await failure(call(facade)).catch((reason: Error) => {
    assert.equal(reason.message, "the call did not fail");
  });
  return { error, received };
}

test("a create is retried with the same requestId, whatever ends the first attempt", async (context) => {
  for (const answer of [UNAVAILABLE, status(Code.Canceled, SOON), reset(CANCEL), reset(REFUSED_STREAM), broken]) {
    const { error, received } = await outcomeOf(context, CREATE, [answer]);
    assert.equal(error, undefined);
    const ids = received.map(({ message }) => fromBinary(CreateFunctionRequestSchema, message).requestId);
    assert.equal(ids.length, 2);
    assert.match(ids[0] ?? "", /^[0-9a-f-]{36}$/);
    assert.equal(ids[1], ids[0]);
  }
});

test("a call fails after four attempts", async (context) => {
  const { error, received } = await outcomeOf(context, CREATE, Array(9).fill(UNAVAILABLE));
  assert.deepEqual([error?.code, error?.outcome, received.length], [Code.Unavailable, "unknown", 4]);
  const [first] = received;
  assert.equal(error?.requestId, fromBinary(CreateFunctionRequestSchema, first?.message ?? new Uint8Array()).requestId);
});

test("other statuses are not retried", async (context) => {
  for (const code of [Code.ResourceExhausted, Code.Aborted, Code.Internal, Code.Unknown, Code.DeadlineExceeded]) {
    const { error, received } = await outcomeOf(context, READ, [status(code, SOON)]);
    assert.deepEqual([error?.code, received.length], [code, 1]);
  }
});

test("a retry honours the server's pushback, and without one it waits for the backoff", async (context) => {
  for (const [trailers, shortest, longest] of [
    [{ "grpc-retry-pushback-ms": "500" }, 480, 900],
    [{}, 150, 450],
  ] as const) {
    const { received } = await outcomeOf(context, READ, [status(Code.Unavailable, trailers)]);
    const [first, second] = received.map(({ at }) => at);
    const pause = (second ?? 0) - (first ?? 0);
    assert.ok(pause > shortest && pause < longest, `${pause}`);
  }
});

test("a pushback below zero, or one that is not a number, disables the retry", async (context) => {
  for (const pushback of ["-1", "soon", "1.5", ""]) {
    const { error, received } = await outcomeOf(context, READ, [status(Code.Unavailable, { "grpc-retry-pushback-ms": pushback })]);
    assert.deepEqual([error?.code, received.length], [Code.Unavailable, 1]);
  }
});

test("a client with retry: false sends once", async (context) => {
  for (const answer of [UNAVAILABLE, broken, reset(REFUSED_STREAM)]) {
    const { error, received } = await outcomeOf(context, READ, [answer], { retry: false });
    assert.deepEqual([error?.code, received.length], [Code.Unavailable, 1]);
  }
});

test("a create without a request_id is retried only if no server received it", async (context) => {
  const options = { requestIds: false };
  for (const answer of [UNAVAILABLE, status(Code.Canceled), broken]) {
    const { error, received } = await outcomeOf(context, CREATE, [answer], options);
    assert.deepEqual([error?.outcome, received.length], ["unknown", 1]);
  }
  const { error, received } = await outcomeOf(context, CREATE, [reset(REFUSED_STREAM)], options);
  assert.deepEqual([error, received.length], [undefined, 2]);
});

test("a write of keys without an etag is retried only if no server received it", async (context) => {
  for (const answer of [UNAVAILABLE, status(Code.Canceled), reset(CANCEL), broken]) {
    const { error, received } = await outcomeOf(context, PUT, [answer]);
    assert.deepEqual([error?.outcome, received.length], ["unknown", 1]);
  }
  const { error, received } = await outcomeOf(context, PUT, [reset(REFUSED_STREAM)]);
  assert.deepEqual([error, received.length], [undefined, 2]);
});

test("a write of keys with an etag is also retried if a stopping server cancels it", async (context) => {
  assert.equal((await outcomeOf(context, PUT_WITH_ETAG, [status(Code.Canceled, SOON)])).error, undefined);
  const { error, received } = await outcomeOf(context, PUT_WITH_ETAG, [UNAVAILABLE]);
  assert.deepEqual([error?.outcome, received.length], ["unknown", 1]);
});

test("the outcome of a cancelled write of keys stays unknown if the retry finds another version", async (context) => {
  const info = { desc: ErrorInfoSchema, value: { reason: "ETAG_MISMATCH", metadata: { outcome: "not_applied" } } };
  const trailers = new Headers();
  setTrailerStatus(trailers, new ConnectError("no", Code.Aborted, undefined, [info]));
  const mismatch = status(Code.Aborted, Object.fromEntries(trailers));
  const alone = await outcomeOf(context, PUT_WITH_ETAG, [mismatch]);
  assert.deepEqual([alone.error?.reason, alone.error?.outcome], ["ETAG_MISMATCH", "not_applied"]);
  const retried = await outcomeOf(context, PUT_WITH_ETAG, [status(Code.Canceled, SOON), mismatch]);
  assert.deepEqual([retried.error?.reason, retried.error?.outcome], ["ETAG_MISMATCH", "unknown"]);
});

test("a change is not applied only if no attempt may have been applied", async (context) => {
  const answer = (code: Code, reason: string, outcome: string) => {
    const info = { desc: ErrorInfoSchema, value: { reason, metadata: { outcome } } };
    const trailers = new Headers(SOON);
    setTrailerStatus(trailers, new ConnectError("no", code, undefined, [info]));
    return status(code, Object.fromEntries(trailers));
  };
  const unknown = answer(Code.Unavailable, "UPSTREAM_OUTCOME_UNKNOWN", "unknown");
  const notApplied = answer(Code.Unavailable, "UPSTREAM_UNAVAILABLE", "not_applied");
  const shed = answer(Code.ResourceExhausted, "OVERLOADED", "not_applied");
  const taken = answer(Code.AlreadyExists, "ALREADY_EXISTS", "not_applied");
  for (const [answers, outcome] of [
    [[unknown, shed], "unknown"],
    [[unknown, notApplied, shed], "unknown"],
    [[notApplied, shed], "not_applied"],
    [[unknown, taken], "not_applied"],
  ] as const) {
    const { error, received } = await outcomeOf(context, CREATE, [...answers]);
    assert.deepEqual([error?.outcome, received.length], [outcome, answers.length]);
  }
});

test("a stream that the server rejects unread in every attempt is not applied", async (context) => {
  const { error, received } = await outcomeOf(context, CREATE, Array(4).fill(reset(REFUSED_STREAM)));
  assert.deepEqual([error?.code, error?.outcome, received.length], [Code.Unavailable, "not_applied", 4]);
});

test("a call without a connection is unavailable and not applied, and a stream too", async (context) => {
  const facade = connect(await deadTarget(), { retry: false });
  context.after(() => facade.close());
  for (const call of [CREATE(facade), READ(facade), PUT(facade), facade.keyValues.importKeys((async function* () {})())]) {
    const error = await failure(call);
    assert.deepEqual([error.code, error.reason, error.outcome], [Code.Unavailable, "", "not_applied"]);
  }
});

test("an unknown name is unavailable and not applied", async (context) => {
  const facade = connect("facade.invalid:1", { retry: false });
  context.after(() => facade.close());
  const error = await failure(CREATE(facade));
  assert.deepEqual([error.code, error.outcome], [Code.Unavailable, "not_applied"]);
});

for (const [connection, before] of [
  ["the first connection", []],
  ["an open connection", [status(Code.Internal)]],
  ["a new connection", Array<Answer>(4).fill(broken)],
] as const) {
  test(`a create whose server vanished after it was sent over ${connection} is unknown`, async (context) => {
    const { target, received, stop } = await scriptedTarget(context, ...before, () => stop());
    const facade = connect(target);
    context.after(() => facade.close());
    if (before.length > 0) {
      await failure(READ(facade));
    }
    const error = await failure(CREATE(facade));
    assert.match(error.details, /ECONNREFUSED/); // of the last attempt; the first one was sent
    assert.deepEqual([error.code, error.outcome, received.length], [Code.Unavailable, "unknown", before.length + 1]);
  });
}

test("an outage is not made worse by retries", async (context) => {
  const calls = 100;
  const { target, received } = await scriptedTarget(context, ...Array(calls * 4).fill(UNAVAILABLE));
  const facade = connect(target);
  context.after(() => facade.close());
  for (let call = 0; call < calls; call++) {
    await failure(READ(facade));
  }
  // Four attempts of 25 calls spend half of the tokens; then each call is sent once.
  assert.ok(Math.abs(received.length - (100 + calls - 25)) <= 4, `${received.length}`);
});

test("retries end at the deadline of the call", async (context) => {
  const { target, received } = await scriptedTarget(context, ...Array(4).fill(status(Code.Unavailable, { "grpc-retry-pushback-ms": "200" })));
  const facade = connect(target);
  context.after(() => facade.close());
  const started = performance.now();
  const error = await failure(facade.functions.getFunction({ name: "a" }, { timeoutMs: 300 }));
  assert.ok(performance.now() - started < 400);
  assert.deepEqual([error.code, received.length], [Code.Unavailable, 2]);
});

test("a call that its caller aborts is not retried, during an attempt and between two", async (context) => {
  for (const answer of [() => {}, status(Code.Unavailable, { "grpc-retry-pushback-ms": "5000" })]) {
    const { target, received } = await scriptedTarget(context, answer);
    const facade = connect(target);
    context.after(() => facade.close());
    const started = performance.now();
    const error = await failure(facade.functions.createFunction({ name: "a" }, { signal: AbortSignal.timeout(150) }));
    assert.ok(performance.now() - started < 1000);
    assert.match(error.requestId, /^[0-9a-f-]{36}$/);
    assert.deepEqual([error.code, error.outcome, received.length], [Code.Canceled, "unknown", 1]);
  }
});

test("a closed client does not retry", async (context) => {
  const { target, received } = await scriptedTarget(context, () => facade.close());
  const facade = connect(target);
  const error = await failure(READ(facade));
  assert.deepEqual([error.code, received.length], [Code.Canceled, 1]);
});

test("no proxy of the environment is used", async (context) => {
  const proxy = await scriptedTarget(context);
  for (const name of ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy", "grpc_proxy"]) {
    const previous = process.env[name];
    process.env[name] = `http://${proxy.target}`;
    context.after(() => (previous === undefined ? delete process.env[name] : (process.env[name] = previous)));
  }
  process.env["NODE_USE_ENV_PROXY"] = "1";
  context.after(() => delete process.env["NODE_USE_ENV_PROXY"]);
  const { error, received } = await outcomeOf(context, READ, []);
  assert.deepEqual([error, received.length, proxy.received.length], [undefined, 1, 0]);
});
