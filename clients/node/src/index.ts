/**
 * The client of CloudFront Facade: CloudFront functions and key value stores, with tags, over gRPC.
 *
 * Requests and responses are the messages of `cloudfront-facade/v1/...`, generated from the protos; each field is
 * explained there. A call that fails is a `FacadeError`; what is wrong on the caller's side comes as it is.
 */
export { Code, type CallOptions } from "@connectrpc/connect";

export { connect, type ConnectOptions, type Facade, type TlsOptions } from "./client.js";
export { FacadeError } from "./errors.js";
export { pages } from "./pages.js";
// What the members of a FacadeError are: declarations of a project that uses them have to name it.
export type {
  BadRequest_FieldViolation,
  LocalizedMessage,
  PreconditionFailure_Violation,
  QuotaFailure_Violation,
  ResourceInfo,
} from "./gen/google/rpc/error_details_pb.js";
