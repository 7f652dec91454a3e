// Copyright 2026 the ioq authors. MIT license.

/**
 * Walking directory trees: `walk()` of `@std/fs`, with more options.
 *
 *     walk.ts       entries, one by one or in batches
 *     scheduler.ts  what is read next, and what becomes of it     this thread
 *     tree.c        directories, and what is below them           worker lanes
 *
 * Where the time goes, on /usr (141,000 entries in 15,600 directories, all cached,
 * two processors), in milliseconds of processor time as `perf` and `--prof` tell:
 *
 *     lanes   130   nearly all in the kernel: getdents64(2), of which ext4 spends
 *                   most on hashing and sorting names, then openat(2) and close(2)
 *     here     30   decoding and splitting names, making entries, collecting
 *                   garbage; 5 more if entries are taken one by one
 *     V8       12   collecting garbage beside us
 *
 * Two processors do that in 85 at best, and the walk takes 85 to 95: there is little
 * left to gain but by having the kernel do less. What brought it there, against a
 * request for each directory and a decoding for each name: some 650 requests
 * instead of 15,600, each with its names in one block, decoded and split at once; no
 * stat, since directories tell the types; lanes that go on below by themselves, and
 * so by one name relative to a descriptor; and a budget of a millisecond for that,
 * so that neither a lane nor this thread waits for the other for long.
 *
 * @module
 */

import type { PromiseForms } from "../forms.ts";
import { LateModule } from "../late.ts";
import { withOptions } from "../own_option.ts";
import { beginningIn, currentDirectory, type Path, toPath } from "../path.ts";
import { planWalk, type StatDecoder, type WalkPlan } from "./walk/walk_options.ts";
import type {
  WalkEntry,
  WalkEntryWithBigIntInfo,
  WalkEntryWithInfo,
  WalkOptions,
} from "./walk/walk_types.ts";
import type { LineFormat, Lines } from "./walk/lines.ts";
import type { WalkScheduler } from "./walk/scheduler.ts";

/**
 * The type of {@linkcode walk}: a function for entries one by one, and one for batches.
 *
 * @category Many files and trees
 */
export interface Walk {
  /**
   * Finds a directory and everything below it.
   *
   * Options, entries and errors are those of `walk()` of `@std/fs`. The order differs, see
   * {@linkcode WalkOptions.sort}, and cycles of links end. Nothing is read before the
   * iteration begins. Leaving the iteration early stops the walk and leaves nothing open.
   *
   * Memory holds the directories on the way with their siblings, and some ten thousand
   * entries that were read ahead, not the tree. A directory is read as a whole, however
   * large it is. Below paths longer than the system takes (4095 bytes) the walk goes on by
   * descriptors.
   *
   * @param root Where to begin. A symbolic link is followed there.
   * @param options What to find, and how.
   * @returns The entries, one by one. Unless `onError` says otherwise, the iteration ends with
   *          the error that Deno's own call would throw, such as `Deno.errors.NotFound` or
   *          `Deno.errors.PermissionDenied`, or with the signal's reason.
   * @throws {TypeError} If an option is unknown or has the wrong type.
   * @throws {RangeError} If `concurrency` is out of its range.
   *
   * @example
   * ```ts
   * import { Ioq, walk } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open(); // without it, walk() takes the shared queue
   * for await (const entry of walk("src", { exts: ["ts"], includeDirs: false, ioq })) {
   *   console.log(entry.path);
   * }
   * ```
   */
  (
    root: Path,
    options: WalkOptions & { stat: true; bigint?: false | undefined },
  ): AsyncIterableIterator<WalkEntryWithInfo>;
  /**
   * Finds a directory and everything below it, with exact attributes.
   *
   * @param root Where to begin. A symbolic link is followed there.
   * @param options What to find, and how.
   */
  (
    root: Path,
    options: WalkOptions & { stat: true; bigint: true },
  ): AsyncIterableIterator<WalkEntryWithBigIntInfo>;
  /**
   * Finds a directory and everything below it.
   *
   * @param root Where to begin. A symbolic link is followed there.
   * @param options What to find, and how.
   */
  (root: Path, options?: WalkOptions): AsyncIterableIterator<WalkEntry>;

