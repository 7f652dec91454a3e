// Copyright 2026 the ioq authors. MIT license.

/**
 * Paths as callers give them, and as bytes.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { PATH_MAX } from "../ffi/layout.ts";

/**
 * A path: a string, a `file:` URL, or bytes, which on Linux need not be UTF-8.
 */
export type Path = string | URL | Uint8Array;

const encoder = new TextEncoder();
// A name may begin with U+FEFF, which must not be taken for a byte order mark
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

const SLASH = 0x2f;

/** What a path that is longer than any path can be is reported as. */
export const TOO_LONG: number = PATH_MAX + 1;

/**
 * Check a path and bring it into the form that requests carry.
 *
 * @throws {TypeError} If it is no path, a URL of another scheme, or contains NUL.
 */
export function toPath(path: Path, context: string): string | Uint8Array {
  if (path instanceof URL) {
    if (path.protocol !== "file:") {
      throw new TypeError("Must be a file URL");
    }
    path = fileURLToPath(path);
  }
  if (typeof path === "string") {
    if (path.includes("\0")) {
      throw nulError(`${context} '${path}'`);
    }
    return path;
  }
  if (path instanceof Uint8Array) {
    if (path.includes(0)) {
      throw nulError(`${context} '${pathText(path)}'`);
    }
    // The caller may go on using its bytes
    return path.slice();
  }
  throw new TypeError(`Expected a path: string, URL or Uint8Array, got ${typeof path}`);
}

function nulError(context: string): TypeError {
  const message = `file name contained an unexpected NUL byte: ${context}`;
  return Object.assign(new TypeError(message), { code: "EINVAL" });
}

/** A path as text, for messages and permission checks. */
export function pathText(path: string | Uint8Array): string {
  return typeof path === "string" ? path : decoder.decode(path);
}

/** A path and a name: bytes if either is. */
export function joinPath(
  path: string | Uint8Array,
  name: string | Uint8Array,
): string | Uint8Array {
  if (typeof path === "string" && typeof name === "string") {
    return path === "" || path.endsWith("/") ? path + name : `${path}/${name}`;
  }
  const head = typeof path === "string" ? encoder.encode(path) : path;
  const tail = typeof name === "string" ? encoder.encode(name) : name;
  const slash = head.length === 0 || head[head.length - 1] === SLASH ? 0 : 1;
  const bytes = new Uint8Array(head.length + slash + tail.length);
  bytes.set(head);
  bytes.fill(SLASH, head.length, head.length + slash);
  bytes.set(tail, head.length + slash);
  return bytes;
}

/** How many bytes {@linkcode encodePath} may need at most. */
export function pathBound(path: string | Uint8Array): number {
  return path.length > PATH_MAX ? 0 : path.length * (typeof path === "string" ? 3 : 1);
}

/**
 * Write a path's bytes into a buffer that has room for {@linkcode pathBound}.
 *
 * @returns How many bytes it has, or {@linkcode TOO_LONG} with nothing usable written.
 */
export function encodePath(path: string | Uint8Array, into: Uint8Array, at: number): number {
  const length = path.length;
  if (length > PATH_MAX) {
    return TOO_LONG;
  }
  if (typeof path !== "string") {
    into.set(path, at);
    return length;
  }
  // Nearly all paths are short and ASCII: a loop beats the encoder there
  for (let i = 0; i < length; i++) {
    const unit = path.charCodeAt(i);
    if (unit > 0x7f) {
      return encoder.encodeInto(path, into.subarray(at)).written;
    }
    into[at + i] = unit;
  }
  return length;
}
