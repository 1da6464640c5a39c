/** The connection to a facade, and its services. */
import type { SecureContextOptions } from "node:tls";

import { createClient, type Client } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";

import { Attempt } from "./attempt.js";
import { FunctionService } from "./gen/cloudfront_facade/v1/function_service_pb.js";
import { KeyValueStoreDataService } from "./gen/cloudfront_facade/v1/key_value_store_data_service_pb.js";
import { KeyValueStoreService } from "./gen/cloudfront_facade/v1/key_value_store_service_pb.js";
import { TagService } from "./gen/cloudfront_facade/v1/tag_service_pb.js";
import { checkOptions } from "./options.js";
import { deadlineIn } from "./requests.js";
import { facadeTransport } from "./transport.js";

/** The services of a facade over one connection. Create one per process and reuse it. */
export interface Facade {
  /** Creates and manages functions. */
  readonly functions: Client<typeof FunctionService>;
  /** Creates and manages key value stores. */
  readonly keyValueStores: Client<typeof KeyValueStoreService>;
  /** Reads and writes the keys of key value stores. */
  readonly keyValues: Client<typeof KeyValueStoreDataService>;
  /** Manages the tags of functions and key value stores. */
  readonly tags: Client<typeof TagService>;
  /** Closes the connection, which otherwise keeps the process alive. Calls in flight fail; later calls are rejected. */
  close(): void;
}

/** TLS for a connection; with `cert` and `key`, mutual TLS. The values are PEM, as in Node's `tls.connect`. */
export interface TlsOptions extends Pick<SecureContextOptions, "ca" | "cert" | "key"> {
  /** The name that the server's certificate must have. Default: the host of the target. */
  servername?: string;
}

/** How to connect. */
export interface ConnectOptions {
  /** How to secure the connection. `true` trusts the certificate authorities that Node trusts. Default: plaintext. */
  tls?: boolean | TlsOptions;
  /**
   * The deadline of a call in milliseconds, unless the call sets `timeoutMs`. Default: 30,000. null and Infinity
   * mean the longest that the server allows. The long-running calls, waitForKeyValueStore, updateKeys and importKeys, have at least half an hour.
   */
  deadlineMs?: number | null;
  /**
   * Whether calls that end with UNAVAILABLE, or that a stopping server cancels, are retried, with at most four attempts.
   * Writes of keys, and creates without a `requestId`, are retried only if no server received them; a write
   * of keys with an `etag` is also retried if a stopping server cancels it. Default: true.
   */
  retry?: boolean;
  /** Whether to add a `requestId` to creates without one, so that retrying them is safe. Default: true. */
  requestIds?: boolean;
}

const HOST_AND_PORT = /^(?:\[[0-9a-f:.]+\]|[^\s:/?#@[\]\\]+):([0-9]+)$/i;
const LAST_PORT = 65_535;

/** Pings detect a dead connection within 80 s during a call. An idle connection is not pinged: servers reject that. */
const KEEPALIVE = { pingIntervalMs: 60_000, pingTimeoutMs: 20_000 };

/**
 * Creates a client. Nothing is sent yet: an unreachable server fails the first call.
 *
 * @param target HOST:PORT
 * @throws TypeError The target is not HOST:PORT, or an option is unknown or has a wrong type.
 * @throws RangeError The deadline is not a whole number above zero, or above gRPC's limit of 99,999,999 ms.
 */
export function connect(target: string, options: ConnectOptions = {}): Facade {
  checkOptions(options);
  const { tls = false, deadlineMs = 30_000, retry = true, requestIds = true } = options;
  const baseUrl = originOf(target, tls ? "https" : "http");
  const sessionManager = new Http2SessionManager(baseUrl, KEEPALIVE, typeof tls === "object" ? tls : {});
  let closed = false;
  const transport = facadeTransport(
    () => {
      const attempt = new Attempt(sessionManager);
      return { attempt, transport: createGrpcTransport({ baseUrl, sessionManager: attempt }) };
    },
    { deadlineMs: deadlineIn(deadlineMs), retry, requestIds },
    () => closed,
  );
  return {
    functions: createClient(FunctionService, transport),
    keyValueStores: createClient(KeyValueStoreService, transport),
    keyValues: createClient(KeyValueStoreDataService, transport),
    tags: createClient(TagService, transport),
    close() {
      closed = true;
      sessionManager.abort();
    },
  };
}

function originOf(target: string, scheme: string): string {
  const url = `${scheme}://${target}`;
  const port = Number(HOST_AND_PORT.exec(target)?.[1]);
  if (!(port >= 1 && port <= LAST_PORT) || !URL.canParse(url)) {
    throw new TypeError(`invalid target ${JSON.stringify(target)}: expected HOST:PORT, with a port from 1 to ${LAST_PORT}`);
  }
  return new URL(url).origin;
}