  /**
   * Finds the same in arrays of at least one entry, as they come. That costs less than one
   * entry at a time. Use it instead of a synchronous walk.
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
   *   for (const { info } of entries) bytes += info.size;
   * }
   * console.log(bytes);
   * ```
   */
  batches(
    root: Path,
    options: WalkOptions & { stat: true; bigint?: false | undefined },
  ): AsyncIterableIterator<WalkEntryWithInfo[]>;
  /**
   * Finds the same in arrays of at least one entry, with exact attributes.
   *
   * @param root Where to begin.
   * @param options What to find, and how.
   */
  batches(
    root: Path,
    options: WalkOptions & { stat: true; bigint: true },
  ): AsyncIterableIterator<WalkEntryWithBigIntInfo[]>;
  /**
   * Finds the same in arrays of at least one entry.
   *
   * @param root Where to begin.
   * @param options What to find, and how.
   */
  batches(root: Path, options?: WalkOptions): AsyncIterableIterator<WalkEntry[]>;
}

const SCHEDULER = new LateModule(() => import("./walk/scheduler.ts"));
const GLOB_WALK = new LateModule(() => import("./glob_walk.ts"));

/** What an iteration needs of a {@linkcode WalkScheduler}. */
type Walking<B extends WalkEntry[] | Lines> = Pick<
  WalkScheduler<B>,
  "cut" | "take" | "wait" | "stop"
>;

/** A walk whose scheduler is loaded when the iteration begins. */
class LateWalk<B extends WalkEntry[] | Lines> implements Walking<B> {
  readonly #make: () => Promise<WalkScheduler<B>>;
  #walk: WalkScheduler<B> | undefined;
  #stopped = false;

  constructor(make: () => Promise<WalkScheduler<B>>) {
    this.#make = make;
  }

  get cut(): boolean {
    return this.#stopped || this.#walk?.cut === true;
  }

  take(): B | undefined {
    return this.#walk?.take();
  }

  async wait(): Promise<boolean> {
    if (this.#walk === undefined) {
      const made = await this.#make();
      // Another one that waited may have been first
      this.#walk ??= made;
    }
    if (this.#stopped) {
      await this.#walk.stop();
    }
    return await this.#walk.wait();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#walk?.stop();
  }
}

/** Prepare a walk. */
function begin<B extends WalkEntry[] | Lines = WalkEntry[]>(
  root: string | Uint8Array,
  plan: WalkPlan,
  format?: LineFormat,
): Walking<B> {
  if (SCHEDULER.loaded !== undefined) {
    return new SCHEDULER.loaded.WalkScheduler<B>(root, plan, format);
  }
  // What a relative path means now, it means then
  const here = currentDirectory();
  return new LateWalk(async () => {
    const { WalkScheduler } = await SCHEDULER.load();
    return beginningIn(here, () => new WalkScheduler<B>(root, plan, format));
  });
}

/** An iterator over what `next` finds; by hand, since a generator costs more per item. */
function iterator<T>(
  scheduler: { stop(): Promise<void> },
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

function walkOneByOne(
  root: Path,
  options: WalkOptions & { stat: true; bigint?: false | undefined },
): AsyncIterableIterator<WalkEntryWithInfo>;
function walkOneByOne(
  root: Path,
  options: WalkOptions & { stat: true; bigint: true },
): AsyncIterableIterator<WalkEntryWithBigIntInfo>;
function walkOneByOne(root: Path, options?: WalkOptions): AsyncIterableIterator<WalkEntry>;
function walkOneByOne(root: Path, options: WalkOptions = {}): AsyncIterableIterator<WalkEntry> {
  const scheduler = begin(toPath(root, "readdir"), planWalk(options));
  let batch: (WalkEntry | undefined)[] = [];
  let at = 0;
  /** The next entry, which then is its receiver's alone. */
  const out = (): WalkEntry => {
    const entry = batch[at]!;
    batch[at++] = undefined;
    return entry;
  };
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
      return { done: false, value: out() };
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
      ? Promise.resolve({ done: false, value: out() })
      : wait();
  });
}

function batchesOf<B extends WalkEntry[] | Lines>(
  scheduler: Walking<B>,
): AsyncIterableIterator<B> {
  return iterator(scheduler, async (): Promise<IteratorResult<B>> => {
    while (await scheduler.wait()) {
      const batch = scheduler.take();
      if (batch !== undefined) {
        return { done: false, value: batch };
      }
    }
    return { done: true, value: undefined };
  });
}

