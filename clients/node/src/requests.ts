/** Checks before a call is sent. The encoder would drop or change what is wrong, or report it without the field's path. */
import {
  create,
  isMessage,
  ScalarType,
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescOneof,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";

import { closest } from "./closest.js";

/** The longest deadline, more than a day: `grpc-timeout` has eight digits (gRPC over HTTP/2). */
const LONGEST_DEADLINE_MS = 99_999_999;

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

/**
 * Returns a deadline in milliseconds; the longest for null and Infinity. The server shortens it. Without any deadline, the
 * server would apply its own default, which is short.
 *
 * @throws RangeError The deadline is not a whole number of milliseconds from 1 to the longest.
 */
export function deadlineIn(milliseconds: number | null): number {
  if (milliseconds === null || milliseconds === Infinity) {
    return LONGEST_DEADLINE_MS;
  }
  if (!Number.isInteger(milliseconds) || milliseconds < 1 || milliseconds > LONGEST_DEADLINE_MS) {
    const allowed = `a whole number of milliseconds from 1 to ${LONGEST_DEADLINE_MS}, or Infinity for the longest`;
    throw new RangeError(`invalid deadline ${String(milliseconds)}: expected ${allowed}`);
  }
  return milliseconds;
}

/**
 * Returns the message of a request.
 *
 * @param path The path of the request, if it is one of a stream: `requests[1]`.
 * @throws TypeError A field is unknown, or a value has a wrong type. The error has the path of the field in the caller's
 * spelling, and no text or bytes of the request.
 */
export function checked<I extends DescMessage>(schema: I, request: MessageInitShape<I>, path = ""): MessageShape<I> {
  checkMessage(schema, request, path);
  return create(schema, request);
}

/** @throws TypeError The requests of a stream are not iterable. */
export function checkIterable(schema: DescMessage, requests: unknown): void {
  if (typeof requests !== "object" || requests === null || !(Symbol.asyncIterator in requests || Symbol.iterator in requests)) {
    throw new TypeError(`requests must be an async iterable of ${schema.name} objects, not ${kindOf(requests)}`);
  }
}

function checkMessage(schema: DescMessage, value: unknown, path: string): void {
  if (!hasFields(value) || (value["$typeName"] ?? schema.typeName) !== schema.typeName) {
    throw new TypeError(`${path || "request"} must be ${article(schema.name)} object, not ${kindOf(value)}`);
  }
  checkNames(schema, value, path);
  for (const member of schema.members) {
    const given = value[member.localName];
    const at = path ? `${path}.${member.localName}` : member.localName;
    if (!isSet(given)) {
      continue;
    }
    if (member.kind === "oneof") {
      checkOneof(member, given, at);
    } else if (member.fieldKind === "list") {
      checkList(member, given, at);
    } else {
      checkValue(member, given, at);
    }
  }
}

/** Checks that an object has only fields of a message. The encoder would drop others without an error. */
function checkNames(schema: DescMessage, value: object, path: string): void {
  for (const name of Object.keys(value)) {
    if (name === "$typeName" || name === "$unknown" || schema.members.some((member) => member.localName === name)) {
      continue;
    }
    const at = path ? `${path}.${name}` : name;
    throw new TypeError(`${at} is not a field of ${schema.name}; ${hint(schema, name)}`);
  }
}

function hint(schema: DescMessage, name: string): string {
  const inOneof = schema.fields.find((field) => field.oneof && field.localName === name);
  if (inOneof?.oneof) {
    return `write ${inOneof.oneof.localName}: { case: "${name}", value: ... }`;
  }
  const names = schema.members.map((member) => member.localName);
  const suggestion = closest(name, names);
  return suggestion === undefined ? `allowed: ${names.join(", ")}` : `did you mean "${suggestion}"?`;
}

function checkOneof(oneof: DescOneof, value: unknown, path: string): void {
  if (!hasFields(value)) {
    throw new TypeError(`${path} must be an object { case, value }, not ${kindOf(value)}`);
  }
  const surplus = Object.keys(value).find((name) => name !== "case" && name !== "value");
  if (surplus !== undefined) {
    throw new TypeError(`${path}.${surplus} is not allowed; allowed: case, value`);
  }
  const field = oneof.fields.find((each) => each.localName === value["case"]);
  if (field) {
    checkValue(field, value["value"], `${path}.value`);
  } else if (isSet(value["case"]) || isSet(value["value"])) {
    throw new TypeError(`${path}.case must be ${oneof.fields.map((each) => `"${each.localName}"`).join(" or ")}`);
  }
}

function checkList(field: DescField, value: unknown, path: string): void {
  if (!Array.isArray(value)) {
    throw new TypeError(`${path} must be an array, not ${kindOf(value)}`);
  }
  // forEach would skip the holes of a sparse array.
  for (const [index, item] of value.entries()) {
    checkValue(field, item, `${path}[${index}]`);
  }
}

/** Requests have no maps, and no other scalars. */
function checkValue(field: DescField, value: unknown, path: string): void {
  if (field.message) {
    checkMessage(field.message, value, path);
  } else if (field.enum) {
    checkEnum(field.enum, value, path);
  } else if (field.scalar === ScalarType.STRING) {
    checkString(value, path);
  } else if (field.scalar === ScalarType.BYTES) {
    checkBytes(value, path);
  } else if (field.scalar === ScalarType.BOOL && typeof value !== "boolean") {
    throw new TypeError(`${path} must be a boolean, not ${kindOf(value)}`);
  } else if (field.scalar === ScalarType.INT32 && !isInt32(value)) {
    const actual = typeof value === "number" ? value : kindOf(value);
    throw new TypeError(`${path} must be an integer from ${INT32_MIN} to ${INT32_MAX}, not ${actual}`);
  }
}

/** Enums are open: a newer server may know values that this client does not. */
function checkEnum(type: DescEnum, value: unknown, path: string): void {
  if (!isInt32(value)) {
    const names = type.values.filter(({ number }) => number !== 0).map(({ localName }) => `${type.name}.${localName}`);
    throw new TypeError(`${path} must be ${names.join(" or ")}, not ${kindOf(value)}`);
  }
}

function checkString(value: unknown, path: string): void {
  if (typeof value !== "string") {
    throw new TypeError(`${path} must be a string, not ${kindOf(value)}`);
  }
  if (!value.isWellFormed()) {
    throw new TypeError(`${path} has a lone surrogate, which UTF-8 cannot encode`);
  }
}

function checkBytes(value: unknown, path: string): void {
  if (!(value instanceof Uint8Array)) {
    const encode = typeof value === "string" ? "; new TextEncoder().encode(text) converts text" : "";
    throw new TypeError(`${path} must be a Uint8Array, not ${kindOf(value)}${encode}`);
  }
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isInt32(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= INT32_MIN && (value as number) <= INT32_MAX;
}

/** Returns false for objects that would look like an empty message, such as a Map, a Date or a promise. */
function hasFields(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return false;
  }
  const prototype: object | null = Object.getPrototypeOf(value);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isPlain || Object.keys(value).length > 0;
}

/** Returns what a value is: `null`, `a number`, `an array`, `a Promise`. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) {
    return String(value);
  }
  if (typeof value !== "object") {
    return article(typeof value);
  }
  if (isMessage(value)) {
    return article(value.$typeName.slice(value.$typeName.lastIndexOf(".") + 1));
  }
  const name: unknown = value.constructor?.name;
  return Array.isArray(value) ? "an array" : article(typeof name === "string" && name !== "Object" ? name : "object");
}

function article(noun: string): string {
  return `${/^[aeio]/i.test(noun) ? "an" : "a"} ${noun}`;
}
