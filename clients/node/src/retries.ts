/** The retries of calls: gRPC's retry policy (gRFC A6), with the numbers of the Python client. */
import { setTimeout } from "node:timers/promises";

import { Code, ConnectError } from "@connectrpc/connect";

import { FacadeError } from "./errors.js";

const MAX_ATTEMPTS = 4;
const INITIAL_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 5_000;
const BACKOFF_MULTIPLIER = 2;
const JITTER = 0.2;

/**
 * Half of the tokens, 100, are failures that are retried without a limit: as many calls as a connection has at a time, so
 * that a restart of the server fails none. In a longer outage, a client retries one call for every ten that succeed.
 */
const MAX_TOKENS = 200;
const TOKEN_RATIO = 0.1;

/** CANCELLED is how a server that stops ends the calls that it has accepted and not started. */
const RETRYABLE: readonly Code[] = [Code.Unavailable, Code.Canceled];

/** A call that may be sent several times. */
export interface RepeatableCall<T> {
  /** Sends the request once. It rejects with a FacadeError if the call fails. */
  send(timeoutMs: number): Promise<T>;
  /** Returns whether the request may be sent again after the last attempt failed with this error. */
  mayRepeat(error: FacadeError): boolean;
  /** The deadline of all attempts together in milliseconds. */
  timeoutMs: number;
  /** Ends the call when its caller aborts it. */
  signal: AbortSignal | undefined;
}

/** Sends calls, and retries those that fail, within a budget that all calls of a client share. */
export class Retries {
  #tokens = MAX_TOKENS;

  /** Sends a call until it succeeds, or until a retry cannot help or may not be made. */
  async run<T>(call: RepeatableCall<T>): Promise<T> {
    const end = performance.now() + call.timeoutMs;
    let timeoutMs = call.timeoutMs;
    let backoffMs = INITIAL_BACKOFF_MS;
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await call.send(timeoutMs);
        this.#tokens = Math.min(MAX_TOKENS, this.#tokens + TOKEN_RATIO);
        return response;
      } catch (error) {
        if (!(error instanceof FacadeError) || call.signal?.aborted) {
          throw error;
        }
        const pushback = pushbackOf(error);
        const isRetried = this.#countFailure(error, pushback) && attempt < MAX_ATTEMPTS && call.mayRepeat(error);
        const delayMs = pushback ?? backoffMs * (1 + JITTER * (2 * Math.random() - 1));
        if (!isRetried || performance.now() + delayMs >= end) {
          throw error;
        }
        backoffMs = pushback === undefined ? Math.min(MAX_BACKOFF_MS, backoffMs * BACKOFF_MULTIPLIER) : INITIAL_BACKOFF_MS;
        await pause(delayMs, call.signal);
        timeoutMs = Math.max(1, Math.round(end - performance.now()));
      }
    }
  }

  /** Counts a failed attempt, and returns whether it may be retried by its status, the server and the budget. */
  #countFailure(error: FacadeError, pushback: number | undefined): boolean {
    const isForbidden = pushback !== undefined && pushback < 0;
    if (!RETRYABLE.includes(error.code) && !isForbidden) {
      return false;
    }
    this.#tokens = Math.max(0, this.#tokens - 1);
    return !isForbidden && this.#tokens > MAX_TOKENS / 2;
  }
}

/** Returns the milliseconds after which the server allows a retry: below zero for never, undefined if it does not say. */
function pushbackOf(error: FacadeError): number | undefined {
  const text = error.cause instanceof ConnectError ? error.cause.metadata.get("grpc-retry-pushback-ms") : null;
  if (text === null) {
    return undefined;
  }
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : -1;
}

/** Waits for this time, or until the caller aborts the call. */
async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal }).catch(() => {});
}
