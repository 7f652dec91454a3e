// Copyright 2026 the ioq authors. MIT license.

/**
 * An asynchronous I/O queue for Deno on io_uring.
 *
 * @module
 */

export { Ioq } from "./src/ioq.ts";
export type { IoqOptions, OperationOptions } from "./src/ioq.ts";
export { op } from "./src/operation.ts";
export type {
  AtOptions,
  OpBuilders,
  OpenRequestOptions,
  OpName,
  OpValues,
  Request,
  StatOptions,
} from "./src/operation.ts";
export type { Completion } from "./src/completion.ts";
export type { BackendInfo, BackendKind, LaneCounts, RingInfo } from "./src/backend.ts";
export type { BigIntFileInfo, FileInfo } from "./src/file_info.ts";
export type { DirEntry } from "./src/directory.ts";
export type { Path } from "./src/path.ts";
