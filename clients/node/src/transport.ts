/** What happens to every call on its way: a `requestId`, typed errors. */
import { randomUUID } from "node:crypto";

import { clone, create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { ConnectError, type Transport } from "@connectrpc/connect";

import { FacadeError } from "./errors.js";

/** Gives creates a `requestId`, and errors the type `FacadeError`. Interceptors do not see errors of deadlines. */
export function facadeTransport(transport: Transport, requestIds: boolean): Transport {
  return {
    async unary(method, signal, timeoutMs, header, input, contextValues) {
      const request = requestIds ? withRequestId(method.input, input) : input;
      try {
        return await transport.unary(method, signal, timeoutMs, header, request, contextValues);
      } catch (error) {
        throw typed(error, requestIdOf(request));
      }
    },
    async stream(method, signal, timeoutMs, header, input, contextValues) {
      try {
        const response = await transport.stream(method, signal, timeoutMs, header, input, contextValues);
        return { ...response, message: withTypedErrors(response.message) };
      } catch (error) {
        throw typed(error);
      }
    },
  };
}

/** A copy of the request with a new id, where it has room for one and none yet; else the request itself. */
function withRequestId<I extends DescMessage>(schema: I, input: MessageInitShape<I>): MessageInitShape<I> {
  if (!("requestId" in schema.field) || requestIdOf(input)) {
    return input;
  }
  return Object.assign(clone(schema, create(schema, input)), { requestId: randomUUID() }) as MessageInitShape<I>;
}

function requestIdOf(request: object): string {
  return "requestId" in request && typeof request.requestId === "string" ? request.requestId : "";
}

async function* withTypedErrors<T>(messages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw typed(error);
  }
}

function typed(error: unknown, requestId = ""): unknown {
  return error instanceof ConnectError ? new FacadeError(error, requestId) : error;
}
