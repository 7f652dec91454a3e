// Copyright 2026 the ioq authors. MIT license.

/**
 * Runs requests through `Deno`'s and `node:fs`'s synchronous calls, for machines
 * where the native library cannot be loaded. A descriptor of `node:fs` can be used
 * by the thread that opened it, and by no other.
 *
 * What those calls cannot do fails with an error that says so; nothing is done by
 * halves. What they do differently is in `docs/backends.md`.
 *
 * @module
 */

import type NodeFs from "node:fs";
import * as layout from "../../../ffi/layout.ts";
import { copyInto } from "../../byte_length.ts";
import { isUtf8 } from "../../linux/directory.ts";
import { ERRNO, UNSUPPORTED } from "../../linux/errors.ts";
import { AT_FDCWD, O_APPEND, O_DIRECTORY, O_RDWR, O_WRONLY } from "../../linux/fcntl.ts";
import "../../operations/op.ts";
import { plainRuns } from "../../operations/operation.ts";
import type { Plain, PlainCall, PlainStat } from "../../operations/plain_call.ts";
import type { CoreRequest } from "../../operations/request.ts";
import { addAppender, appenderOf, removeAppender } from "./append_files.ts";
import { readDirectory, readTrees } from "./directories.ts";
import type { Executor } from "./executor.ts";
import { errnoOf, Failure } from "./failure.ts";
import { Fifos, isFifo, leadsToFifo, removeFifo } from "./fifos.ts";
import { makeDurable, replaceFile, syncFolderOf } from "./replace.ts";
import { HINT_RETRIED, NONE_KEPT } from "./request_runner.ts";
import { translateFlags } from "./open_flags.ts";
import { pathAt } from "./proc_path.ts";
import { StatRecord } from "./stat_record.ts";
import { pathsLength } from "./with_library.ts";

const OP = layout.OP;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * With these a write may have come to an end before its bytes have. Not EIO: another write
 * may succeed where one was lost.
 */
const ENDS_EARLY: ReadonlySet<number> = new Set(
  ["ENOSPC", "EDQUOT", "EFBIG", "EINTR"].map((code) => ERRNO[code]!),
);
/** How often a write is made once more that a file system interrupts of its own accord. */
const INTERRUPTIONS_MAX = 100;
/** The bits of the mode of access; without any of them it is for reading only. */
const ACCESS_MODE = O_WRONLY | O_RDWR;

/**
 * Node's calls, from the first executor on: to import them takes as long as all the
 * rest of this package, and whoever has the library does without.
 */
let fs: typeof NodeFs;

/** Why a request cannot be run without the library whatever its file is, or 0. */
export function refusalOf(request: CoreRequest): number {
  const { plain } = request.operation;
  if (typeof plain === "number") {
    return plain;
  }
  if (request.code === OP.readDir && request.mode & layout.TREE_REMOVE) {
    return UNSUPPORTED.operation;
  }
  for (const path of [request.path, request.path2]) {
    if (path !== undefined && typeof path !== "string" && !isUtf8(path)) {
      return UNSUPPORTED.rawPath;
    }
  }
  return 0;
}

/** The text of bytes that may be in shared memory, which decoders do not take. */
function textOf(bytes: Uint8Array): string {
  if (bytes.length < 256) {
    let text = "";
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte > 0x7f) {
        return decoder.decode(bytes.slice());
      }
      text += String.fromCharCode(byte);
    }
    return text;
  }
  return decoder.decode(bytes.slice());
}

/** How each operation is run, by its code. */
let runs: readonly (Plain | undefined)[];

const NOTHING = new Uint8Array(0);

/** The request that is being run. */
class Call implements PlainCall {
  readonly fs: typeof NodeFs = fs;
  readonly #stat = new StatRecord();
  readonly #fifos: Fifos;
  /** Whether it was tried in vain before, and the descriptor that has been kept since. */
  retried = false;
  kept = NONE_KEPT;
  flags = 0;
  fd = 0;
  fd2 = 0;
  mode = 0;
  length = 0;
  offset = 0;
  position: number | null = null;
  arg0 = 0;
  arg1 = 0;
  arg2 = 0;
  arg3 = 0;
  rawPath = "";
  rawPath2 = "";
  bytes: Uint8Array = NOTHING;
  payload: Uint8Array = NOTHING;

  constructor(patient: boolean) {
    this.#fifos = new Fifos(fs, patient);
  }

  get isAtDescriptor(): boolean {
    return this.rawPath === "" && this.fd !== AT_FDCWD;
  }

  get path(): string {
    return pathAt(this.fd, this.rawPath);
  }

  get path2(): string {
    return pathAt(this.fd2, this.rawPath2);
  }

