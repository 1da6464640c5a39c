import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { connect } from "cloudfront-facade";

import { failure, newName } from "./support.js";

// A server whose certificate is signed by ca.pem in the directory, and that requires a client certificate like client.pem.
const TARGET = process.env["CLOUDFRONT_FACADE_TLS_TARGET"] ?? "";
const DIRECTORY = process.env["CLOUDFRONT_FACADE_TLS_DIRECTORY"] ?? "";
const skip = TARGET === "" && "CLOUDFRONT_FACADE_TLS_TARGET is not set";

function pem(name: string): Buffer {
  return readFileSync(join(DIRECTORY, name));
}

test("a client with a certificate is served over TLS", { skip }, async (context) => {
  const facade = connect(TARGET, { tls: { ca: pem("ca.pem"), cert: pem("client.pem"), key: pem("client-key.pem") } });
  context.after(() => facade.close());
  const { keyValueStore } = await facade.keyValueStores.createKeyValueStore({ name: newName() });
  assert.match(keyValueStore?.arn ?? "", /^arn:/);
});

test("a server whose authority is not trusted gets no request", { skip }, async (context) => {
  const facade = connect(TARGET, { tls: true });
  context.after(() => facade.close());
  const error = await failure(facade.keyValueStores.createKeyValueStore({ name: newName() }));
  assert.equal(error.reason, "");
  assert.match(error.details, /certificate/);
});
