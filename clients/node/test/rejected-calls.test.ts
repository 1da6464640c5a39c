/** The outcome of calls that gRPC in the server rejects: `not_applied` only if nothing of the request was processed. */
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Code, connect, type Facade } from "cloudfront-facade";

import { broken, failure, FUNCTION, newName, scriptedTarget, status, TARGET } from "./support.js";

const TOO_LARGE = "SERVER: Received message larger than max (5000011 vs. 4194304)";
const LARGE = "v".repeat(5_000_000);
const CREATE = (client: Facade) => client.functions.createFunction({ name: "a" });
const IMPORT = (client: Facade) => client.keyValues.importKeys((async function* () { yield { kvsArn: "a" }; })());

const facade = connect(TARGET);
after(() => facade.close());

test("a request that gRPC rejects unread is not applied", async () => {
  const long = { headers: { x: "y".repeat(20_000) } };
  const gzip = { headers: { "grpc-encoding": "gzip" } };
  const calls: [() => Promise<unknown>, RegExp][] = [
    [() => facade.keyValues.putKey({ kvsArn: "a", key: "a", value: LARGE }), /^SERVER: Received message larger than max/],
    [() => facade.functions.createFunction({ ...FUNCTION, name: newName() }, long), /^received metadata size exceeds/],
    [() => facade.functions.createFunction({ ...FUNCTION, name: newName() }, gzip), /^Compression algorithm 'gzip' is disabled/],
  ];
  for (const [call, details] of calls) {
    const error = await failure(call());
    assert.match(error.details, details);
    assert.equal(error.outcome, "not_applied");
  }
});

/** Returns the outcome of a call that a server rejects, and before that, whose connection breaks a number of times. */
async function outcomeOf(context: Parameters<typeof scriptedTarget>[0], call: (client: Facade) => Promise<unknown>, message: string, breaks = 0, trailers = {}) {
  const rejection = status(Code.ResourceExhausted, { "grpc-message": encodeURIComponent(message), ...trailers });
  const { target } = await scriptedTarget(context, ...Array.from({ length: breaks }, () => broken), rejection);
  const client = connect(target);
  context.after(() => client.close());
  const error = await failure(call(client));
  assert.equal(error.details, message);
  return error.outcome;
}

test("a rejected request is unknown if an earlier attempt may have been applied", async (context) => {
  assert.equal(await outcomeOf(context, CREATE, TOO_LARGE), "not_applied");
  assert.equal(await outcomeOf(context, CREATE, TOO_LARGE, 1), "unknown");
});

test("a request of a stream that is too large is unknown, because earlier ones may have been applied", async (context) => {
  assert.equal(await outcomeOf(context, IMPORT, TOO_LARGE), "unknown");
  assert.equal(await outcomeOf(context, IMPORT, "received metadata size exceeds hard limit (17500 vs. 16384)"), "not_applied");
});

test("an error that may be about the response, or is a proxy's, is unknown", async (context) => {
  assert.equal(await outcomeOf(context, CREATE, TOO_LARGE.replace("Received", "Sent")), "unknown");
  assert.equal(await outcomeOf(context, CREATE, `CLIENT: ${TOO_LARGE.slice("SERVER: ".length)}`), "unknown");
  assert.equal(await outcomeOf(context, CREATE, `Stream removed (received metadata size exceeds hard limit)`), "unknown");
  assert.equal(await outcomeOf(context, CREATE, TOO_LARGE, 0, { via: "proxy" }), "unknown");
});
