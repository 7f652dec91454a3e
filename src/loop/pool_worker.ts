// Copyright 2026 the ioq authors. MIT license.

/**
 * What runs in the Workers of a loop's pools: tasks, over a queue of this thread's
 * own that is opened for the first of them, and functions that compute.
 *
 * @module
 */

import type { IoqOptions } from "../queue/option_types.ts";
import { Canceled } from "./canceled.ts";
import { EventLoop } from "./event_loop.ts";
import type { Future } from "./future.ts";
import type { Io } from "./io.ts";
import {
  Claim,
  encodeError,
  type FromWorker,
  type Opening,
  type ToWorker,
} from "./pool_message.ts";
import { beEnrolled } from "./threads.ts";

/** What a Worker's global object has that others do not. */
interface WorkerScope {
  close(): void;
  addEventListener(
    type: "message",
    listener: (event: MessageEvent<Opening>) => void,
    options: { once: true },
  ): void;
  addEventListener(type: "unload", listener: () => void): void;
  addEventListener(type: "error", listener: (event: ErrorEvent) => void): void;
  addEventListener(
    type: "unhandledrejection",
    listener: (event: PromiseRejectionEvent) => void,
  ): void;
}

const scope = globalThis as unknown as WorkerScope;
const close = scope.close.bind(scope);

/** How long a Worker that dies waits for its tasks to let go of what they hold. */
const DYING_MS = 2000;

/** Where messages come from and go to. */
let port: MessagePort;
/** How to open a queue. */
let queue: IoqOptions | undefined;
/** Whether a function may begin, if this Worker runs one at a time. */
let claim: Claim;
/** Whether an error that nobody caught ends it. */
let dying = false;
/** The functions of modules. */
const functions = new Map<string, (...args: unknown[]) => unknown>();
/** This thread's loop, once there is a task for it. */
let loop: Promise<EventLoop> | undefined;
/** Tasks that run. */
const futures = new Map<number, Future<unknown>>();
/** What is to be cancelled before it has begun, or cannot be cancelled. */
const cancelled = new Set<number>();

/** A module's default export. */
async function load(module: string): Promise<(...args: unknown[]) => unknown> {
  const { default: fn } = await import(module);
  if (typeof fn !== "function") {
    throw new TypeError(`Expected the default export of '${module}' to be a function`);
  }
  functions.set(module, fn);
  return fn;
}

async function run({ id, module, args }: ToWorker & { kind: "run" }): Promise<unknown> {
  const fn = functions.get(module) ?? await load(module);
  if (queue === undefined) {
    if (!claim.begin(id)) {
      throw new Canceled();
    }
    return await fn(...args);
  }
  const here = await openLoop(queue);
  if (cancelled.has(id)) {
    throw new Canceled();
  }
  const future = here.async((io: Io) => fn(io, ...args));
  futures.set(id, future);
  return await future;
}

/** Opens the loop, or tries again if that failed. */
function openLoop(queue: IoqOptions): Promise<EventLoop> {
  if (loop === undefined) {
    loop = EventLoop.open(queue);
    loop.catch(() => loop = undefined);
  }
  return loop;
}

async function answer(message: ToWorker & { kind: "run" }): Promise<void> {
  const { id } = message;
  try {
    const value = await run(message);
    say({ kind: "done", id, value });
  } catch (error) {
    say({ kind: "failed", id, error: encodeError(error) });
  } finally {
    futures.delete(id);
    cancelled.delete(id);
  }
}

function say(message: FromWorker): void {
  port.postMessage(message);
}

/**
 * Close the queue, and the Worker: one that ends with an open queue leaves threads
 * behind. Tasks are cancelled, so that they let go of what they share with others; of a
 * Worker that dies they may never end.
 */
async function stop(): Promise<void> {
  const here = await loop?.catch(() => undefined);
  const closing = here?.close().catch(() => {});
  if (dying) {
    await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, DYING_MS))]);
    await here?.ioq.close().catch(() => {});
  } else {
    await closing;
  }
  say({ kind: "stopped" });
  close();
}

scope.addEventListener("message", ({ data }) => {
  ({ port, queue } = data);
  claim = new Claim(data.claim);
  beEnrolled(data.enrolment);
  port.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    if (data.kind === "run") {
      answer(data);
    } else if (data.kind === "offer") {
      say({ kind: "free" });
    } else if (data.kind === "cancel") {
      cancelled.add(data.id);
      futures.get(data.id)?.cancel();
    } else {
      stop();
    }
  };
}, { once: true });

/** An error that nobody caught would end the Worker with its queue open. */
function die(event: ErrorEvent | PromiseRejectionEvent): void {
  event.preventDefault();
  if (!dying) {
    dying = true;
    // Before it counts for dead: what its tasks wait for is nobody else's then
    for (const future of futures.values()) {
      future.cancel();
    }
    say({ kind: "dying", error: encodeError("reason" in event ? event.reason : event.error) });
    stop();
  }
}

scope.addEventListener("error", die);
scope.addEventListener("unhandledrejection", die);

// The loop would wait forever for a Worker that a task ends
scope.addEventListener("unload", () => say({ kind: "gone" }));
scope.close = () => {
  say({ kind: "gone" });
  close();
};
