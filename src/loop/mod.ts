// Copyright 2026 the ioq authors. MIT license.

/**
 * Structured concurrency over the queue: tasks that own their I/O, can be awaited,
 * selected from and cancelled, and synchronise with each other.
 *
 * @example
 * ```ts
 * import { EventLoop } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const size = await loop.async(async (io) => (await io.stat("/etc/hosts")).size);
 * console.log(size);
 * ```
 *
 * @module
 */

export { EventLoop } from "./event_loop.ts";
export type { CloseOptions } from "../queue/queue_options.ts";
export type { EventLoopLimits, EventLoopOptions } from "./event_loop.ts";
export type { Loop, SelectOptions, TaskScope, TaskStarter, WorkerTaskOptions } from "./loop.ts";
export { Io } from "./io.ts";
export type { Future } from "./future.ts";
export { TaskGroup } from "./group.ts";
export { Canceled, ConcurrencyUnavailable, MutexAbandoned } from "./canceled.ts";
export { LoopFile } from "./loop_file.ts";
export type { CreateFileOptions, FileLockOptions, OpenLoopFileOptions } from "./loop_file.ts";
export { Mutex } from "./mutex.ts";
export type { Guard } from "./mutex.ts";
export { Condition } from "./condition.ts";
export { Semaphore } from "./semaphore.ts";
export { ResetEvent } from "./reset_event.ts";
export { Queue } from "./queue.ts";
export { SharedMutex } from "./shared_mutex.ts";
export type { SharedLockOptions } from "./shared_mutex.ts";
export { SharedCondition } from "./shared_condition.ts";
export { SharedSemaphore } from "./shared_semaphore.ts";
export { SharedResetEvent } from "./shared_reset_event.ts";
export { CallbackLoop } from "./callback_loop.ts";
export type { CompletionCallback } from "./callback_loop.ts";
