// Copyright 2026 the ioq authors. MIT license.

/**
 * The functions that make requests, of all families: see `operation.ts`.
 *
 * @module
 */

import type { OpBuilders } from "./values.ts";
import { close, closeDir, open, openDir } from "./open.ts";
import { copyRange, read, readInto, readv, seek, splice, write, writev } from "./transfers.ts";
import { advise, allocate, lock, sync, syncData, syncRange, truncate } from "./storage.ts";
import { access, chmod, chown, fstat, lstat, stat, utime } from "./attributes.ts";
import { getXattr, listXattr, removeXattr, setXattr } from "./xattrs.ts";
import { link, mkdir, readLink, realPath, rename, rmdir, symlink, unlink } from "./names.ts";
import { copyFile, readDir, readDirBlock, readFile, writeFile } from "./whole.ts";
import { kernelNop, nop, poll, post, receive, sleep, timeout } from "./waiting.ts";
import { rawSqe } from "./raw_sqe.ts";

/**
 * Makes requests. Arguments are checked here: what is wrong throws a `TypeError`
 * or a `RangeError` before anything is queued.
 *
 * @example
 * ```ts
 * import { Ioq, op } from "@ioq/ioq";
 *
 * await using ioq = await Ioq.open();
 * ioq.submit(op.stat("/etc/hostname"));
 * for await (const completion of ioq) {
 *   if (completion.ok && completion.op === "stat") {
 *     console.log(completion.value.size);
 *   }
 * }
 * ```
 */
export const op: OpBuilders = {
  nop,
  kernelNop,
  open,
  close,
  stat,
  lstat,
  fstat,
  openDir,
  readDirBlock,
  closeDir,
  readDir,
  read,
  write,
  readInto,
  seek,
  sync,
  syncData,
  truncate,
  allocate,
  advise,
  unlink,
  rmdir,
  rename,
  mkdir,
  symlink,
  link,
  readLink,
  realPath,
  chmod,
  chown,
  utime,
  access,
  lock,
  copyRange,
  readFile,
  writeFile,
  copyFile,
  readv,
  writev,
  sleep,
  timeout,
  poll,
  post,
  receive,
  syncRange,
  splice,
  getXattr,
  setXattr,
  listXattr,
  removeXattr,
  rawSqe,
};