  open(flags: number): number {
    const fd = fs.openSync(this.path, this.#own(flags), this.mode);
    removeAppender(fd);
    removeFifo(fd);
    return fd;
  }

  /** Flags as this system has them. */
  #own(flags: number): number {
    return Deno.build.os === "linux" ? flags : translateFlags(flags, { ...fs.constants });
  }

  /** Open a FIFO that the path leads to; `undefined` if it leads elsewhere. */
  #openFifo(flags: number): number | undefined {
    return this.kept !== NONE_KEPT || leadsToFifo(this.path)
      ? this.#fifos.open(this.path, this.#own(flags), this.mode, this.retried, this.kept)
      : undefined;
  }

  readFifo(): Uint8Array | undefined {
    const fd = this.#openFifo(this.flags);
    return fd === undefined ? undefined : this.#fifos.readWhole(fd);
  }

  writeFifo(): boolean {
    const fd = this.#openFifo(this.flags);
    if (fd !== undefined) {
      this.#fifos.writeWhole(fd, this.bytes);
    }
    return fd !== undefined;
  }

  readSome(fd: number, bytes: Uint8Array, offset: number | null): number {
    return isFifo(fd)
      ? this.#fifos.read(fd, bytes)
      : fs.readSync(fd, bytes, 0, bytes.length, offset);
  }

  openToKeep(flags: number): number {
    const fifo = (flags & O_DIRECTORY) === 0 ? this.#openFifo(flags) : undefined;
    if (fifo !== undefined) {
      return fifo;
    }
    const fd = this.open(flags);
    if ((flags & O_APPEND) !== 0) {
      addAppender(fs, fd, this.path);
    }
    return fd;
  }

  close(fd: number): void {
    removeAppender(fd);
    removeFifo(fd);
    fs.closeSync(fd);
  }

  tell(fd: number): number | undefined {
    const appender = appenderOf(fs, fd);
    return appender === undefined
      ? toldOf(fd)?.position
      : appender.seekSync(0, Deno.SeekMode.Current);
  }

  putStat(info: PlainStat): void {
    this.#stat.pack(info);
    this.payload = this.#stat.bytes;
  }

  putText(text: string): void {
    if (text.includes("\ufffd")) {
      this.fail(UNSUPPORTED.rawName);
    }
    this.payload = encoder.encode(text);
  }

  putEntries(): void {
    const { fd, rawPath: path, flags, mode, offset } = this;
    this.payload = mode & layout.TREE
      ? readTrees({ fd, path, flags, mode, offset })
      : readDirectory(this.path);
  }

  writeAll(fd: number, bytes: Uint8Array, offset: number | null): void {
    for (let done = 0; done < bytes.length;) {
      const at = offset === null ? null : offset + done;
      done += fs.writeSync(fd, bytes, done, bytes.length - done, at);
    }
  }

  writeSome(fd: number, bytes: Uint8Array, offset: number | null): number {
    const appender = appenderOf(fs, fd);
    if (appender !== undefined) {
      return again(() => appender.writeSync(bytes));
    }
    if (bytes.length === 0 && ((toldOf(fd)?.flags ?? ACCESS_MODE) & ACCESS_MODE) === 0) {
      // Of nothing Node does not ask the kernel
      this.fail(ERRNO.EBADF!);
    }
    if (bytes.length > 0 && isFifo(fd)) {
      return this.#fifos.write(fd, bytes);
    }
    const from = offset ?? (bytes.length > 1 ? placeOf(fd) : undefined);
    try {
      const write = () => fs.writeSync(fd, bytes, 0, bytes.length, offset);
      // Where it goes by the kernel's position, part of it would be there twice
      return offset === null ? write() : again(write);
    } catch (error) {
      if (from === undefined || !ENDS_EARLY.has(errnoOf(error))) {
        throw error;
      }
      const count = offset === null
        ? (placeOf(fd) ?? from) - from
        // What goes to the end would go there once more
        : ((toldOf(fd)?.flags ?? O_APPEND) & O_APPEND) === 0
        ? countWritten(fd, bytes, from)
        : 0;
      if (count <= 0) {
        throw error;
      }
      return count;
    }
  }

  replace(): number {
    return replaceFile(this);
  }

  makeDurable(fd: number): void {
    makeDurable(this, fd);
  }

  syncFolder(): void {
    syncFolderOf(this);
  }

  fail(errno: number): never {
    throw new Failure(errno);
  }
}

/** Do it once more, a number of times, if a file system interrupts it of its own accord. */
function again(write: () => number): number {
  for (let interruptions = 0;; interruptions++) {
    try {
      return write();
    } catch (error) {
      if (errnoOf(error) !== ERRNO.EINTR || interruptions === INTERRUPTIONS_MAX) {
        throw error;
      }
    }
  }
}

