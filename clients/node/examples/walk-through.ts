// The whole life of a function and of a key value store. It deletes both at the end, even if a step fails.
//
//     CLOUDFRONT_FACADE_TARGET=127.0.0.1:50051 npm run walk-through
import { Code, connect, FacadeError } from "cloudfront-facade";
import { FunctionRuntime } from "cloudfront-facade/v1/function_service_pb";

const WRITTEN = `function handler(event) {
  var request = event.request;
  if (request.uri.endsWith('/')) {
    request.uri += 'index.html';
  }
  return request;
}`;

const READING_A_STORE = `import cf from 'cloudfront';

async function handler(event) {
  var request = event.request;
  try {
    var target = await cf.kvs().get(request.uri);
    return { statusCode: 302, statusDescription: 'Found', headers: { location: { value: target } } };
  } catch (error) {
    return request;
  }
}`;

const EVENT = {
  version: "1.0",
  context: { eventType: "viewer-request" },
  viewer: { ip: "198.51.100.7" },
  request: { method: "GET", uri: "/docs/", querystring: {}, headers: {}, cookies: {} },
};

const facade = connect(process.env["CLOUDFRONT_FACADE_TARGET"] ?? "127.0.0.1:50051");
const name = `walk-through-${Date.now().toString(36)}`;
const runtime = FunctionRuntime.CLOUDFRONT_JS_2_0;
const text = new TextEncoder();

/** Returns the response of a call; undefined if the resource does not exist. */
async function ifExists<T>(call: Promise<T>): Promise<T | undefined> {
  return call.catch((error: unknown) => {
    if (error instanceof FacadeError && error.code === Code.NotFound) {
      return undefined;
    }
    throw error;
  });
}

/** Deletes the function and then the store, which the function uses. */
async function deleteBoth(): Promise<void> {
  const written = await ifExists(facade.functions.describeFunction({ name }));
  if (written) {
    await facade.functions.deleteFunction({ name, etag: written.etag });
  }
  const store = await ifExists(facade.keyValueStores.waitForKeyValueStore({ name }, { timeoutMs: 10 * 60_000 }));
  if (store) {
    await facade.keyValueStores.deleteKeyValueStore({ name, etag: store.etag });
  }
  console.log("deleted", name);
}

try {
  // Create a function, with tags.
  const created = await facade.functions.createFunction({
    name,
    functionConfig: { comment: "Adds index.html", runtime },
    functionCode: text.encode(WRITTEN),
    tags: [{ key: "team", value: "web" }],
  });
  const functionArn = created.functionSummary?.functionMetadata?.functionArn ?? "";
  console.log("created", functionArn);

  // Test it with an event.
  const eventObject = text.encode(JSON.stringify(EVENT));
  const tested = await facade.functions.testFunction({ name, etag: created.etag, eventObject });
  console.log("tested", tested.testResult?.functionErrorMessage || tested.testResult?.functionOutput);

  // Publish it: distributions can use it now.
  const published = await facade.functions.publishFunction({ name, etag: created.etag });
  console.log("published", published.functionSummary?.name);

  // Create a key value store, and wait until it can be used.
  await facade.keyValueStores.createKeyValueStore({ name, comment: "Redirects", tags: [{ key: "team", value: "web" }] });
  const ready = await facade.keyValueStores.waitForKeyValueStore({ name }, { timeoutMs: 10 * 60_000 });
  const kvsArn = ready.keyValueStore?.arn ?? "";
  console.log("store", ready.keyValueStore?.status, kvsArn);

  // Fill it: one key, then many in one call.
  await facade.keyValues.putKey({ kvsArn, key: "/docs/", value: "/manual/" });
  const filled = await facade.keyValues.updateKeys({
    kvsArn,
    changes: Array.from({ length: 120 }, (_, index) => ({
      change: { case: "put", value: { key: `/old/${index}`, value: `/new/${index}` } },
    })),
  });
  console.log("keys", Number(filled.itemCount));

  // Read it.
  const read = await facade.keyValues.getKey({ kvsArn, key: "/old/7" });
  console.log("read", read.key, read.value);

  // Update the function, so that it reads the store, and test it again.
  const updated = await facade.functions.updateFunction({
    name,
    etag: created.etag,
    functionConfig: { comment: "Redirects", runtime, keyValueStoreAssociations: [{ keyValueStoreArn: kvsArn }] },
    functionCode: text.encode(READING_A_STORE),
  });
  const retested = await facade.functions.testFunction({ name, etag: updated.etag, eventObject });
  console.log("updated", retested.testResult?.functionErrorMessage || retested.testResult?.functionOutput);

  // Tag it.
  await facade.tags.tagResource({ resource: functionArn, tags: [{ key: "stage", value: "demo" }] });
  await facade.tags.untagResource({ resource: functionArn, tagKeys: ["team"] });
  const { tags } = await facade.tags.listTagsForResource({ resource: functionArn });
  console.log("tags", tags.map((tag) => tag.key).sort().join(" "));
} finally {
  // Report a failure of the clean-up without hiding the earlier one.
  await deleteBoth().catch((error: unknown) => {
    console.error("perhaps left behind:", name, error);
    process.exitCode = 1;
  });
  facade.close();
}