/** A walk by a queue or a task, and by no other. */
export function walkOf(ioq: PromiseForms): Walk {
  function oneByOne(
    root: Path,
    options: WalkOptions & { stat: true; bigint?: false | undefined },
  ): AsyncIterableIterator<WalkEntryWithInfo>;
  function oneByOne(
    root: Path,
    options: WalkOptions & { stat: true; bigint: true },
  ): AsyncIterableIterator<WalkEntryWithBigIntInfo>;
  function oneByOne(root: Path, options?: WalkOptions): AsyncIterableIterator<WalkEntry>;
  function oneByOne(root: Path, options?: WalkOptions): AsyncIterableIterator<WalkEntry> {
    return walkOneByOne(root, withOptions(options, { ioq }));
  }
  function batches(
    root: Path,
    options: WalkOptions & { stat: true; bigint?: false | undefined },
  ): AsyncIterableIterator<WalkEntryWithInfo[]>;
  function batches(
    root: Path,
    options: WalkOptions & { stat: true; bigint: true },
  ): AsyncIterableIterator<WalkEntryWithBigIntInfo[]>;
  function batches(root: Path, options?: WalkOptions): AsyncIterableIterator<WalkEntry[]>;
  function batches(root: Path, options?: WalkOptions): AsyncIterableIterator<WalkEntry[]> {
    return walkInBatches(root, withOptions(options, { ioq }));
  }
  return Object.assign(oneByOne, { batches });
}

function walkInBatches(
  root: Path,
  options: WalkOptions & { stat: true; bigint?: false | undefined },
): AsyncIterableIterator<WalkEntryWithInfo[]>;
function walkInBatches(
  root: Path,
  options: WalkOptions & { stat: true; bigint: true },
): AsyncIterableIterator<WalkEntryWithBigIntInfo[]>;
function walkInBatches(root: Path, options?: WalkOptions): AsyncIterableIterator<WalkEntry[]>;
function walkInBatches(root: Path, options: WalkOptions = {}): AsyncIterableIterator<WalkEntry[]> {
  return batchesOf(begin(toPath(root, "readdir"), planWalk(options)));
}

/**
 * Walk a tree for a command, in batches, by paths that begin with the root to the
 * letter, by globs if there are any. As lines, if they are asked for; what does not go into lines as it is, such as
 * a path that is not UTF-8, comes as entries.
 */
export function walkForCommand(
  root: Path,
  options: WalkOptions,
  decode?: StatDecoder,
  format?: undefined,
  globs?: readonly string[],
): AsyncIterableIterator<WalkEntry[]>;
export function walkForCommand(
  root: Path,
  options: WalkOptions,
  decode: StatDecoder | undefined,
  format: LineFormat | undefined,
  globs?: readonly string[],
): AsyncIterableIterator<WalkEntry[] | Lines>;
export function walkForCommand(
  root: Path,
  options: WalkOptions,
  decode?: StatDecoder,
  format?: LineFormat,
  globs?: readonly string[],
): AsyncIterableIterator<WalkEntry[] | Lines> {
  const plan = planWalk(options, { verbatim: true, ...(decode === undefined ? {} : { decode }) });
  if (globs !== undefined) {
    const made = GLOB_WALK.load().then(({ globsBelow }) => globsBelow(root, globs));
    made.catch(() => {});
    return batchesOf(
      new LateWalk<WalkEntry[] | Lines>(async () => {
        const glob = await made;
        const { WalkScheduler } = await SCHEDULER.load();
        return new WalkScheduler<WalkEntry[] | Lines>(
          toPath(root, "readdir"),
          { ...plan, glob },
          format,
        );
      }),
    );
  }
  return batchesOf(begin<WalkEntry[] | Lines>(toPath(root, "readdir"), plan, format));
}

/**
 * Finds a directory and everything below it, one entry at a time; `walk.batches()` gives
 * arrays of entries. Options, entries and errors are those of `walk()` of `@std/fs`; see
 * {@linkcode Walk} and {@linkcode WalkOptions} for what there is besides.
 *
 * @category Many files and trees
 */
export const walk: Walk = Object.assign(walkOneByOne, { batches: walkInBatches });
