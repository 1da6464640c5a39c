/** What the tests share. They need a server: CLOUDFRONT_FACADE_TARGET says where. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";

import { Code, FacadeError, type Facade } from "cloudfront-facade";
import { FunctionRuntime } from "cloudfront-facade/v1/function_service_pb";

export const TARGET = process.env["CLOUDFRONT_FACADE_TARGET"] ?? "127.0.0.1:50051";

export const CODE = new TextEncoder().encode("function handler(event) { return event.request; }");

/** What a function is made of, all but its name. */
export const FUNCTION = {
  functionConfig: { comment: "Hands every request on", runtime: FunctionRuntime.CLOUDFRONT_JS_2_0 },
  functionCode: CODE,
};

/** A name that nothing has yet. */
export function newName(): string {
  return `node-${randomUUID()}`;
}

/** The ARN of a new store that is READY. */
export async function newStore(facade: Facade): Promise<string> {
  const name = newName();
  await facade.keyValueStores.createKeyValueStore({ name });
  const { keyValueStore } = await facade.keyValueStores.waitForKeyValueStore({ name });
  return keyValueStore?.arn ?? "";
}

/** The error that a call fails with. */
export async function failure(call: Promise<unknown>): Promise<FacadeError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof FacadeError) {
      return error;
    }
    throw error;
  }
  throw new Error("the call did not fail");
}

/** The address of a server that takes connections and never says anything, for as long as the test runs. */
export async function silentTarget(context: TestContext): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on("error", () => {})));
  context.after(() => {
    server.close();
    sockets.forEach((socket) => socket.destroy());
  });
  return listening(server);
}

/** The address of a server that begins to answer every call, and then gives it up. */
export async function failingTarget(context: TestContext): Promise<string> {
  const server = createHttp2Server((_, response) => {
    response.writeHead(200, { "content-type": "application/grpc" });
    response.addTrailers({ "grpc-status": Code.Aborted, "grpc-message": "begun, and given up" });
    response.end();
  });
  context.after(() => server.close());
  return listening(server);
}

/** The address of a server that hands every call on to the target, but for the first one of a method, which fails. */
export async function targetFailingOnce(context: TestContext, method: string): Promise<string> {
  const target = connectHttp2(`http://${TARGET}`);
  const server = createHttp2Server();
  let failed = false;
  server.on("stream", (stream, { ":authority": _, ...headers }) => {
    if (!failed && headers[":path"]?.endsWith(`/${method}`)) {
      failed = true;
      const answer = { "content-type": "application/grpc", "grpc-status": Code.Unavailable, "grpc-message": "this step fails" };
      stream.respond({ ":status": 200, ...answer }, { endStream: true });
      return;
    }
    const call = target.request(headers);
    let trailers = {};
    call.on("response", (answer) => stream.respond(answer, { waitForTrailers: true }));
    call.on("trailers", (last) => (trailers = last));
    stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    stream.pipe(call).pipe(stream);
  });
  context.after(() => {
    assert.ok(failed);
    target.close();
    server.close();
  });
  return listening(server);
}

/** An address where nothing listens. */
export async function deadTarget(): Promise<string> {
  const server = createServer();
  const target = await listening(server);
  await new Promise((done) => server.close(done));
  return target;
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
