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

/** A failed call: an error of the facade, or of the connection to it. `message` is for a person and lists the violations. */
export class FacadeError extends Error {
  override readonly name = "FacadeError";
  /** The status code. */
  readonly code: Code;
  /** The status message, without the rest of `message`. */
  readonly details: string;
  /**
   * The reason in UPPER_SNAKE_CASE: the name of a value of `ErrorReason`. Empty if the error did not come from the facade
   * but from a broken connection, the client's deadline or a proxy.
   */
  readonly reason: string;
  /** The source of the error: `cloudfront.amazonaws.com` or `cloudfront-facade`. Empty when `reason` is. */
  readonly domain: string;
  /** Machine-readable facts of the error: `operation`, `aws_code`, `aws_request_id`, `applied_changes` and others. */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Whether the effect happened: `not_applied`, `applied`, `partial` or `unknown`. `unknown` is also the value if no
   * answer of the facade arrived.
   */
  readonly outcome: string;
  /** Number of changes that were applied, counted from the first one; undefined if the server did not report it. */
  readonly appliedChanges: number | undefined;
  /** Number of changes after those whose outcome is unknown; undefined if the server did not report it. */
  readonly unknownChanges: number | undefined;
  /**
   * The rules that the request breaks, at most twenty; `violation_count` in `metadata` has the total.
   * `field` is in the protos' spelling: `function_config.runtime`, `tags[2].key`.
   */
  readonly violations: readonly BadRequest_FieldViolation[];
  /** The preconditions that failed; for a resource in use, what uses it. */
  readonly preconditions: readonly PreconditionFailure_Violation[];
  /** The quotas that are used up. */
  readonly quotas: readonly QuotaFailure_Violation[];
  /** The resource in question. */
  readonly resource: ResourceInfo | undefined;
  /** Milliseconds to wait before a retry; undefined if a retry cannot help. */
  readonly retryDelayMs: number | undefined;
  /**
   * The `requestId` that the request was sent with. Retrying the same request with this id is safe. Empty if it had
   * none.
   */
  readonly requestId: string;

  /**
   * @param cause The error of the transport.
   * @param requestId The `requestId` of the request; empty if it had none.
   */
  constructor(cause: ConnectError, requestId = "") {
    const info = detail(cause, ErrorInfoSchema);
    const violations = detail(cause, BadRequestSchema)?.fieldViolations ?? [];
    const preconditions = detail(cause, PreconditionFailureSchema)?.violations ?? [];
    const quotas = detail(cause, QuotaFailureSchema)?.violations ?? [];
    const outcome = info?.metadata["outcome"] ?? "unknown";
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

/** Returns the detail of a type; an error has at most one of each (AIP-193). */
function detail<D extends DescMessage>(error: ConnectError, schema: D): MessageShape<D> | undefined {
  return error.findDetails(schema)[0];
}
