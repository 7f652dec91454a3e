// Copyright 2026 the ioq authors. MIT license.

/**
 * Waiting for the first of several to finish.
 *
 * Unlike `Promise.race()`, this leaves no trace: the futures that did not finish do
 * not hold on to anything, however often they are selected from, and a failure of
 * theirs that nobody awaits is still reported.
 *
 * @module
 */

import { taskOfFuture } from "./future.ts";

/** The index of the first to finish, be it by failing. See `EventLoop.select()`. */
export function select(futures: Iterable<PromiseLike<unknown>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const all = [...futures];
    if (all.length === 0) {
      reject(new RangeError("Cannot select from no futures, none would ever finish"));
      return;
    }
    const bad = all.findIndex((future) => typeof future?.then !== "function");
    if (bad >= 0) {
      reject(new TypeError(`Expected futures, got ${typeof all[bad]} at ${bad}`));
      return;
    }
    const ready = all.findIndex((future) => taskOfFuture(future)?.ended);
    if (ready >= 0) {
      resolve(ready);
      return;
    }

    const callbacks = all.map((_, index) => () => {
      all.forEach((future, i) => taskOfFuture(future)?.onEnd?.delete(callbacks[i]!));
      resolve(index);
    });
    all.forEach((future, index) => {
      const task = taskOfFuture(future);
      if (task !== undefined) {
        (task.onEnd ??= new Set()).add(callbacks[index]!);
      } else {
        future.then(callbacks[index], callbacks[index]);
      }
    });
  });
}