/** What the kernel tells of a descriptor, if that may be read. */
function toldOf(fd: number): { readonly flags: number; readonly position: number } | undefined {
  const path = `/proc/self/fdinfo/${fd}`;
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") {
    // Nobody is to be asked for a file that the program does not name
    return undefined;
  }
  try {
    const told = /^pos:\s*(\d+)\nflags:\s*([0-7]+)$/m.exec(Deno.readTextFileSync(path));
    return told === null ? undefined : { position: Number(told[1]), flags: parseInt(told[2]!, 8) };
  } catch {
    return undefined;
  }
}

/** Where a write is going to be by the kernel's position, if that is how it goes. */
function placeOf(fd: number): number | undefined {
  const told = toldOf(fd);
  return told === undefined || (told.flags & O_APPEND) !== 0 ? undefined : told.position;
}

/**
 * How many bytes of a write are there that has failed: Node goes on after a short one, and
 * then tells nothing but the error. They are written once more, as far as that goes.
 */
function countWritten(fd: number, bytes: Uint8Array, offset: number): number {
  let low = 0;
  for (let high = bytes.length; low < high;) {
    const end = Math.ceil((low + high) / 2);
    try {
      fs.writeSync(fd, bytes, low, end - low, offset + low);
      low = end;
    } catch {
      high = end - 1;
    }
  }
  return low;
}

/** Runs requests by the synchronous calls of `Deno` and `node:fs`. */
export class DenoExecutor implements Executor {
  readonly caller = 0;
  readonly turn = 0;
  readonly #call: Call;

  /** @param patient Whether what has to wait for somebody else does so in its call. */
  constructor(patient = false) {
    // deno-lint-ignore no-process-global
    fs ??= process.getBuiltinModule("node:fs");
    runs ??= plainRuns();
    this.#call = new Call(patient);
  }

  get length(): number {
    return this.#call.payload.length;
  }

  take(target: Uint8Array): void {
    copyInto(target, this.#call.payload);
  }

  isTerminal(fd: number): boolean {
    // Not imported: it takes long to load, and hardly anybody asks
    // deno-lint-ignore no-process-global
    return process.getBuiltinModule("node:tty").isatty(fd);
  }

  setRaw(): number {
    return -UNSUPPORTED.setRaw;
  }

  close(): void {
    // It holds nothing
  }

  takeWords(target: Int32Array, at: number): void {
    this.take(new Uint8Array(target.buffer, target.byteOffset + at * 4, this.length));
  }

  perform(
    record: Int32Array,
    at: number,
    memory: Uint8Array,
    start: number,
    total: number,
  ): number {
    const input = memory.subarray(start, start + total);
    const call = this.#call;
    const opAndHints = record[at + layout.REQUEST_OP_AND_HINTS]!;
    const length = record[at + layout.REQUEST_PATH_LENGTH]!;
    const length2 = record[at + layout.REQUEST_PATH2_LENGTH]!;
    if (length > layout.PATH_MAX || length2 > layout.PATH_MAX) {
      return -ERRNO.ENAMETOOLONG!;
    }
    call.flags = record[at + layout.REQUEST_FLAGS]!;
    call.fd = record[at + layout.REQUEST_FD]!;
    call.fd2 = record[at + layout.REQUEST_FD2]!;
    call.mode = record[at + layout.REQUEST_MODE]!;
    call.length = record[at + layout.REQUEST_LENGTH]! >>> 0;
    call.offset = record[at + layout.REQUEST_OFFSET_HIGH]! * 0x1_0000_0000 +
      (record[at + layout.REQUEST_OFFSET_LOW]! >>> 0);
    call.position = opAndHints >>> 16 & layout.HINT_OFFSET ? call.offset : null;
    call.arg0 = record[at + layout.REQUEST_ARGS]! >>> 0;
    call.arg1 = record[at + layout.REQUEST_ARGS + 1]!;
    call.arg2 = record[at + layout.REQUEST_ARGS + 2]! >>> 0;
    call.arg3 = record[at + layout.REQUEST_ARGS + 3]! >>> 0;
    call.rawPath = textOf(input.subarray(0, length));
    call.rawPath2 = length2 === 0 ? "" : textOf(input.subarray(length, length + length2));
    call.bytes = input.subarray(pathsLength(record, at));
    call.payload = NOTHING;
    call.retried = (opAndHints >>> 16 & HINT_RETRIED) !== 0;
    call.kept = call.retried ? call.fd2 : NONE_KEPT;
    const run = runs[opAndHints & 0xffff] ?? UNSUPPORTED.operation;
    if (typeof run === "number") {
      return -run;
    }
    try {
      return run(call);
    } catch (error) {
      call.payload = NOTHING;
      return -errnoOf(error);
    }
  }
}
