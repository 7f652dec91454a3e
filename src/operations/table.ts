// Copyright 2026 the ioq authors. MIT license.

/**
 * The table of operations: what each is to the core, to error messages, to permissions
 * and to whoever reads its result. What it resolves to stands in `values.ts`, how a
 * request for it is made in `op.ts`.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW } from "../linux/fcntl.ts";
import { type Access, READ, WRITE } from "../permissions.ts";
import {
  decodeBigIntStat,
  decodeBytes,
  decodeCopy,
  decodeEntries,
  decodeInto,
  decodeIntoParts,
  decodeNames,
  decodeNothing,
  decodeNumber,
  decodeOpened,
  decodePoll,
  type Decoder,
  decodeResult,
  decodeStat,
  decodeText,
} from "./decode.ts";
import type { OpName } from "./values.ts";

/** An operation's row in the table. */
type Operation = readonly [
  /** The core's code. */
  code: number,
  /** What error messages call it: what Deno calls it, where Deno has it. */
  verb: string,
  /** Flags that every request has. */
  flags: number,
  /** What it does to its path, and to its second path. */
  access: Access,
  access2: Access,
  /** How to read what it produced. */
  decode: Decoder,
];

/**
 * The table of operations. Where each runs when there is a ring, by measurement:
 *
 *     the queue's thread   nop, receive; readv and writev are read and write here
 *     the ring             kernelNop, open, close, openDir, closeDir, read, write, sync,
 *                          syncData, splice, sleep, timeout, poll, post, rawSqe: done
 *                          within the turn, or waiting for a device and for time
 *     a lane, and the      stat, lstat, unlink, rmdir, rename, mkdir, symlink, link,
 *     ring at a backlog    getXattr, setXattr, allocate, advise, syncRange: io_uring
 *                          hands them to threads of the kernel's, which costs more than
 *                          a lane; figures at `OVERFLOW_OPS` in `backends/native.ts`
 *     a lane               seek, readDir, readDirBlock, readLink, realPath, chmod, chown,
 *                          utime, access, lock, copyRange, listXattr, removeXattr:
 *                          io_uring has no such operation; truncate: it has one for
 *                          descriptors since 6.9, by threads of the kernel's (4.3 µs, on a
 *                          lane 4.4); readFile, writeFile, copyFile: three calls in one
 *
 * An opcode that the kernel lacks goes to a lane, too. A chain of an open, a read and a
 * close by a direct descriptor instead of readFile was measured in C, files of 2 KiB in
 * memory: 9.3 µs with one in flight and 2.9 with 32, all on the queue's thread. The three
 * system calls take 3.4, and on a lane they take nothing from that thread. So direct
 * descriptors are not used.
 */
