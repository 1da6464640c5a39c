/** Wraps the transport of every call: checks requests, adds a `requestId`, and types errors. */
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
 * Adds a `requestId` to creates, and turns errors into `FacadeError`, except those of the caller's own code. This is not
 * an interceptor, because interceptors do not see deadline errors.
 */
export function facadeTransport(
  transport: Transport,
  { deadlineMs, requestIds }: { deadlineMs: number | null; requestIds: boolean },
  isClosed: () => boolean,
): Transport {
  /** Returns the deadline of a call in milliseconds; undefined for none. */
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
      const requests = detached(checkedEach(method.input, input, own)) as typeof input;
      try {
        const response = await transport.stream(method, signal, timeoutMs, header, requests, contextValues);
        return { ...response, message: failingWith(failure, response.message) };
      } catch (error) {
        throw failure(error);
      }
    },
  };
}

/** Returns a copy of the request with a new id if it is a create without one; otherwise the request itself. */
function withRequestId<I extends DescMessage>(schema: I, request: MessageShape<I>): MessageShape<I> {
  if (!("requestId" in schema.field) || requestIdOf(request)) {
    return request;
  }
  return Object.assign(clone(schema, request), { requestId: randomUUID() });
}

function requestIdOf(request: object): string {
  return "requestId" in request && typeof request.requestId === "string" ? request.requestId : "";
}

/** Yields the messages of the caller's requests; keeps an error of theirs, or of their check, in `own`. */
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

/** Yields the same items, and treats an exception thrown in by the transport as end of stream. */
async function* detached<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
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
  // The encoder's error for a value of a wrong type.
  return isFieldError(error.cause) ? error.cause : new FacadeError(error, requestId);
}
