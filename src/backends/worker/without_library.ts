// Copyright 2026 the ioq authors. MIT license.

/**
 * Runs requests through `Deno`'s and `node:fs`'s synchronous calls, for machines
 * where the native library cannot be loaded. A descriptor of `node:fs` can be used
 * by the thread that opened it, and by no other.
 *
 * What those calls cannot do fails with an error that says so; nothing is done by
 * halves. What they do differently is in the README.
 *
 * @module
 */

import type NodeFs from "node:fs";
import * as layout from "../../../ffi/layout.ts";
import { isUtf8 } from "../../linux/directory.ts";
import { ERRNO, UNSUPPORTED } from "../../linux/errors.ts";
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  O_DIRECT,
  O_DIRECTORY,
} from "../../linux/fcntl.ts";
import { type CoreRequest, REMOVE_TREE } from "../../operations/request.ts";
import { readDirectory, readTrees } from "./directories.ts";
import type { Executor } from "./executor.ts";
import { errnoOf, Failure } from "./failure.ts";
import { translateFlags } from "./open_flags.ts";
import { pathAt } from "./proc_path.ts";
import { StatRecord } from "./stat_record.ts";
import { pathsLength } from "./with_library.ts";

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const X_OK = 1;
const SEEK_CUR = 1;
/** Bytes of one step of a copy. */
const COPY_LENGTH = 1 << 20;

const OP = layout.OP;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Node's calls, from the first executor on: to import them takes as long as all the
 * rest of this package, and whoever has the library does without.
 */
let fs: typeof NodeFs;

/** A request as this file needs it. */
interface Call {
  code: number;
  flags: number;
  fd: number;
  fd2: number;
  mode: number;
  length: number;
  /** Whether the offset counts. */
  positional: boolean;
  offset: number;
  arg0: number;
  arg1: number;
  arg2: number;
  arg3: number;
  path: string;
  path2: string;
}

