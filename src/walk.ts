// Copyright 2026 the ioq authors. MIT license.

/**
 * Walking directory trees: `@std/fs`'s `walk()`, with what one misses there.
 *
 * Its scheduler is in `walk/scheduler.ts`, what the threads do in `native/tree.c`.
 *
 * @module
 */

import { type Path, toPath } from "./path.ts";
import { planWalk, type WalkEntry, type WalkOptions } from "./walk/options.ts";
import { WalkScheduler } from "./walk/scheduler.ts";

/** {@linkcode walk} and its form in batches. */
export interface Walk {
  /**
   * Find everything below a directory, and the directory itself.
   *
   * Options, entries and errors are those of `walk()` of `@std/fs`, but for the
   * order, see {@linkcode WalkOptions.sort}; and an end is put to its cycles.
   * Nothing is read before the iteration begins. Leaving it early stops what is in
   * progress and leaves nothing open.
   *
   * What is kept in memory are the directories on the way with their siblings, and
   * entries that were read ahead, some ten thousand; not the tree. A directory is
   * read as a whole, however large it is. Paths longer than the system takes
   * (4095 bytes) are gone down by descriptors.
   *
   * @param root Where to begin; a symbolic link is followed there.
   * @param options What to find, and how.
   * @returns The entries, one by one. What ends the iteration, unless `onError`
   *          says otherwise: `Deno.errors.NotFound`, `Deno.errors.PermissionDenied`
   *          and the like, as Deno's own calls throw them, or the signal's reason.
   * @throws {TypeError} If an option is of a wrong type.
   * @throws {RangeError} If `concurrency` is out of its range.
   *
   * @example
   * ```ts
   * import { Ioq, walk } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open(); // or none: there is one that all share
   * for await (const entry of walk("src", { exts: ["ts"], includeDirs: false, ioq })) {
   *   console.log(entry.path);
   * }
   * ```
   */
  (root: Path, options?: WalkOptions): AsyncIterableIterator<WalkEntry>;

  /**
   * The same in arrays of at least one entry, as they come. That is cheaper than
   * one by one, and what to use instead of a synchronous walk.
   *
   * @param root Where to begin.
   * @param options What to find, and how.
   *
   * @example
   * ```ts
   * import { Ioq, walk } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * let bytes = 0;
   * for await (const entries of walk.batches("src", { stat: true, ioq })) {
   *   for (const { info } of entries) bytes += info!.size;
   * }
   * console.log(bytes);
   * ```
   */
  batches(root: Path, options?: WalkOptions): AsyncIterableIterator<WalkEntry[]>;
}

function begin(root: Path, options: WalkOptions): WalkScheduler {
  return new WalkScheduler(toPath(root, "readdir"), planWalk(options));
}

/** An iterator over what `next` finds; by hand, since a generator costs more per item. */
function iterator<T>(
  scheduler: WalkScheduler,
  next: () => Promise<IteratorResult<T>>,
): AsyncIterableIterator<T> {
  return {
    next,
    async return() {
      await scheduler.stop();
      return { done: true, value: undefined };
    },
    async throw(error) {
      await scheduler.stop();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function walkOneByOne(root: Path, options: WalkOptions = {}): AsyncIterableIterator<WalkEntry> {
  const scheduler = begin(root, options);
  let batch: WalkEntry[] = [];
  let at = 0;
  let waiting = 0;
  const wait = async (): Promise<IteratorResult<WalkEntry>> => {
    waiting++;
    try {
      while (at === batch.length || scheduler.cut) {
        if (!await scheduler.wait()) {
          return { done: true, value: undefined };
        }
        // Another one that waited may have taken it
        const taken = at === batch.length ? scheduler.take() : undefined;
        if (taken !== undefined) {
          batch = taken;
          at = 0;
        }
      }
      return { done: false, value: batch[at++]! };
    } finally {
      waiting--;
    }
  };
  return iterator(scheduler, () => {
    // Those who came before go first
    if (at === batch.length && waiting === 0 && !scheduler.cut) {
      const taken = scheduler.take();
      if (taken !== undefined) {
        batch = taken;
        at = 0;
      }
    }
    return at < batch.length && waiting === 0 && !scheduler.cut
      ? Promise.resolve({ done: false, value: batch[at++]! })
      : wait();
  });
}

function walkInBatches(root: Path, options: WalkOptions = {}): AsyncIterableIterator<WalkEntry[]> {
  const scheduler = begin(root, options);
  return iterator(scheduler, async (): Promise<IteratorResult<WalkEntry[]>> => {
    while (await scheduler.wait()) {
      const batch = scheduler.take();
      if (batch !== undefined) {
        return { done: false, value: batch };
      }
    }
    return { done: true, value: undefined };
  });
}

/** Walks directory trees; see {@linkcode Walk}. */
export const walk: Walk = Object.assign(walkOneByOne, { batches: walkInBatches });
