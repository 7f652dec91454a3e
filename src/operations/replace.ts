// Copyright 2026 the ioq authors. MIT license.

/**
 * Replacing a file as a whole: by one request, or by several where the contents come in
 * pieces.
 *
 *     replaceBegin ──▶ descriptor ──▶ writes ──▶ replaceTake
 *                                           └──▶ replaceForget
 *
 * How a file is replaced, and what becomes of temporary files, is told in
 * `native/calls/replace.c`; without the library `backends/worker/replace.ts` does it in the same way.
 *
 * @module
 */

import { OP, REPLACE_SYNC, WRITE_ATOMIC, WRITE_DURABLE } from "../../ffi/layout.ts";
import { UNSUPPORTED } from "../linux/errors.ts";
import { O_APPEND, O_CREAT, O_EXCL, O_TRUNC, O_WRONLY } from "../linux/fcntl.ts";
import { ownOption as own } from "../own_option.ts";
import { joinPath, type Path, toPath } from "../path.ts";
import { READ, WRITE } from "../permissions.ts";
import { checkAt, checkMode } from "./arguments.ts";
import { decodeNothing, decodeResult } from "./decode.ts";
import { type About, define } from "./operation.ts";
import type { PlainCall } from "./plain_call.ts";
import { CoreRequest, type RequestArguments } from "./request.ts";
import type { WriteFileOptions } from "./request_options.ts";

const encoder = new TextEncoder();

/** The name of a temporary file for a file's name. */
export function temporaryName(name: string, slot: number): string {
  // FNV-1a
  let hash = 0xcbf29ce484222325n;
  for (const byte of encoder.encode(name)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return `.ioq-${hash.toString(16).padStart(16, "0")}-${slot}`;
}

function plainEnd(call: PlainCall): number {
  if (call.arg2 !== REPLACE_SYNC) {
    call.fail(UNSUPPORTED.operation);
  }
  call.syncFolder();
  return 0;
}

/** What messages say it is about: not the temporary file. */
export const aboutFile = ({ path, given }: About): string => `'${textOf(given ?? path!)}'`;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function textOf(path: string | Uint8Array): string {
  return typeof path === "string" ? path : decoder.decode(path);
}

define("replaceBegin", {
  code: OP.replaceBegin,
  verb: "writefile",
  access: READ | WRITE,
  access2: READ | WRITE,
  opens: true,
  lane: "lane",
  about: aboutFile,
  decode: decodeResult,
  plain: UNSUPPORTED.operation,
});

define("replaceEnd", {
  code: OP.replaceEnd,
  verb: "writefile",
  access: READ | WRITE,
  access2: READ | WRITE,
  opens: true,
  lane: "lane",
  about: aboutFile,
  decode: decodeNothing,
  plain: plainEnd,
});

/** The flags of a file that is written as a whole. */
export function writeFlags(options: WriteFileOptions | undefined): number {
  return O_WRONLY | (own(options, "append") === true ? O_APPEND : O_TRUNC) |
    (own(options, "createNew") === true
      ? O_CREAT | O_EXCL
      : (own(options, "create") ?? true) === true
      ? O_CREAT
      : 0);
}

/** Whether a file is to be replaced. */
export function isAtomic(options: WriteFileOptions | undefined): boolean {
  const atomic = own(options, "atomic") === true;
  if (atomic && own(options, "append") === true) {
    throw new TypeError("'append' option cannot be combined with 'atomic'");
  }
  return atomic;
}

/** What requests that write whole files have in common. */
export function writeArguments<V>(
  path: string | Uint8Array,
  options: WriteFileOptions | undefined,
): RequestArguments<V> {
  const mode = own(options, "mode");
  const at = checkAt(options);
  const atomic = isAtomic(options);
  return {
    fd: at,
    path,
    flags: writeFlags(options),
    mode: checkMode(mode, 0o666),
    arg0: mode === undefined ? 0 : 1,
    arg1: (atomic ? WRITE_ATOMIC : 0) | (own(options, "durable") === true ? WRITE_DURABLE : 0),
    // A temporary file's, of which permissions are asked for
    ...(atomic ? { fd2: at, path2: temporaryPath(path), access: READ | WRITE } : {}),
  };
}

/** The path of a file's first temporary file, as long as no link is followed. */
function temporaryPath(path: string | Uint8Array): string | Uint8Array {
  const text = textOf(path);
  const name = temporaryName(text.slice(text.lastIndexOf("/") + 1), 0);
  if (typeof path === "string") {
    return path.slice(0, path.lastIndexOf("/") + 1) + name;
  }
  const slash = path.lastIndexOf(0x2f) + 1;
  return slash === 0 ? name : joinPath(path.slice(0, slash), name);
}

/** A request for a file to write what is to replace another one by; its descriptor. */
export function beginReplacing(
  path: Path,
  options: WriteFileOptions | undefined,
  changesMode: boolean,
): CoreRequest<"replaceBegin"> {
  const core = new CoreRequest(
    "replaceBegin",
    writeArguments<number>(toPath(path, "writefile"), options),
  );
  core.arg0 &= Number(changesMode);
  core.resolvePaths();
  return core;
}

/** What becomes of such a file, of `REPLACE_*`. */
export function endReplacing(
  path: Path,
  options: WriteFileOptions | undefined,
  changesMode: boolean,
  fd: number,
  end: number,
): CoreRequest<"replaceEnd"> {
  const core = new CoreRequest("replaceEnd", {
    ...writeArguments<undefined>(toPath(path, "writefile"), options),
    arg2: end,
    arg3: fd,
  });
  core.arg0 &= Number(changesMode);
  core.resolvePaths();
  return core;
}
