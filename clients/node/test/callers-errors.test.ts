/** Mistakes in the caller's own code reject with their own errors, not with a FacadeError. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, test } from "node:test";

import { connect, pages, type ConnectOptions } from "cloudfront-facade";

import { CODE, newName, newStore, TARGET } from "./support.js";

const facade = connect(TARGET);
after(() => facade.close());

/** A certificate that nothing trusts, and a key that is not its own. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBcDCCARWgAwIBAgIUeBUo4WGlUVOAiisXdR1JqOgGoUEwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAgFw0yNjExMjcwMzI4MDNaGA8yMTI2MTEwMzAzMjgwM1ow
DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEd9nT+nfd/Q
yVeJfG1W8Nr+a19GSMqqKKTl292ok2SKKXWQ3RDXiLWjOqYG4tGIbz8kd9VGB2Tn
5CwZaYvaP6ejUzBRMB0GA1UdDgQWBBSf4oGToYw+76y5Q0M2k05QNbH7dzAfBgNV
HSMEGDAWgBSf4oGToYw+76y5Q0M2k05QNbH7dzAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0kAMEYCIQCHBSDAN2GzU7T9Es/+yTxINf8j5MvEjn90jLoN9hBl
TgIhAIv0Pfy3XX3n154zzHSDKDQ6NedjsdecvV2o9R/h2iaT
-----END CERTIFICATE-----`;
const OTHER_KEY = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;

function put(key: string, value = "v") {
  return { change: { case: "put" as const, value: { key, value } } };
}

test("a target that is not HOST:PORT is rejected", () => {
  for (const target of [
    ...["", "nonsense", "no spaces:1", "127.0.0.1", "[::1]", "::1", "::1:50051", "http://127.0.0.1:1", "unix:/run/s"],
    ...[":50051", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:1/path", "user@host:1", "1.2.3.999:1"],
  ]) {
    assert.throws(() => connect(target), { name: "TypeError", message: `invalid target "${target}": expected HOST:PORT, with a port from 1 to 65535` });
  }
  for (const target of ["127.0.0.1:1", "localhost:80", "facade.example.com:443", "[::1]:50051", "my_service:65535"]) {
    connect(target).close();
    connect(target, { tls: true }).close();
  }
});

test("an invalid deadline is rejected, of the client and of a call", async () => {
  for (const deadlineMs of [0, -1, NaN, -Infinity, 0.5, 100_000_000]) {
    const rejection = { name: "RangeError", message: new RegExp(`^invalid deadline ${deadlineMs}: expected a whole number`) };
    assert.throws(() => connect(TARGET, { deadlineMs }), rejection);
    await assert.rejects(facade.tags.listTagsForResource({ resource: "" }, { timeoutMs: deadlineMs }), rejection);
    await assert.rejects(facade.keyValues.importKeys((async function* () {})(), { timeoutMs: deadlineMs }), rejection);
  }
});

test("an option of connect that is unknown or has a wrong type is rejected", () => {
  const pem = "-----BEGIN CERTIFICATE-----\nhush\n-----END CERTIFICATE-----";
  const rows: [unknown, string][] = [
    [{ timeout: 3 }, "timeout is not an option of connect; allowed: tls, deadlineMs, retry, requestIds"],
    [{ deadline: 3 }, 'deadline is not an option of connect; allowed: .*; did you mean "deadlineMs"\\?'],
    [{ retry: 0 }, "retry must be true or false, not a number"],
    [{ requestIds: null }, "requestIds must be true or false, not null"],
    [{ deadlineMs: "3" }, "deadlineMs must be a number of milliseconds or null, not a string"],
    [{ tls: "ca.pem" }, 'tls must be true, false or an object such as \\{ ca: readFileSync\\("ca.pem"\\) \\}, not a string'],
    [{ tls: Buffer.from(pem) }, "tls must be true, false or an object .*, not a Buffer"],
    [{ tls: { CA: pem } }, 'tls.CA is not an option of connect; allowed: ca, cert, key, servername; did you mean "ca"\\?'],
    [{ tls: { ca: "ca.pem" } }, "tls.ca is not PEM: it has no -----BEGIN line; allowed: the content of a file, not its name"],
    [{ tls: { ca: [pem, Buffer.from("hush")] } }, "tls.ca is not PEM"],
    [{ tls: { cert: pem } }, "mutual TLS needs both tls.cert and tls.key"],
    [{ tls: { ca: pem } }, "invalid tls.ca: "],
    [{ tls: { cert: pem, key: pem } }, "invalid tls.cert: "],
    [{ tls: { cert: CERTIFICATE, key: pem } }, "invalid tls.key: "],
    [{ tls: { cert: CERTIFICATE, key: OTHER_KEY } }, "invalid tls.key for tls.cert: "],
    [null, "the options of connect must be an object, not null"],
    [3, "the options of connect must be an object, not a number"],
  ];
  for (const [options, message] of rows) {
    assert.throws(
      () => connect(TARGET, options as ConnectOptions),
      (error: Error) => error.name === "TypeError" && new RegExp(`^${message}`).test(error.message) && !error.message.includes("hush"),
      message,
    );
  }
  for (const options of [{}, { tls: undefined, retry: undefined, requestIds: false }, { deadlineMs: null, tls: {} }, undefined]) {
    connect(TARGET, options as ConnectOptions).close();
  }
});

test("a closed client rejects calls", async () => {
  const closed = connect(TARGET);
  const { keyValueStores } = closed;
  await keyValueStores.listKeyValueStores({});
  closed.close();
  closed.close();
  const rejection = { name: "Error", message: "the client is closed" };
  await assert.rejects(keyValueStores.listKeyValueStores({}), rejection);
  await assert.rejects(closed.keyValues.importKeys((async function* () {})()), rejection);
  await assert.rejects(pages(closed.functions.listFunctions, {}).next(), rejection);
});

test("a lone surrogate is rejected, with the path of its field", async () => {
  const { keyValues, functions, keyValueStores, tags } = facade;
  const kvsArn = await newStore(facade);
  const lone = "\ud800";
  const name = newName();
  const calls: [string, Promise<unknown>][] = [
    ["key", keyValues.putKey({ kvsArn, key: `a${lone}`, value: "" })],
    ["value", keyValues.putKey({ kvsArn, key: "a", value: "\udc00\ud800" })],
    ["name", keyValueStores.createKeyValueStore({ name: lone })],
    ["tags[1].value", tags.tagResource({ resource: kvsArn, tags: [{ key: "a" }, { key: "b", value: lone }] })],
    ["tagKeys[1]", tags.untagResource({ resource: kvsArn, tagKeys: ["a", lone] })],
    ["functionConfig.comment", functions.createFunction({ name, functionCode: CODE, functionConfig: { comment: lone } })],
    ["changes[1].change.value.key", keyValues.updateKeys({ kvsArn, changes: [put("a"), put(lone)] })],
    ["changes[0].change.value", keyValues.updateKeys({ kvsArn, changes: [{ change: { case: "delete", value: lone } }] })],
    ["requests[0].changes[1].change.value.value", keyValues.importKeys([{ kvsArn, changes: [put("a"), put("b", lone)] }] as never)],
  ];
  for (const [path, call] of calls) {
    await assert.rejects(call, { name: "TypeError", message: `${path} has a lone surrogate, which UTF-8 cannot encode` });
  }
  const { items } = await keyValues.listKeys({ kvsArn });
  assert.deepEqual(items, []);
});

test("any text makes the round trip unchanged", async () => {
  const kvsArn = await newStore(facade);
  const key = "\u{1f600}\u0000\uffff\u00fc";
  await facade.keyValues.putKey({ kvsArn, key, value: "\u{10ffff}" });
  assert.equal((await facade.keyValues.getKey({ kvsArn, key })).value, "\u{10ffff}");
});

test("an exception of the caller's own iterable rejects the call unchanged", { timeout: 20_000 }, async () => {
  const kvsArn = await newStore(facade);
  let closed = 0;
  for (const own of [new Error("the file ended"), new RangeError("no"), new DOMException("away", "AbortError"), "text"]) {
    const requests = async function* () {
      try {
        yield { kvsArn, changes: [put("a")] };
        throw own;
      } finally {
        closed++;
      }
    };
    await assert.rejects(facade.keyValues.importKeys(requests()), (error) => error === own);
  }
  assert.equal(closed, 4);
});

test("an iterable is closed when the call ends before it", { timeout: 20_000 }, async () => {
  let closed = false;
  const requests = async function* () {
    try {
      for (;;) {
        yield { kvsArn: "no ARN", changes: [put("a")] };
      }
    } finally {
      closed = true;
    }
  };
  await assert.rejects(facade.keyValues.importKeys(requests()), { name: "FacadeError", reason: "VALIDATION_FAILED" });
  assert.ok(closed);
});
