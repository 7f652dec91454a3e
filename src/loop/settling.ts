// Copyright 2026 the ioq authors. MIT license.

/**
 * Waiting for promises without leaving a trace.
 *
 * What is registered by `then()` stays until the promise settles: who waits for one
 * long-lived promise ever again, and gives up each time, has it keep all of that. So each
 * promise that somebody gave up waiting for gets one registration, and those who wait are
 * a set that they can leave. A future keeps such a set itself.
 *
 * @module
 */

import { taskOfFuture } from "./future.ts";

/** Who waits, by promise. */
const waiting = new WeakMap<PromiseLike<unknown>, Set<() => void>>();
/** Promises that somebody waited for in vain: those are worth a set. */
const abandoned = new WeakSet<PromiseLike<unknown>>();
/** Promises whose failure is somebody's. */
const handled = new WeakSet<PromiseLike<unknown>>();

function ignore(): void {}

/** Somebody gave up waiting for a promise, and what was registered there stays. */
export function markAbandoned(promise: PromiseLike<unknown>): void {
  abandoned.add(promise);
}

/** Whether somebody gave up waiting for it, so that others might as well. */
export function isAbandoned(promise: PromiseLike<unknown>): boolean {
  return abandoned.has(promise);
}

/**
 * Have something called when a promise has settled, or is about to.
 *
 * @returns What calls it off.
 */
export function onSettled(promise: PromiseLike<unknown>, call: () => void): () => void {
  const task = taskOfFuture(promise);
  if (task !== undefined) {
    if (task.ended) {
      promise.then(call, call);
      return ignore;
    }
    const calls = task.onEnd ??= new Set();
    calls.add(call);
    return () => calls.delete(call);
  }
  let calls = waiting.get(promise);
  if (calls === undefined) {
    const all = calls = new Set<() => void>();
    waiting.set(promise, all);
    const settled = () => {
      waiting.delete(promise);
      for (const call of all) {
        call();
      }
    };
    promise.then(settled, settled);
  }
  const all = calls;
  all.add(call);
  return () => all.delete(call);
}

/** From now on, a failure of this is not reported: someone else sees to it. */
export function takeCharge(promise: PromiseLike<unknown>): void {
  if (!handled.has(promise)) {
    handled.add(promise);
    promise.then(undefined, ignore);
  }
}
