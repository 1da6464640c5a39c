/**
 * The client of CloudFront Facade: CloudFront functions and key value stores, with tags, over gRPC.
 *
 * Requests and responses are the messages of `cloudfront-facade/v1/...`, generated from the protos, which document each
 * field. A failed call rejects with a `FacadeError`; a mistake in the caller's code rejects with a TypeError or RangeError.
 */
export { Code, type CallOptions } from "@connectrpc/connect";

export { connect, type ConnectOptions, type Facade, type TlsOptions } from "./client.js";
export { FacadeError } from "./errors.js";
export { pages } from "./pages.js";
// The types of a FacadeError's members, so that the declarations of a project that uses them can name them.
export type {
  BadRequest_FieldViolation,
  LocalizedMessage,
  PreconditionFailure_Violation,
  QuotaFailure_Violation,
  ResourceInfo,
} from "./gen/google/rpc/error_details_pb.js";
