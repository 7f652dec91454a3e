// Copyright 2026 the ioq authors. MIT license.

/**
 * Checking the arguments of requests, and turning them into what requests consist of.
 *
 * @module
 */

import { ownOption as own } from "../own_option.ts";
import { byteLengthOf, isBytes } from "../byte_length.ts";
import * as layout from "../../ffi/layout.ts";
import { AT_FDCWD } from "../linux/fcntl.ts";
import { checkInteger } from "../integer.ts";
import { CoreRequest, IoqRequest } from "./request.ts";
import { verbOf } from "./operation.ts";
import type { OpName, OpValues } from "./values.ts";
import { type Path, toPath } from "../path.ts";
import type { AtOptions, DurableOptions } from "./request_options.ts";

const INT32_MAX = 0x7fffffff;
export const UINT32_MAX = 0xffffffff;

/** Check a descriptor. */
export function checkFd(fd: number): number {
  return checkInteger(fd, "fd", 0, INT32_MAX);
}

/** Check the directory descriptor that a path begins at. */
export function checkDirectory(fd: number | undefined, name: string): number {
  return fd === undefined ? AT_FDCWD : checkInteger(fd, name, 0, INT32_MAX);
}

/** {@linkcode checkDirectory} of options. */
export function checkAt(options: AtOptions | undefined): number {
  return options === undefined ? AT_FDCWD : checkDirectory(own(options, "at"), "at");
}

/** The flags of a write with options. */
export function durableFlags(options: DurableOptions | undefined): number {
  return own(options, "durable") === true ? layout.SYNC_DATA : 0;
}

/** Check where in a file, if that is given. */
export function checkOffset(
  offset: number | undefined,
  name = "offset",
): { offset?: number } {
  return offset === undefined
    ? {}
    : { offset: checkInteger(offset, name, 0, Number.MAX_SAFE_INTEGER) };
}

/** Permission bits, and above them the type of a file, as `stat()` gives them together. */
const MODE_MAX = 0o177777;
const PERMISSION_BITS = 0o7777;

/** Check a mode; the type of a file that is in it is left aside, as Deno does. */
export function checkMode(mode: number | undefined, otherwise?: number): number {
  return mode === undefined && otherwise !== undefined
    ? otherwise
    : checkInteger(mode!, "mode", 0, MODE_MAX) & PERMISSION_BITS;
}

/** Check bytes that are to be transferred. */
export function checkBytes(bytes: unknown, name: string): Uint8Array {
  if (!isBytes(bytes)) {
    throw notBytes(bytes, name);
  }
  checkInteger(byteLengthOf(bytes), `${name}.byteLength`, 0, layout.TRANSFER_MAX);
  return bytes;
}

/** How many bytes there are. They may be any number: what is too long goes in pieces. */
export function checkedLength(bytes: unknown, name: string): number {
  if (!isBytes(bytes)) {
    throw notBytes(bytes, name);
  }
  return byteLengthOf(bytes);
}

function notBytes(value: unknown, name: string): TypeError {
  return new TypeError(`Expected ${name} to be a Uint8Array, got ${typeof value}`);
}

/** Look a word up in a table. */
export function checkOneOf(
  table: Readonly<Record<string, number>>,
  word: string,
  name: string,
): number {
  const value = Object.hasOwn(table, word) ? table[word] : undefined;
  if (value === undefined) {
    throw new TypeError(
      `Expected ${name} to be one of ${Object.keys(table).join(", ")}, got ${word}`,
    );
  }
  return value;
}

/** A file by its path or its descriptor. */
export function checkFile(
  op: OpName,
  file: Path | number,
  options?: AtOptions,
): { fd: number; path?: string | Uint8Array } {
  return typeof file === "number"
    ? { fd: checkFd(file) }
    : { fd: checkAt(options), path: toPath(file, verbOf(op)) };
}

/** A 64-bit argument as two words. */
export function splitArgument(value: number): { arg0: number; arg1: number } {
  const high = Math.floor(value / 0x1_0000_0000);
  return { arg0: value - high * 0x1_0000_0000, arg1: high };
}

/** A request for an operation on a path. */
export function pathRequest<K extends OpName>(
  op: K,
  path: Path,
  options?: AtOptions,
): IoqRequest<K> {
  const core = new CoreRequest<K, OpValues[K]>(op);
  core.setPath(toPath(path, verbOf(op)), checkAt(options));
  return new IoqRequest(core);
}
