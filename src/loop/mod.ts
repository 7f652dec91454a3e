// Copyright 2026 the ioq authors. MIT license.

/**
 * Tasks that own their I/O, over the queue of `@ioq/ioq`.
 *
 * A task is a function that is given a handle, {@linkcode Io}, and runs beside others. What
 * it starts through that handle belongs to it: cancelling the task cancels its operations
 * in the kernel. Tasks can be awaited, selected from, grouped and run in Workers. They
 * synchronise by {@linkcode Mutex}, {@linkcode RwLock}, {@linkcode Condition},
 * {@linkcode Semaphore}, {@linkcode ResetEvent} and {@linkcode Queue}, and across Workers by the classes whose names
 * begin with `Shared`.
 *
 * It takes the permissions of the operations that tasks make, and `--allow-ffi` for the
 * native library.
 *
 * @example Run tasks and wait for them
 * ```ts
 * import { EventLoop } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const size = await loop.async(async (io) => (await io.stat("/etc/hosts")).size);
 * console.log(size);
 * ```
 *
 * @example Cancel a task with all that it waits for
 * ```ts
 * import { Canceled, EventLoop } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const sleeper = loop.async((io) => io.sleep(3_600_000));
 * await sleeper.cancel().catch((error) => console.log(error instanceof Canceled)); // true
 * ```
 *
 * @example A queue between two tasks
 * ```ts
 * import { EventLoop, Queue } from "@ioq/ioq/loop";
 *
 * await using loop = await EventLoop.open();
 * const names = new Queue<string>(16);
 * const lister = loop.async(async (io) => {
 *   for (const entry of await io.readDir("/etc")) await names.put(io, entry.name);
 *   names.close();
 * });
 * let count = 0;
 * await loop.async(async (io) => {
 *   for await (const _ of names.values(io)) count++;
 * });
 * await lister;
 * console.log(count);
 * ```
 *
 * @module
 */

export { EventLoop } from "./event_loop.ts";
export type { CloseOptions } from "../queue/option_types.ts";
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
export { RwLock } from "./rw_lock.ts";
export { Batch } from "./batch.ts";
export type { BatchResult } from "./batch.ts";
export { ResetEvent } from "./reset_event.ts";
export { Queue } from "./queue.ts";
export { SharedMutex } from "./shared_mutex.ts";
export type { SharedLockOptions } from "./shared_mutex.ts";
export { SharedCondition } from "./shared_condition.ts";
export { SharedSemaphore } from "./shared_semaphore.ts";
export { SharedResetEvent } from "./shared_reset_event.ts";
export { CallbackLoop } from "./callback_loop.ts";
export type { CompletionCallback, WorkerOutcome } from "./callback_loop.ts";
