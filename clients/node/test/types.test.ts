import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const CLIENT = fileURLToPath(new URL("../..", import.meta.url));

// Nothing is annotated: the compiler must find a name for each of these types.
const CONSUMER = `
import { connect, FacadeError, pages } from "cloudfront-facade";

export const violations = (error: FacadeError) => error.violations;
export const localized = (error: FacadeError) => error.violations[0]?.localizedMessage;
export const preconditions = (error: FacadeError) => error.preconditions;
export const quotas = (error: FacadeError) => error.quotas;
export const resource = (error: FacadeError) => error.resource;
export const code = (error: FacadeError) => error.code;
export const everything = (error: FacadeError) => ({ ...error });

export const facade = connect("127.0.0.1:1");
export const { functions, keyValueStores, keyValues, tags } = facade;
export const { createFunction } = functions;
export const { importKeys } = keyValues;
export const metadata = async () => (await createFunction({})).functionSummary?.functionMetadata;
export const created = async () => (await metadata())?.createdTime;
export const listed = () => pages(functions.listFunctions, {});
`;

test("a project that installs the package can emit declarations for all of its exports", { timeout: 60_000 }, (context) => {
  // In this folder the package's dependencies resolve as if they were installed next to it.
  const project = mkdtempSync(join(CLIENT, "dist", "consumer-"));
  context.after(() => rmSync(project, { recursive: true }));
  const installed = join(project, "node_modules", "cloudfront-facade");
  mkdirSync(installed, { recursive: true });
  // The package's scripts would rebuild dist/ under the running tests.
  execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", project], { cwd: CLIENT });
  const { version } = JSON.parse(readFileSync(join(CLIENT, "package.json"), "utf8"));
  execFileSync("tar", ["-xzf", join(project, `cloudfront-facade-${version}.tgz`), "-C", installed, "--strip-components", "1"]);
  const compilerOptions = { module: "NodeNext", target: "ES2022", types: ["node"], strict: true, declaration: true, skipLibCheck: true };
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", type: "module" }));
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["index.ts"] }));
  writeFileSync(join(project, "index.ts"), CONSUMER);
  const compiler = join(CLIENT, "node_modules", "typescript", "bin", "tsc");
  try {
    execFileSync(process.execPath, [compiler, "-p", project], { encoding: "utf8" });
  } catch (error) {
    assert.fail((error as { stdout: string }).stdout);
  }
  const declared = readFileSync(join(project, "index.d.ts"), "utf8");
  assert.ok(declared.includes(`violations: (error: FacadeError) => readonly import("cloudfront-facade").BadRequest_FieldViolation[];`));
});
