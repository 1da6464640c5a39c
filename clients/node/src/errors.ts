/** What a failed call says, typed. */
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

/** A call that failed: an error of the facade, or of the way to it. `message` is for a person, and names all violations. */
export class FacadeError extends Error {
  override readonly name = "FacadeError";
  /** The status code. */
  readonly code: Code;
  /** The message of the status, alone. */
  readonly details: string;
  /**
   * Why, in UPPER_SNAKE_CASE: the name of a value of `ErrorReason`. Empty where the error did not come from the facade:
   * no connection, a deadline, a proxy.
   */
  readonly reason: string;
  /** Who refused: `cloudfront.amazonaws.com`, or `cloudfront-facade`. Empty like `reason`. */
  readonly domain: string;
  /** What the error depends on: `operation`, `aws_code`, `aws_request_id`, `applied_changes` and the like. */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Whether the effect happened: `not_applied`, `applied`, `partial` or `unknown`, which is also said where nothing came
   * back that could tell.
   */
  readonly outcome: string;
  /** How many changes of a request for many were applied, the first ones; undefined where it is not said. */
  readonly appliedChanges: number | undefined;
  /** Of how many after those it cannot be told; undefined where it is not said. */
  readonly unknownChanges: number | undefined;
  /**
   * The rules that the request breaks: the first twenty, and `violation_count` in `metadata` says how many there are in
   * all. `field` is in the protos' spelling: `function_config.runtime`, `tags[2].key`.
   */
  readonly violations: readonly BadRequest_FieldViolation[];
  /** The states that have to be reached first; for a resource in use, by whom. */
  readonly preconditions: readonly PreconditionFailure_Violation[];
  /** The quotas that are used up. */
  readonly quotas: readonly QuotaFailure_Violation[];
  /** The resource in question. */
  readonly resource: ResourceInfo | undefined;
  /** Milliseconds to wait before a retry; undefined where no retry is advised. */
  readonly retryDelayMs: number | undefined;
  /**
   * The `requestId` that the request was sent with. The same request with this id can be repeated until it is answered
   * OK. Empty where it had none.
   */
  readonly requestId: string;

  /**
   * @param cause What the transport threw.
   * @param requestId The `requestId` of the request, where it had one.
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

/** The detail of one type, of which an error has one at most (AIP-193). */
function detail<D extends DescMessage>(error: ConnectError, schema: D): MessageShape<D> | undefined {
  return error.findDetails(schema)[0];
}
