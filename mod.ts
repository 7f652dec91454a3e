// Copyright 2026 the ioq authors. MIT license.

/**
 * An asynchronous I/O queue for Deno on io_uring.
 *
 * @module
 */

export { Ioq } from "./src/ioq.ts";
export type {
  CloseOptions,
  IoqOptions,
  SubmitArguments,
  SubmitOptions,
} from "./src/queue/queue_options.ts";
export { IoqBuffer } from "./src/queue/buffer.ts";
export type { PromiseForms } from "./src/forms.ts";
export type { OperationOptions } from "./src/queue/runner.ts";
export type { RemoveOptions } from "./src/forms.ts";
export type { IoqFile } from "./src/files/file.ts";
export type { OpenFileOptions } from "./src/files/file.ts";
export type {
  FileContents,
  ReadFilesErrorPolicy,
  ReadFilesOptions,
} from "./src/files/read_files.ts";
export type { ReadFileOptions } from "./src/files/whole_files.ts";
export { defaultQueue } from "./src/default_queue.ts";
export * from "./src/functions.ts";
export { op } from "./src/operations/op.ts";
export type {
  Advice,
  AtOptions,
  ChownOptions,
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
} from "./src/operations/request_options.ts";
export type { OpBuilders } from "./src/operations/values.ts";
export type { OpName, OpValues } from "./src/operations/values.ts";
export type { PollEvents } from "./src/linux/poll.ts";
export type { IoqRequest } from "./src/operations/request.ts";
export type { Completion } from "./src/queue/completion.ts";
export type { BackendInfo, BackendKind, LaneCounts, RingInfo } from "./src/backends/backend.ts";
export type { ClockName } from "./src/linux/clock.ts";
export type { BigIntFileInfo, FileInfo } from "./src/linux/stat.ts";
export type { DirEntry } from "./src/linux/directory.ts";
export type { Path } from "./src/path.ts";
export { walk } from "./src/trees/walk.ts";
export type { Walk } from "./src/trees/walk.ts";
export type { WalkEntry, WalkErrorPolicy, WalkOptions } from "./src/trees/walk/walk_options.ts";
export { copyTree, removeTree } from "./src/trees/functions.ts";
export type { CopyTreeOptions, PreserveOptions } from "./src/trees/copy_tree.ts";
export type { ErrorPolicy } from "./src/trees/error_policy.ts";
export type { TreeOptions, TreeProgress } from "./src/trees/tree_options.ts";
