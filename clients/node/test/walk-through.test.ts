import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { promisify } from "node:util";

import { TARGET } from "./support.js";

test("the walk-through goes through the whole life of a function and of a store", async () => {
  const script = fileURLToPath(new URL("../examples/walk-through.js", import.meta.url));
  const env = { ...process.env, CLOUDFRONT_FACADE_TARGET: TARGET };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script], { env, timeout: 30_000 });
  assert.equal(stderr, "");
  const said = new Map(stdout.trimEnd().split("\n").map((line) => [line.split(" ")[0], line]));
  assert.deepEqual(
    [...said.keys()],
    ["created", "tested", "published", "store", "keys", "read", "updated", "tags", "deleted"],
  );
  assert.match(said.get("created") ?? "", /^created arn:aws:cloudfront::\d{12}:function\/walk-through-\w+$/);
  assert.match(said.get("tested") ?? "", /"\/docs\/index\.html"/);
  assert.match(said.get("store") ?? "", /^store READY arn:aws:cloudfront::\d{12}:key-value-store\//);
  assert.equal(said.get("keys"), "keys 121");
  assert.equal(said.get("read"), "read /old/7 /new/7");
  assert.match(said.get("updated") ?? "", /"statusCode":302\b/);
  assert.match(said.get("updated") ?? "", /"\/manual\/"/);
  assert.equal(said.get("tags"), "tags cloudfront-facade:request stage");
});
