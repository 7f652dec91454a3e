// Copyright 2026 the ioq authors. MIT license.

/**
 * The queue that functions share when they are given none.
 *
 * It is opened at first use and stays open; an idle queue keeps no process alive. A queue that
 * accepts no more requests is replaced at the next use.
 *
 * @module
 */

import { beginningIn, currentDirectory } from "./path.ts";
import { PromiseForms } from "./forms.ts";
import { Ioq } from "./ioq.ts";
import { coreOf } from "./queue/runner.ts";

let current: Ioq | undefined;
let opening: Promise<Ioq> | undefined;

/**
 * The queue that the free-standing functions share, opened if there is none.
 *
 * Each caller holds the queue. `await using` releases it, and the last release closes it with its
 * threads and the library; the next use opens another. Do so in tests that Deno's
 * resource sanitizer watches, see the example. {@linkcode Ioq.close} closes it at once, for
 * everyone.
 *
 * @throws {Deno.errors.NotSupported} If no backend is available. The next call tries again.
 *
 * @category Queue
 *
 * @example
 * ```ts
 * import { defaultQueue, readTextFile } from "@ioq/ioq";
 *
 * await using _ = await defaultQueue();
 * console.log(await readTextFile("/etc/hostname"));
 * ```
 */
export async function defaultQueue(): Promise<Ioq> {
  const ioq = await sharedQueue();
  coreOf(ioq).hold();
  return ioq;
}

/** The same, without holding it. */
export function sharedQueue(): Promise<Ioq> {
  if (current?.accepts) {
    return Promise.resolve(current);
  }
  opening ??= Ioq.open().then((ioq) => current = ioq).finally(() => opening = undefined);
  return opening;
}

/**
 * The queue that options name, or the task through whose handle to go to it.
 *
 * @returns It, or `undefined` if they name none: the shared one is meant then.
 * @throws {TypeError} If that is no queue.
 */
export function checkGivenQueue(ioq: unknown): PromiseForms | undefined {
  if (ioq !== undefined && !(ioq instanceof PromiseForms)) {
    throw new TypeError(`Expected ioq to be a queue, as Ioq.open() gives it, got ${typeof ioq}`);
  }
  return ioq;
}

/** Call a function with the shared queue: at once, if it is open. */
export function onDefaultQueue<V>(call: (ioq: Ioq) => Promise<V>): Promise<V> {
  if (current?.accepts) {
    return call(current);
  }
  // What relative paths mean now, they mean then
  const here = currentDirectory();
  return sharedQueue().then((ioq) => beginningIn(here, () => call(ioq)));
}
