// Copyright 2026 the ioq authors. MIT license.

/**
 * An asynchronous I/O queue for Deno on io_uring.
 *
 * @module
 */

export { Ioq } from "./src/ioq.ts";
export type { CloseOptions, IoqOptions, SubmitOptions } from "./src/ioq/options.ts";
export { IoqBuffer } from "./src/buffer.ts";
export { PromiseForms } from "./src/promise_forms.ts";
export type { OperationOptions } from "./src/runner.ts";
export type { RemoveOptions } from "./src/promise_forms.ts";
export { IoqFile } from "./src/file.ts";
export type { OpenFileOptions } from "./src/file.ts";
export type { FileContents, ReadFilesErrorPolicy, ReadFilesOptions } from "./src/read_files.ts";
export { defaultQueue } from "./src/default_queue.ts";
export {
  chmod,
  chown,
  copyFile,
  link,
  lstat,
  mkdir,
  openFile,
  readDir,
  readFile,
  readFiles,
  readLink,
  readTextFile,
  realPath,
  remove,
  rename,
  stat,
  symlink,
  truncate,
  utime,
  writeFile,
  writeTextFile,
} from "./src/functions.ts";
export { op } from "./src/op.ts";
export type {
  Advice,
  AtOptions,
  OpenRequestOptions,
  PollOptions,
  RenameOptions,
  SetXattrOptions,
  SpliceOptions,
  StatOptions,
  SyncRangeOptions,
  TimeoutOptions,
  WriteFileOptions,
  XattrOptions,
} from "./src/op/options.ts";
export type { OpBuilders } from "./src/op/builders.ts";
export type { OpName, OpValues } from "./src/operation/values.ts";
export type { PollEvents } from "./src/poll_events.ts";
export type { Request } from "./src/operation/request.ts";
export type { Completion } from "./src/completion.ts";
export type { BackendInfo, BackendKind, LaneCounts, RingInfo } from "./src/backend.ts";
export type { ClockName } from "./src/clock.ts";
export type { BigIntFileInfo, FileInfo } from "./src/file_info.ts";
export type { DirEntry } from "./src/directory.ts";
export type { Path } from "./src/path.ts";
export {
  Canceled,
  ConcurrencyUnavailable,
  Condition,
  EventLoop,
  Io,
  Mutex,
} from "./src/loop/mod.ts";
export type { EventLoopLimits, EventLoopOptions, Future, Guard } from "./src/loop/mod.ts";
export { walk } from "./src/walk.ts";
export type { Walk } from "./src/walk.ts";
export type { WalkEntry, WalkErrorPolicy, WalkOptions } from "./src/walk/options.ts";
export { removeTree } from "./src/tree/remove_tree.ts";
export { copyTree } from "./src/tree/copy_tree.ts";
export type { CopyTreeOptions } from "./src/tree/copy_tree.ts";
export type { TreeOptions, TreeProgress } from "./src/tree/options.ts";
