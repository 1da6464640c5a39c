/** The typed error of a failed call. */
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError } from "@connectrpc/connect";

import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
  type BadRequest_FieldViolation,
  type PreconditionFailure_Violation,
  type QuotaFailure_Violation,
  type ResourceInfo,
} from "./gen/google/rpc/error_details_pb.js";

/** A failed call: an error of the facade, or of the connection to it. `message` is for people and lists violations. */
export class FacadeError extends Error {
  override readonly name = "FacadeError";
  /** The status code. */
  readonly code: Code;
  /** The message of the status. `message` contains it. */
  readonly details: string;
  /**
   * The cause, in UPPER_SNAKE_CASE: the name of a value of `ErrorReason` without its prefix. Empty if the error is not
   * the facade's: a broken connection, a deadline, a proxy.
   */
  readonly reason: string;
  /** The origin: `cloudfront.amazonaws.com` or `cloudfront-facade`. Empty if `reason` is. */
  readonly domain: string;
  /** More about the error, such as `operation`, `aws_code` and `aws_request_id`. */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Whether the change took effect: `not_applied`, `applied`, `partial` or `unknown`. If the server did not report it:
   * `not_applied` if no server received the request, or gRPC rejected it unread, else `unknown`.
   */
  readonly outcome: string;
  /** The number of changes that were applied, counted from the first; undefined if the server did not report it. */
  readonly appliedChanges: number | undefined;
  /** The number of changes after those whose outcome is unknown; undefined if the server did not report it. */
  readonly unknownChanges: number | undefined;
  /**
   * The rules that the request breaks, at most twenty; `violation_count` in `metadata` is their total number. `field`
   * has the protos' spelling: `function_config.runtime`, `tags[2].key`.
   */
  readonly violations: readonly BadRequest_FieldViolation[];
  /** The states that resources must reach before the call can succeed; for a resource in use, what uses it. */
  readonly preconditions: readonly PreconditionFailure_Violation[];
  /** The quotas that are used up. */
  readonly quotas: readonly QuotaFailure_Violation[];
  /** The resource that the error is about. */
  readonly resource: ResourceInfo | undefined;
  /** Milliseconds to wait before a retry; undefined if the server does not advise a retry. */
  readonly retryDelayMs: number | undefined;
  /**
   * The `requestId` that the request was sent with; empty if it had none. The same request with this id can be retried
   * until it succeeds.
   */
  readonly requestId: string;

  /**
   * @param cause The error of the transport.
   * @param requestId The `requestId` of the request; empty if it had none.
   * @param knownOutcome The outcome, if the client knows more than the server reported.
   */
  constructor(cause: ConnectError, requestId = "", knownOutcome?: string) {
    const info = detail(cause, ErrorInfoSchema);
    const violations = detail(cause, BadRequestSchema)?.fieldViolations ?? [];
    const preconditions = detail(cause, PreconditionFailureSchema)?.violations ?? [];
    const quotas = detail(cause, QuotaFailureSchema)?.violations ?? [];
    const outcome = knownOutcome ?? info?.metadata["outcome"] ?? "unknown";
    const known = [info?.reason, `outcome ${outcome}`].filter(Boolean).join(", ");
    super(
      [
        `${Code[cause.code]}: ${cause.rawMessage} [${known}]`,
        ...violations.map((each) => `  ${each.field || "request"}: ${each.description}`),
        ...[...preconditions, ...quotas].map((each) => `  ${each.subject}: ${each.description}`),
      ].join("\n"),
      { cause },
    );
    this.code = cause.code;
    this.details = cause.rawMessage;
    this.reason = info?.reason ?? "";
    this.domain = info?.domain ?? "";
    this.metadata = info?.metadata ?? {};
    this.outcome = outcome;
    this.appliedChanges = count(this.metadata["applied_changes"]);
    this.unknownChanges = count(this.metadata["unknown_changes"]);
    this.violations = violations;
    this.preconditions = preconditions;
    this.quotas = quotas;
    this.resource = detail(cause, ResourceInfoSchema);
    const delay = detail(cause, RetryInfoSchema)?.retryDelay;
    this.retryDelayMs = delay && durationMs(delay);
    this.requestId = requestId;
  }
}

function count(text = ""): number | undefined {
  return /^[0-9]+$/.test(text) ? Number(text) : undefined;
}

/** Returns the detail of a type, of which a status has at most one (AIP-193). */
function detail<D extends DescMessage>(error: ConnectError, schema: D): MessageShape<D> | undefined {
  return error.findDetails(schema)[0];
}