/** Why a request cannot be run without the library whatever its file is, or 0. */
export function refusalOf(request: CoreRequest): number {
  if (request.op === "statBigInt" || request.op === "lstatBigInt") {
    return UNSUPPORTED.exactStat;
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

/** Open a file. */
function open(call: Call, flags: number): number {
  const own = Deno.build.os === "linux" ? flags : translateFlags(flags, { ...fs.constants });
  return fs.openSync(pathAt(call.fd, call.path), own, call.mode);
}

/** See the module. */
export class DenoExecutor implements Executor {
  readonly caller = 0;
  readonly turn = 0;
  #payload: Uint8Array = new Uint8Array(0);
  readonly #stat = new StatRecord();
  readonly #call: Call = {
    code: 0,
    flags: 0,
    fd: 0,
    fd2: 0,
    mode: 0,
    length: 0,
    positional: false,
    offset: 0,
    arg0: 0,
    arg1: 0,
    arg2: 0,
    arg3: 0,
    path: "",
    path2: "",
  };
  #bytes: Uint8Array = this.#payload;

  constructor() {
    // deno-lint-ignore no-process-global
    fs ??= process.getBuiltinModule("node:fs");
  }

  get length(): number {
    return this.#payload.length;
  }

  take(target: Uint8Array): void {
    target.set(this.#payload);
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
    call.code = opAndHints & 0xffff;
    call.positional = (opAndHints >>> 16 & layout.HINT_OFFSET) !== 0;
    call.flags = record[at + layout.REQUEST_FLAGS]!;
    call.fd = record[at + layout.REQUEST_FD]!;
    call.fd2 = record[at + layout.REQUEST_FD2]!;
    call.mode = record[at + layout.REQUEST_MODE]!;
    call.length = record[at + layout.REQUEST_LENGTH]! >>> 0;
    call.offset = record[at + layout.REQUEST_OFFSET_HIGH]! * 0x1_0000_0000 +
      (record[at + layout.REQUEST_OFFSET_LOW]! >>> 0);
    call.arg0 = record[at + layout.REQUEST_ARGS]! >>> 0;
    call.arg1 = record[at + layout.REQUEST_ARGS + 1]!;
    call.arg2 = record[at + layout.REQUEST_ARGS + 2]! >>> 0;
    call.arg3 = record[at + layout.REQUEST_ARGS + 3]! >>> 0;
    call.path = textOf(input.subarray(0, length));
    call.path2 = length2 === 0 ? "" : textOf(input.subarray(length, length + length2));
    this.#bytes = input.subarray(pathsLength(record, at));
    this.#payload = EMPTY;
    try {
      return this.#run(call);
    } catch (error) {
      this.#payload = EMPTY;
      return -errnoOf(error);
    }
  }

  #run(call: Call): number {
    const hasPath = call.path !== "" || call.fd === AT_FDCWD;
    switch (call.code) {
      case OP.nop:
      case OP.kernelNop:
        return 0;
      case OP.open:
        if (call.flags & O_DIRECT) {
          // Nobody can say where the runtime's buffers begin
          throw new Failure(UNSUPPORTED.direct);
        }
        return open(call, call.flags);
      case OP.openDir:
        return open(call, call.flags | O_DIRECTORY);
      case OP.close:
      case OP.closeDir:
        fs.closeSync(call.fd);
        return 0;
      case OP.stat:
        return this.#runStat(call, hasPath);
      case OP.readDir:
        this.#payload = call.mode & layout.TREE
          ? readTrees(call)
          : readDirectory(pathAt(call.fd, call.path));
        return 0;
      case OP.read:
        return this.#read(call);
      case OP.write:
        return fs.writeSync(
          call.fd,
          this.#bytes,
          0,
          this.#bytes.length,
          call.positional ? call.offset : null,
        );
      case OP.seek:
        return this.#seek(call);
      case OP.sync:
        (call.flags & layout.SYNC_DATA ? fs.fdatasyncSync : fs.fsyncSync)(call.fd);
        return 0;
      case OP.truncate:
        if (hasPath) {
          Deno.truncateSync(pathAt(call.fd, call.path), call.offset);
        } else {
          fs.ftruncateSync(call.fd, call.offset);
        }
        return 0;
      case OP.copyRange:
        return this.#copyRange(call);
      case OP.readFile:
        this.#payload = Deno.readFileSync(pathAt(call.fd, call.path));
        if (this.#payload.length > layout.TRANSFER_MAX) {
          throw new Failure(ERRNO.EFBIG!);
        }
        return this.#payload.length;
      case OP.writeFile:
        return this.#writeFile(call);
      case OP.copyFile:
        return this.#copyFile(call);
      default:
        return this.#runOnNames(call, hasPath);
    }
  }

  /** Operations on names and attributes. */
  #runOnNames(call: Call, hasPath: boolean): number {
    switch (call.code) {
      case OP.unlink:
        return this.#unlink(call);
      case OP.rename:
        if (call.flags !== 0) {
          throw new Failure(UNSUPPORTED.renameFlags);
        }
        Deno.renameSync(pathAt(call.fd, call.path), pathAt(call.fd2, call.path2));
        return 0;
      case OP.mkdir:
        Deno.mkdirSync(pathAt(call.fd, call.path), { mode: call.mode });
        return 0;
      case OP.symlink:
        if (call.path === "") {
          throw new Failure(ERRNO.ENOENT!);
        }
        Deno.symlinkSync(call.path, pathAt(call.fd2, call.path2));
        return 0;
      case OP.link:
        Deno.linkSync(pathAt(call.fd, call.path), pathAt(call.fd2, call.path2));
        return 0;
      case OP.readLink:
        return this.#text(Deno.readLinkSync(pathAt(call.fd, call.path)));
      case OP.realPath:
        return this.#text(Deno.realPathSync(call.path));
      case OP.access:
        return this.#access(pathAt(call.fd, call.path), call.mode);
      case OP.chmod:
        if (hasPath) {
          Deno.chmodSync(pathAt(call.fd, call.path), call.mode);
        } else {
          fs.fchmodSync(call.fd, call.mode);
        }
        return 0;
      case OP.chown: {
        const gid = call.arg1 >>> 0;
        if (!hasPath) {
          fs.fchownSync(call.fd, call.arg0, gid);
        } else if (call.flags & AT_SYMLINK_NOFOLLOW) {
          fs.lchownSync(pathAt(call.fd, call.path), call.arg0, gid);
        } else {
          fs.chownSync(pathAt(call.fd, call.path), call.arg0, gid);
        }
        return 0;
      }
      case OP.utime: {
        const atime = call.offset + call.arg2 / 1e9;
        const mtime = call.arg1 * 0x1_0000_0000 + call.arg0 + call.arg3 / 1e9;
        if (hasPath) {
          Deno.utimeSync(pathAt(call.fd, call.path), atime, mtime);
        } else {
          // Not as numbers: Node takes those before 1970 for now
          fs.futimesSync(call.fd, new Date(atime * 1000), new Date(mtime * 1000));
        }
        return 0;
      }
      default:
        throw new Failure(UNSUPPORTED_OPS.get(call.code) ?? UNSUPPORTED.operation);
    }
  }

  #runStat(call: Call, hasPath: boolean): number {
    if (hasPath) {
      const path = pathAt(call.fd, call.path);
      this.#stat.pack(
        call.flags & AT_SYMLINK_NOFOLLOW ? Deno.lstatSync(path) : Deno.statSync(path),
      );
    } else {
      const stats = fs.fstatSync(call.fd);
      const { atime, mtime, ctime, birthtime } = stats;
      const { dev, ino, mode, nlink, uid, gid, rdev, size, blksize, blocks } = stats;
      this.#stat.pack({
        ...{ dev, ino, mode, nlink, uid, gid, rdev, size, blksize, blocks },
        ...{ atime, mtime, ctime, birthtime: birthtime.getTime() === 0 ? null : birthtime },
      });
    }
    this.#payload = this.#stat.bytes;
    return 0;
  }

  #read(call: Call): number {
    const bytes = new Uint8Array(call.length);
    const offset = call.positional ? call.offset : null;
    const count = fs.readSync(call.fd, bytes, 0, bytes.length, offset);
    this.#payload = bytes.subarray(0, count);
    return count;
  }

  /** Where a descriptor is; it cannot be moved. */
  #seek(call: Call): number {
    fs.fstatSync(call.fd);
    if (call.flags !== SEEK_CUR || call.offset !== 0 || Deno.build.os !== "linux") {
      throw new Failure(UNSUPPORTED.seek);
    }
    const told = /^pos:\s*(\d+)$/m.exec(Deno.readTextFileSync(`/proc/self/fdinfo/${call.fd}`));
    const position = Number(told?.[1]);
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, BigInt(position), true);
    this.#payload = bytes;
    return 0;
  }

  /** Remove a name; the calls beneath would take a directory for a file. */
  #unlink(call: Call): number {
    const path = pathAt(call.fd, call.path);
    if (call.flags === REMOVE_TREE) {
      Deno.removeSync(path, { recursive: true });
      return 0;
    }
    const { isDirectory } = Deno.lstatSync(path);
    if (call.flags & AT_REMOVEDIR) {
      if (!isDirectory) {
        throw new Failure(ERRNO.ENOTDIR!);
      }
      fs.rmdirSync(path);
    } else {
      if (isDirectory) {
        throw new Failure(ERRNO.EISDIR!);
      }
      Deno.removeSync(path);
    }
    return 0;
  }

  #text(text: string): number {
    if (text.includes("\ufffd")) {
      throw new Failure(UNSUPPORTED.rawName);
    }
    this.#payload = encoder.encode(text);
    return this.#payload.length;
  }

  #access(path: string, mode: number): number {
    fs.accessSync(path, mode);
    if (mode & X_OK) {
      // For the superuser that call says yes to everything
      const { mode: bits } = Deno.statSync(path);
      if (bits !== null && (bits & S_IFMT) !== S_IFDIR && (bits & 0o111) === 0) {
        throw new Failure(ERRNO.EACCES!);
      }
    }
    return 0;
  }

  #writeAll(fd: number, bytes: Uint8Array, offset: number | null): void {
    for (let done = 0; done < bytes.length;) {
      const at = offset === null ? null : offset + done;
      done += fs.writeSync(fd, bytes, done, bytes.length - done, at);
    }
  }

  #writeFile(call: Call): number {
    const fd = open(call, call.flags);
    try {
      if (call.arg0) {
        fs.fchmodSync(fd, call.mode);
      }
      this.#writeAll(fd, this.#bytes, null);
    } finally {
      fs.closeSync(fd);
    }
    return this.#bytes.length;
  }

  #copyRange(call: Call): number {
    const bytes = new Uint8Array(Math.min(call.length, COPY_LENGTH));
    const from = call.positional ? call.offset : null;
    const count = fs.readSync(call.fd, bytes, 0, bytes.length, from);
    const to = call.arg2 ? call.arg1 * 0x1_0000_0000 + call.arg0 : null;
    this.#writeAll(call.fd2, bytes.subarray(0, count), to);
    return count;
  }

  #copyFile(call: Call): number {
    const source = Deno.statSync(call.path);
    if (!source.isFile) {
      throw new Failure(layout.ENOTREG);
    }
    let target;
    try {
      target = Deno.statSync(call.path2);
    } catch {
      // There is none yet; any other reason stands in the way of the copy, too
    }
    if (target !== undefined && target.dev === source.dev && target.ino === source.ino) {
      throw new Failure(layout.ESAMEFILE);
    }
    Deno.copyFileSync(call.path, call.path2);
    return 0;
  }
}

const EMPTY = new Uint8Array(0);

/** What has no counterpart, with the reason. */
const UNSUPPORTED_OPS: ReadonlyMap<number, number> = new Map<number, number>([
  [OP.lock, UNSUPPORTED.lock],
  [OP.readDirBlock, UNSUPPORTED.readDirBlock],
  [OP.allocate, UNSUPPORTED.allocate],
  [OP.advise, UNSUPPORTED.advise],
]);
