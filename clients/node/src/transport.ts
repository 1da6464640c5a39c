/** The transport of every call: checks requests, adds a `requestId`, retries, and converts errors to `FacadeError`. */
import { randomUUID } from "node:crypto";

import { clone, getOption, type DescMessage, type DescMethod, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { isFieldError } from "@bufbuild/protobuf/reflect";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";

import { isRejectedUnread, type Attempt } from "./attempt.js";
import { FacadeError } from "./errors.js";
import { long_running, not_repeatable } from "./gen/cloudfront_facade/v1/options_pb.js";
import { checked, checkIterable, deadlineIn } from "./requests.js";
import { Retries } from "./retries.js";

/** The longest deadline, in milliseconds, that the server honours for a long-running method. */
const LONG_RUNNING_DEADLINE_MS = 1_800_000;

/**
 * Returns a transport that adds a `requestId` to creates, retries, and throws `FacadeError`. Errors of the caller's own
 * code are not converted. This is not an interceptor, because interceptors do not see deadline errors.
 *
 * @param open Returns a new attempt on the client's connection, and its transport.
 */
export function facadeTransport(
  open: () => { attempt: Attempt; transport: Transport },
  { deadlineMs, retry, requestIds }: { deadlineMs: number; retry: boolean; requestIds: boolean },
  isClosed: () => boolean,
): Transport {
  const retries = new Retries();
  /**
   * Returns the deadline of a call in milliseconds.
   *
   * @throws Error The client is closed.
   * @throws RangeError The call's `timeoutMs` is invalid.
   */
  function deadlineOf(method: DescMethod, timeoutMs: number | undefined): number {
    if (isClosed()) {
      throw new Error("the client is closed");
    }
    if (timeoutMs !== undefined) {
      return deadlineIn(timeoutMs);
    }
    return getOption(method, long_running) ? Math.max(deadlineMs, LONG_RUNNING_DEADLINE_MS) : deadlineMs;
  }
  return {
    async unary(method, signal, given, header, input, contextValues) {
      const timeoutMs = deadlineOf(method, given);
      const message = checked(method.input, input);
      const request = requestIds ? withRequestId(method.input, message) : message;
      const isOnlyOnce = getOption(method, not_repeatable);
      let isSent = false; // whether a server may have received the last attempt
      let isApplied = false; // whether the last attempt may have been applied
      let wasApplied = false; // whether an earlier attempt may have been applied
      return retries.run({
        timeoutMs,
        signal,
        async send(remainingMs) {
          wasApplied ||= isApplied;
          if (signal?.aborted) {
            throw converted(ConnectError.from(signal.reason, Code.Canceled), requestIdOf(request), wasApplied ? undefined : "not_applied");
          }
          const { attempt, transport } = open();
          try {
            return await transport.unary(method, signal, remainingMs, header, request as typeof input, contextValues);
          } catch (error) {
            isSent = attempt.sent && !isRejectedUnread(error, false);
            const described = signal?.aborted || isClosed() ? error : attempt.describe(error);
            const failed = converted(described, requestIdOf(request), isSent || wasApplied ? undefined : "not_applied");
            isApplied = isSent && !(failed instanceof FacadeError && failed.outcome === "not_applied");
            // An earlier attempt may have changed what this one found. But that a create finds another caller's resource
            // proves that no attempt was applied.
            const isDoubtful =
              wasApplied &&
              failed instanceof FacadeError &&
              failed.outcome === "not_applied" &&
              failed.code !== Code.AlreadyExists;
            throw isDoubtful ? converted(described, requestIdOf(request), "unknown") : failed;
          }
        },
        mayRepeat(error) {
          if (!retry || isClosed()) {
            return false;
          }
          return !isSent || (isOnlyOnce ? error.code === Code.Canceled && hasEtag(request) : !isCreateWithoutId(method, request));
        },
      });
    },
    async stream(method, signal, given, header, input, contextValues) {
      const timeoutMs = deadlineOf(method, given);
      checkIterable(method.input, input);
      const callerErrors: unknown[] = [];
      const { attempt, transport } = open();
      const failure = (error: unknown) => {
        const described = signal?.aborted || isClosed() ? error : attempt.describe(error);
        const isSent = attempt.sent && !isRejectedUnread(error, true);
        return callerErrors.length > 0 ? callerErrors[0] : converted(described, "", isSent ? undefined : "not_applied");
      };
      const requests = detached(checkedEach(method.input, input, callerErrors)) as typeof input;
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

function isCreateWithoutId(method: DescMethod, request: object): boolean {
  return "requestId" in method.input.field && requestIdOf(request) === "";
}

function hasEtag(request: object): boolean {
  return "etag" in request && request.etag !== "";
}

function requestIdOf(request: object): string {
  return "requestId" in request && typeof request.requestId === "string" ? request.requestId : "";
}

/**
 * Yields the messages of the caller's requests. An error of the caller's iterable, or of a check, is added to
 * `callerErrors`, because the transport replaces it.
 */
async function* checkedEach<I extends DescMessage>(
  schema: I,
  requests: AsyncIterable<MessageInitShape<I>>,
  callerErrors: unknown[],
): AsyncGenerator<MessageShape<I>> {
  let index = 0;
  try {
    for await (const request of requests) {
      yield checked(schema, request, `requests[${index++}]`);
    }
  } catch (error) {
    callerErrors.push(error);
    throw error;
  }
}

/** Yields the same items. An exception that the transport throws into this generator only closes the caller's iterable. */
async function* detached<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const item of items) {
    yield item;
  }
}

/** Yields the messages of a response, and replaces an error. */
async function* failingWith<T>(failure: (error: unknown) => unknown, messages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw failure(error);
  }
}

function converted(error: unknown, requestId = "", knownOutcome?: string): unknown {
  if (!(error instanceof ConnectError)) {
    return error;
  }
  // The encoder rejects what the checks do not cover: a message from `create` whose field was set to undefined later.
  return isFieldError(error.cause) ? new TypeError(error.cause.message) : new FacadeError(error, requestId, knownOutcome);
}
