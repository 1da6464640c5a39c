/** What happens to every call on its way: a look at the request, a `requestId`, typed errors. */
import { randomUUID } from "node:crypto";

import { clone, getOption, type DescMessage, type DescMethod, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { isFieldError } from "@bufbuild/protobuf/reflect";
import { ConnectError, type Transport } from "@connectrpc/connect";

import { FacadeError } from "./errors.js";
import { long_running } from "./gen/cloudfront_facade/v1/options_pb.js";
import { checkDeadline, checked } from "./requests.js";

/** Longest deadline of a long-running method that the server honours, in milliseconds. */
const LONG_RUNNING_DEADLINE_MS = 1_800_000;

/**
 * Gives creates a `requestId`, and errors the type `FacadeError`, but for those of the caller's own making. Interceptors
 * do not see errors of deadlines.
 */
export function facadeTransport(
  transport: Transport,
  { deadlineMs, requestIds }: { deadlineMs: number | null; requestIds: boolean },
  isClosed: () => boolean,
): Transport {
  /** Gives the milliseconds that a call may take; undefined for as long as it takes. */
  function admit(method: DescMethod, timeoutMs: number | undefined): number | undefined {
    if (isClosed()) {
      throw new Error("the client is closed");
    }
    if (timeoutMs !== undefined) {
      checkDeadline(timeoutMs);
      return timeoutMs;
    }
    if (deadlineMs === null) {
      return undefined;
    }
    return getOption(method, long_running) ? Math.max(deadlineMs, LONG_RUNNING_DEADLINE_MS) : deadlineMs;
  }
  return {
    async unary(method, signal, given, header, input, contextValues) {
      const timeoutMs = admit(method, given);
      const message = checked(method.input, input);
      const request = requestIds ? withRequestId(method.input, message) : message;
      try {
        return await transport.unary(method, signal, timeoutMs, header, request as typeof input, contextValues);
      } catch (error) {
        throw typed(error, requestIdOf(request));
      }
    },
    async stream(method, signal, given, header, input, contextValues) {
      const timeoutMs = admit(method, given);
      const own: unknown[] = [];
      const failure = (error: unknown) => (own.length > 0 ? own[0] : typed(error));
      const requests = apart(checkedEach(method.input, input, own)) as typeof input;
      try {
        const response = await transport.stream(method, signal, timeoutMs, header, requests, contextValues);
        return { ...response, message: failingWith(failure, response.message) };
      } catch (error) {
        throw failure(error);
      }
    },
  };
}

/** A copy of the request with a new id, where it has room for one and none yet; else the request itself. */
function withRequestId<I extends DescMessage>(schema: I, request: MessageShape<I>): MessageShape<I> {
  if (!("requestId" in schema.field) || requestIdOf(request)) {
    return request;
  }
  return Object.assign(clone(schema, request), { requestId: randomUUID() });
}

function requestIdOf(request: object): string {
  return "requestId" in request && typeof request.requestId === "string" ? request.requestId : "";
}

/** The messages of the caller's requests; what is thrown by them, or at the look at them, is kept in `own`. */
async function* checkedEach<I extends DescMessage>(
  schema: I,
  requests: AsyncIterable<MessageInitShape<I>>,
  own: unknown[],
): AsyncGenerator<MessageShape<I>> {
  try {
    for await (const request of requests) {
      yield checked(schema, request);
    }
  } catch (error) {
    own.push(error);
    throw error;
  }
}

/** The same items; what the transport throws into them, which is no error of theirs, just ends them. */
async function* apart<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const item of items) {
    yield item;
  }
}

async function* failingWith<T>(failure: (error: unknown) => unknown, messages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw failure(error);
  }
}

function typed(error: unknown, requestId = ""): unknown {
  if (!(error instanceof ConnectError)) {
    return error;
  }
  // What the encoder says of a value of a wrong type.
  return isFieldError(error.cause) ? error.cause : new FacadeError(error, requestId);
}
