// Copyright 2026 the ioq authors. MIT license.

/**
 * Paths as callers give them, and as bytes.
 *
 * @module
 */

import { PATH_MAX } from "../ffi/layout.ts";
import { isBytes } from "./byte_length.ts";

/**
 * A path: a string, a `file:` URL, or bytes, which on Linux need not be UTF-8.
 *
 * @category Files
 */
export type Path = string | URL | Uint8Array;

const encoder = new TextEncoder();
// A name may begin with U+FEFF, which must not be taken for a byte order mark
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
// As they are when this is loaded: a path is checked as text and used as bytes
const decode = decoder.decode.bind(decoder);
const encode = encoder.encode.bind(encoder);
const encodeInto = encoder.encodeInto.bind(encoder);

const SLASH = 0x2f;

/** What a path that is longer than any path can be is reported as. */
export const TOO_LONG: number = PATH_MAX + 1;

/**
 * Check a path and bring it into the form that requests carry.
 *
 * @throws {TypeError} If it is no path, a URL of another scheme, or contains NUL.
 */
export function toPath(path: Path, context: string): string | Uint8Array {
  if (typeof path === "string" || path instanceof URL) {
    const text = typeof path === "string" ? path : pathOfUrl(path);
    if (text.includes("\0")) {
      throw nulError(`${context} '${text}'`);
    }
    return text;
  }
  if (isBytes(path)) {
    // The caller may go on using its bytes
    const bytes = new Uint8Array(path);
    if (bytes.includes(0)) {
      throw nulError(`${context} '${pathText(bytes)}'`);
    }
    return bytes;
  }
  throw new TypeError(`Expected a path: string, URL or Uint8Array, got ${typeof path}`);
}

/** The path of a URL, as Deno takes it: `%2F` is a slash, and a `%` of its own one. */
function pathOfUrl(url: URL): string {
  if (url.protocol !== "file:") {
    throw new TypeError("Must be a file URL");
  }
  if (url.hostname !== "") {
    throw new TypeError("Host must be empty");
  }
  return decodeURIComponent(url.pathname.replace(/%(?![0-9A-Fa-f]{2})/g, "%25"));
}

const { cwd } = Deno;

/** Where relative paths begin meanwhile, if not in the current directory. */
let begin: string | undefined;

/** The current directory, if it has a name. */
export function currentDirectory(): string | undefined {
  try {
    return cwd();
  } catch {
    return undefined;
  }
}

/** Have paths that a function is given begin in what was the current directory. */
export function beginningIn<V>(directory: string | undefined, call: () => V): V {
  begin = directory;
  try {
    return call();
  } finally {
    begin = undefined;
  }
}

/**
 * The absolute form of a path, so that it leads to the same file after a `chdir()` as
 * well. It remains as it is where there is no such form: the current directory was
 * removed, has a name that is no text, or is too deep. Takes 0.7 µs for a relative path.
 */
export function absolutePath(path: string | Uint8Array): string | Uint8Array {
  if (path.length === 0 || isAbsolute(path)) {
    return path;
  }
  const here = begin ?? currentDirectory();
  if (here === undefined) {
    return path;
  }
  const absolute = joinPath(here, path);
  return isTooLong(absolute) ? path : absolute;
}

/** Whether a path begins at the root. */
export function isAbsolute(path: string | Uint8Array): boolean {
  return typeof path === "string" ? path.charCodeAt(0) === SLASH : path[0] === SLASH;
}

/** Whether the kernel takes no path of that length. */
function isTooLong(path: string | Uint8Array): boolean {
  return typeof path !== "string"
    ? path.length > PATH_MAX
    : path.length * 3 > PATH_MAX && encode(path).length > PATH_MAX;
}

function nulError(context: string): TypeError {
  const message = `file name contained an unexpected NUL byte: ${context}`;
  return Object.assign(new TypeError(message), { code: "EINVAL" });
}

/** A path as text, for messages and permission checks. */
export function pathText(path: string | Uint8Array): string {
  return typeof path === "string" ? path : decode(path);
}

/** A path and a name: bytes if either is. */
export function joinPath(
  path: string | Uint8Array,
  name: string | Uint8Array,
): string | Uint8Array {
  if (typeof path === "string" && typeof name === "string") {
    return path === "" || path.endsWith("/") ? path + name : `${path}/${name}`;
  }
  const head = typeof path === "string" ? encode(path) : path;
  const tail = typeof name === "string" ? encode(name) : name;
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
      return encodeInto(path, into.subarray(at)).written;
    }
    into[at + i] = unit;
  }
  return length;
}
