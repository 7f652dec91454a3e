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

import { ownOption } from "../own_option.ts";
import { checkTimeout } from "../integer.ts";
import { Deadline, type Deadlines } from "../queue/deadlines.ts";
import { taskOfFuture } from "./future.ts";
import type { SelectOptions } from "./loop.ts";
import { onSettled } from "./settling.ts";

/** The index of the first to finish, be it by failing. See `EventLoop.select()`. */
// deno-lint-ignore require-await
export async function select(
  futures: Iterable<PromiseLike<unknown>>,
  options: SelectOptions,
  deadlines: Deadlines,
): Promise<number> {
  const all = [...futures];
  const timeoutMs = checkTimeout(ownOption(options, "timeoutMs"));
  if (all.length === 0) {
    throw new RangeError("Cannot select from no futures, none would ever finish");
  }
  const bad = all.findIndex((future) => typeof future?.then !== "function");
  if (bad >= 0) {
    throw new TypeError(`Expected futures, got ${typeof all[bad]} at ${bad}`);
  }
  if (taskOfFuture(all[0]!)?.ended) {
    return 0;
  }
  return new Promise((resolve, reject) => {
    const leave: (() => void)[] = [];
    const end = () => {
      leave.forEach((call) => call());
      if (deadline !== undefined) {
        deadlines.remove(deadline);
      }
    };
    const deadline = timeoutMs === undefined ? undefined : new Deadline(timeoutMs, () => {
      end();
      reject(new Deno.errors.TimedOut(`None of ${all.length} finished within ${timeoutMs} ms`));
    });
    if (deadline !== undefined) {
      deadlines.add(deadline);
    }
    for (const [index, future] of all.entries()) {
      // Of those that are over already, each is told in a job of its own: in their order
      leave.push(onSettled(future, () => {
        end();
        resolve(index);
      }));
    }
  });
}
