/** Shared by the tests. They need a server at CLOUDFRONT_FACADE_TARGET. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { connect as connectHttp2, createServer as createHttp2Server, type ServerHttp2Stream } from "node:http2";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";

import { Code, FacadeError, type Facade } from "cloudfront-facade";
import { FunctionRuntime } from "cloudfront-facade/v1/function_service_pb";

export const TARGET = process.env["CLOUDFRONT_FACADE_TARGET"] ?? "127.0.0.1:50051";

export const CODE = new TextEncoder().encode("function handler(event) { return event.request; }");

/** All fields of a valid create except its name. */
export const FUNCTION = {
  functionConfig: { comment: "Hands every request on", runtime: FunctionRuntime.CLOUDFRONT_JS_2_0 },
  functionCode: CODE,
};

/** Returns a name that no resource has yet. */
export function newName(): string {
  return `node-${randomUUID()}`;
}

/** Creates a store, waits until it is READY, and returns its ARN. */
export async function newStore(facade: Facade): Promise<string> {
  const name = newName();
  await facade.keyValueStores.createKeyValueStore({ name });
  const { keyValueStore } = await facade.keyValueStores.waitForKeyValueStore({ name });
  return keyValueStore?.arn ?? "";
}

/** Returns the error that a call fails with. */
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

/** Starts a server that accepts connections and never answers, until the test ends; returns its address. */
export async function silentTarget(context: TestContext): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on("error", () => {})));
  context.after(() => {
    server.close();
    sockets.forEach((socket) => socket.destroy());
  });
  return listening(server);
}

/** Starts a server that begins to answer every call and then fails it; returns its address. */
export async function failingTarget(context: TestContext): Promise<string> {
  const server = createHttp2Server((_, response) => {
    response.writeHead(200, { "content-type": "application/grpc" });
    response.addTrailers({ "grpc-status": Code.Aborted, "grpc-message": "failed after its start" });
    response.end();
  });
  context.after(() => server.close());
  return listening(server);
}

/** Starts a proxy to the target that fails the first call of a method; returns its address. */
export async function targetFailingOnce(context: TestContext, method: string): Promise<string> {
  const target = connectHttp2(`http://${TARGET}`);
  const server = createHttp2Server();
  let failed = false;
  server.on("stream", (stream, { ":authority": _, ...headers }) => {
    if (!failed && headers[":path"]?.endsWith(`/${method}`)) {
      failed = true;
      const answer = { "content-type": "application/grpc", "grpc-status": Code.Internal, "grpc-message": "this step fails" };
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

/** Answers a call of a scripted server. */
export type Answer = (stream: ServerHttp2Stream, socket: Socket) => void;

/** A call that a scripted server received, with the milliseconds since the start of the process. */
export interface Received {
  readonly method: string;
  readonly message: Uint8Array;
  readonly timeout: string | undefined;
  readonly at: number;
}

/** Answers with a status and trailers. */
export function status(code: Code, trailers: Record<string, string> = {}): Answer {
  return (stream) => {
    const answer = { "content-type": "application/grpc", "grpc-status": code, "grpc-message": "scripted", ...trailers };
    stream.respond({ ":status": 200, ...answer }, { endStream: true });
  };
}

/** Ends the stream with a code of HTTP/2. */
export function reset(code: number): Answer {
  return (stream) => stream.close(code);
}

/** Breaks the connection. */
export const broken: Answer = (_, socket) => socket.destroy();

/** Answers with an empty message. */
const ok: Answer = (stream) => {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": 0 }));
  stream.end(new Uint8Array(5));
};

/** Starts a server that answers its first calls by a script, and later ones with OK, until the test ends. */
export async function scriptedTarget(
  context: TestContext,
  ...answers: Answer[]
): Promise<{ target: string; received: Received[]; stop: () => void }> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  const server = createHttp2Server().on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  server.on("stream", async (stream, { ":path": path = "", "grpc-timeout": timeout }) => {
    const socket = [...sockets].at(-1) as Socket;
    const chunks: Buffer[] = [];
    stream.on("error", () => {});
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
    }
    const message = new Uint8Array(Buffer.concat(chunks).subarray(5));
    received.push({ method: path.slice(path.lastIndexOf("/") + 1), message, timeout: timeout?.toString(), at: performance.now() });
    (answers.shift() ?? ok)(stream, socket);
  });
  const stop = () => {
    server.close();
    sockets.forEach((socket) => socket.destroy());
  };
  context.after(stop);
  return { target: await listening(server), received, stop };
}

/** Returns an address that nothing listens on. */
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