export const OPERATIONS: { readonly [K in OpName]: Operation } = {
  nop: [layout.OP.nop, "nop", 0, 0, 0, decodeNothing],
  kernelNop: [layout.OP.kernelNop, "nop", 0, 0, 0, decodeNothing],
  open: [layout.OP.open, "open", 0, 0, 0, decodeOpened],
  close: [layout.OP.close, "close", 0, 0, 0, decodeNothing],
  stat: [layout.OP.stat, "stat", 0, READ, 0, decodeStat],
  lstat: [layout.OP.stat, "lstat", AT_SYMLINK_NOFOLLOW, READ, 0, decodeStat],
  statBigInt: [layout.OP.stat, "stat", 0, READ, 0, decodeBigIntStat],
  lstatBigInt: [layout.OP.stat, "lstat", AT_SYMLINK_NOFOLLOW, READ, 0, decodeBigIntStat],
  openDir: [layout.OP.openDir, "opendir", 0, READ, 0, decodeOpened],
  readDirBlock: [layout.OP.readDirBlock, "readdir", 0, 0, 0, decodeEntries],
  closeDir: [layout.OP.closeDir, "closedir", 0, 0, 0, decodeNothing],
  readDir: [layout.OP.readDir, "readdir", 0, READ, 0, decodeEntries],
  read: [layout.OP.read, "read", 0, 0, 0, decodeBytes],
  readInto: [layout.OP.read, "read", 0, 0, 0, decodeInto],
  write: [layout.OP.write, "write", 0, 0, 0, decodeResult],
  seek: [layout.OP.seek, "seek", 0, 0, 0, decodeNumber],
  sync: [layout.OP.sync, "fsync", 0, 0, 0, decodeNothing],
  syncData: [layout.OP.sync, "fdatasync", layout.SYNC_DATA, 0, 0, decodeNothing],
  truncate: [layout.OP.truncate, "truncate", 0, WRITE, 0, decodeNothing],
  allocate: [layout.OP.allocate, "fallocate", 0, 0, 0, decodeNothing],
  advise: [layout.OP.advise, "fadvise", 0, 0, 0, decodeNothing],
  unlink: [layout.OP.unlink, "remove", 0, WRITE, 0, decodeNothing],
  rmdir: [layout.OP.unlink, "remove", AT_REMOVEDIR, WRITE, 0, decodeNothing],
  rename: [layout.OP.rename, "rename", 0, READ | WRITE, WRITE, decodeNothing],
  mkdir: [layout.OP.mkdir, "mkdir", 0, WRITE, 0, decodeNothing],
  symlink: [layout.OP.symlink, "symlink", 0, 0, READ | WRITE, decodeNothing],
  link: [layout.OP.link, "link", 0, READ | WRITE, READ | WRITE, decodeNothing],
  readLink: [layout.OP.readLink, "readlink", 0, READ, 0, decodeText],
  realPath: [layout.OP.realPath, "realpath", 0, READ, 0, decodeText],
  chmod: [layout.OP.chmod, "chmod", 0, WRITE, 0, decodeNothing],
  chown: [layout.OP.chown, "chown", 0, WRITE, 0, decodeNothing],
  utime: [layout.OP.utime, "utime", 0, WRITE, 0, decodeNothing],
  access: [layout.OP.access, "access", 0, READ, 0, decodeNothing],
  lock: [layout.OP.lock, "flock", 0, 0, 0, decodeNothing],
  copyRange: [layout.OP.copyRange, "copy", 0, 0, 0, decodeResult],
  readFile: [layout.OP.readFile, "readfile", 0, READ, 0, decodeBytes],
  writeFile: [layout.OP.writeFile, "writefile", 0, WRITE, 0, decodeNothing],
  copyFile: [layout.OP.copyFile, "copy", 0, READ, WRITE, decodeNothing],
  readv: [layout.OP.read, "read", 0, 0, 0, decodeIntoParts],
  writev: [layout.OP.write, "write", 0, 0, 0, decodeResult],
  sleep: [layout.OP.timeout, "sleep", 0, 0, 0, decodeNothing],
  timeout: [layout.OP.timeout, "timeout", 0, 0, 0, decodeNothing],
  poll: [layout.OP.poll, "poll", 0, 0, 0, decodePoll],
  post: [layout.OP.post, "post", 0, 0, 0, decodeNothing],
  receive: [layout.OP.receive, "receive", 0, 0, 0, decodeNumber],
  syncRange: [layout.OP.syncRange, "sync_file_range", 0, 0, 0, decodeNothing],
  splice: [layout.OP.splice, "splice", 0, 0, 0, decodeResult],
  getXattr: [layout.OP.getXattr, "getxattr", 0, READ, 0, decodeCopy],
  setXattr: [layout.OP.setXattr, "setxattr", 0, WRITE, 0, decodeNothing],
  listXattr: [layout.OP.listXattr, "listxattr", 0, READ, 0, decodeNames],
  removeXattr: [layout.OP.removeXattr, "removexattr", 0, WRITE, 0, decodeNothing],
  rawSqe: [layout.OP.rawSqe, "sqe", 0, 0, 0, decodeResult],
};

/** What error messages call an operation. */
export function verbOf(op: OpName): string {
  return OPERATIONS[op][1];
}
