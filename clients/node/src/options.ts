/** Checks of the options of `connect`. An option that is misspelt would otherwise have no effect. */
import { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";

import type { ConnectOptions, TlsOptions } from "./client.js";
import { closest } from "./closest.js";
import { kindOf } from "./requests.js";

const OPTIONS: readonly string[] = ["tls", "deadlineMs", "retry", "requestIds"] satisfies (keyof ConnectOptions)[];
const TLS_OPTIONS: readonly string[] = ["ca", "cert", "key", "servername"] satisfies (keyof TlsOptions)[];
const PEM_OPTIONS = ["ca", "cert", "key"] as const;

/** @throws TypeError An option is unknown, or has a wrong type. The error names what is allowed. */
export function checkOptions(options: unknown): void {
  if (!isPlainObject(options)) {
    throw new TypeError(`the options of connect must be an object, not ${kindOf(options)}`);
  }
  checkNames("", options, OPTIONS);
  for (const name of ["retry", "requestIds"]) {
    const value = options[name];
    if (value !== undefined && typeof value !== "boolean") {
      throw new TypeError(`${name} must be true or false, not ${kindOf(value)}`);
    }
  }
  const { deadlineMs, tls } = options;
  if (deadlineMs !== undefined && deadlineMs !== null && typeof deadlineMs !== "number") {
    throw new TypeError(`deadlineMs must be a number of milliseconds or null, not ${kindOf(deadlineMs)}`);
  }
  if (isPlainObject(tls)) {
    checkTls(tls);
  } else if (tls !== undefined && typeof tls !== "boolean") {
    throw new TypeError(`tls must be true, false or an object such as { ca: readFileSync("ca.pem") }, not ${kindOf(tls)}`);
  }
}

/** Without this check, a call would fail with a line of OpenSSL. The error shows no content. */
function checkTls(tls: TlsOptions & Record<string, unknown>): void {
  checkNames("tls.", tls, TLS_OPTIONS);
  for (const name of PEM_OPTIONS) {
    const values: unknown[] = [tls[name] ?? []].flat();
    if (values.some((value) => (typeof value === "string" || value instanceof Uint8Array) && !isPem(value))) {
      throw new TypeError(`tls.${name} is not PEM: it has no -----BEGIN line; allowed: the content of a file, not its name`);
    }
  }
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw new TypeError("mutual TLS needs both tls.cert and tls.key");
  }
  // A secure context would drop certificates of `ca` that it cannot read.
  check("tls.ca", () => [tls.ca ?? []].flat().forEach((certificate) => new X509Certificate(certificate)));
  check("tls.cert", () => createSecureContext({ cert: tls.cert }));
  check("tls.key", () => createSecureContext({ key: tls.key }));
  check("tls.key for tls.cert", () => createSecureContext({ cert: tls.cert, key: tls.key }));
}

function check(what: string, use: () => unknown): void {
  try {
    use();
  } catch (error) {
    throw new TypeError(`invalid ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function checkNames(prefix: string, options: object, allowed: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!allowed.includes(name)) {
      const suggestion = closest(name, allowed);
      const hint = suggestion === undefined ? "" : `; did you mean "${suggestion}"?`;
      throw new TypeError(`${prefix}${name} is not an option of connect; allowed: ${allowed.join(", ")}${hint}`);
    }
  }
}

function isPem(value: string | Uint8Array): boolean {
  return Buffer.from(value).includes("-----BEGIN");
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
