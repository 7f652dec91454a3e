// Copyright 2026 the ioq authors. MIT license.

/**
 * Puts a library into a TypeScript module.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Arch } from "./platforms.ts";

/** Where the modules are. */
export function moduleUrl(arch: Arch): URL {
  return new URL(`../ffi/embedded/${arch}.ts`, import.meta.url);
}

/** The SHA-256 of bytes, in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Characters of base64 in a line: so much that it costs nothing, so little that editors cope. */
const LINE = 96;

/**
 * The module that holds a library.
 *
 * @param library The library's bytes.
 * @param sources The SHA-256 of what it was built from.
 * @param compiler What built it.
 */
export function embed(library: Uint8Array, sources: string, compiler: string): string {
  const base64 = Buffer.from(library).toString("base64");
  const lines = base64.match(new RegExp(`.{1,${LINE}}`, "g")) ?? [];
  return `// Copyright 2026 the ioq authors. MIT license.
// Generated from native/ by \`deno task prebuild\`. Do not edit.
// deno-fmt-ignore-file

/**
 * The native library. It contains parts of liburing, copyright 2019-2022
 * Jens Axboe, which is used under the MIT license; its terms are those in LICENSE.
 *
 * @module
 */

/** The SHA-256 of the sources that it was built from. */
export const SOURCES_SHA256 = "${sources}";
/** What built it. */
export const COMPILER = ${JSON.stringify(compiler)};
/** Its SHA-256. */
export const SHA256 = "${sha256(library)}";
/** Its length in bytes. */
export const LENGTH = ${library.length};
/** The library in base64, with line breaks. */
export const BASE64 = \`
${lines.join("\n")}
\`;
`;
}
