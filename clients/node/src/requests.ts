/** Checks before a request is sent: what the encoder would silently change or drop. */
import { create, ScalarType, type DescField, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";

/** The longest deadline, more than a day: `grpc-timeout` has eight digits (gRPC over HTTP/2). */
const LONGEST_DEADLINE_MS = 99_999_999;

/** @throws RangeError The deadline is not a whole number of milliseconds from 1 to the longest. */
export function checkDeadline(milliseconds: number): void {
  if (!Number.isInteger(milliseconds) || milliseconds < 1 || milliseconds > LONGEST_DEADLINE_MS) {
    throw new RangeError(`invalid deadline ${milliseconds}: expected a whole number of milliseconds from 1 to ${LONGEST_DEADLINE_MS}`);
  }
}

/**
 * Returns the message of a request.
 *
 * @throws TypeError A string has a lone surrogate, or a field is not the string, list or message that it must be. The
 * error has the path of the field in the protos' spelling, and never its value.
 */
export function checked<I extends DescMessage>(schema: I, request: MessageInitShape<I>): MessageShape<I> {
  const message = create(schema, request);
  checkMessage(schema, message, "");
  return message;
}

function checkMessage(schema: DescMessage, message: unknown, path: string): void {
  if (!isObject(message) || message["$typeName"] !== schema.typeName) {
    throw new TypeError(`${path || "the request"} is not the message ${schema.typeName}`);
  }
  for (const field of schema.fields) {
    const value = valueOf(field, message);
    const at = path ? `${path}.${field.name}` : field.name;
    if (value === undefined || field.fieldKind === "map") {
      continue; // no request has a map
    }
    if (field.fieldKind !== "list") {
      checkValue(field, value, at);
    } else if (Array.isArray(value)) {
      value.forEach((item, index) => checkValue(field, item, `${at}[${index}]`));
    } else {
      throw new TypeError(`${at} is not an array`);
    }
  }
}

/** The encoder checks the other scalars. */
function checkValue(field: DescField, value: unknown, path: string): void {
  if (field.message) {
    checkMessage(field.message, value, path);
  } else if (field.scalar === ScalarType.STRING) {
    if (typeof value !== "string") {
      throw new TypeError(`${path} is not a string`);
    }
    if (!value.isWellFormed()) {
      throw new TypeError(`${path} has a lone surrogate, which UTF-8 cannot encode`);
    }
  }
}

function valueOf(field: DescField, message: Record<string, unknown>): unknown {
  if (!field.oneof) {
    return message[field.localName];
  }
  const chosen = message[field.oneof.localName];
  return isObject(chosen) && chosen["case"] === field.localName ? chosen["value"] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
