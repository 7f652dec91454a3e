// Copyright 2026 the ioq authors. MIT license.

/**
 * Finding files by patterns: several in one walk, which reads no directory in which none of
 * them can match. See `patterns/glob_patterns.ts`.
 *
 * @module
 */

import { LateModule } from "../late.ts";
import type { PromiseForms } from "../forms.ts";
import { ownOptions, withOptions } from "../own_option.ts";
import { currentDirectory, isAbsolute, joinPath, toPath } from "../path.ts";
import { normalizePath } from "../permissions.ts";
import type { GlobRequest } from "./glob_walk.ts";
import { checkOptionNames } from "../known_options.ts";
import {
  checkBoolean,
  EXPANSION_WALK_OPTIONS,
  GLOB_WALK_OPTIONS,
  planWalk,
  SEARCH_OPTIONS,
} from "./walk/walk_options.ts";
import type { WalkEntry } from "./walk/walk_types.ts";
import type { ExpandGlobOptions, Glob, GlobEntry, GlobOptions } from "./glob_types.ts";

const GLOB_WALK = new LateModule(() => import("./glob_walk.ts"));

/** What finds batches, once it is loaded. */
type Finder<E> = AsyncIterableIterator<E[]>;

/** A finder that is made when the iteration begins. */
class LateBatches<E> implements AsyncIterableIterator<E[]> {
  readonly #make: () => Promise<Finder<E>>;
  #finder: Promise<Finder<E>> | undefined;
  #ended = false;

  constructor(make: () => Promise<Finder<E>>) {
    this.#make = make;
  }

  async next(): Promise<IteratorResult<E[]>> {
    if (this.#ended) {
      return { done: true, value: undefined };
    }
    const finder = await (this.#finder ??= this.#make());
    return await finder.next();
  }

  async return(): Promise<IteratorResult<E[]>> {
    this.#ended = true;
    const finder = await this.#finder?.catch(() => undefined);
    await finder?.return?.();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<E[]>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** Entries one by one, of batches. */
class OneByOne<E> implements AsyncIterableIterator<E> {
  readonly #batches: AsyncIterableIterator<E[]>;
  #batch: readonly E[] = [];
  #at = 0;
  /** What was asked for before goes first. */
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(batches: AsyncIterableIterator<E[]>) {
    this.#batches = batches;
  }

  next(): Promise<IteratorResult<E>> {
    if (this.#at < this.#batch.length && this.#waiting === 0) {
      return Promise.resolve({ done: false, value: this.#batch[this.#at++]! });
    }
    this.#waiting++;
    const turn = this.#last.then(() => this.#next());
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #next(): Promise<IteratorResult<E>> {
    try {
      while (this.#at === this.#batch.length) {
        const { done, value } = await this.#batches.next();
        if (done) {
          return { done: true, value: undefined };
        }
        this.#batch = value;
        this.#at = 0;
      }
      return { done: false, value: this.#batch[this.#at++]! };
    } finally {
      this.#waiting--;
    }
  }

  async return(): Promise<IteratorResult<E>> {
    this.#batch = [];
    this.#at = 0;
    await this.#batches.return?.();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<E>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/**
 * Options of {@linkcode GlobOptions} that are a walk's. They are looked up at the call: what has
 * them imports the queue, whose methods are made of what is here.
 */
const ofWalk = () => [...SEARCH_OPTIONS, ...GLOB_WALK_OPTIONS] as const;

const globOptions = (): readonly string[] => [
  ...ofWalk(),
  "cwd",
  "ignore",
  "dot",
  "caseInsensitive",
  "onlyFiles",
  "onlyDirectories",
  "absolute",
];

/** Options of {@linkcode ExpandGlobOptions} that are a walk's. */
const ofExpansion = () => [...SEARCH_OPTIONS, ...EXPANSION_WALK_OPTIONS] as const;

const expandOptions = (): readonly string[] => [
  ...ofExpansion(),
  "root",
  "exclude",
  "extended",
  "globstar",
  "caseInsensitive",
];

/** A list of patterns. */
function listOf(patterns: unknown, name: string): string[] {
  const list = typeof patterns === "string" ? [patterns] : patterns;
  if (!Array.isArray(list) || !list.every((it) => typeof it === "string")) {
    throw new TypeError(`Expected ${name} to be a string or an array of strings`);
  }
  if (list.some((it) => it.includes("\0"))) {
    throw new TypeError(`Expected no NUL in ${name}`);
  }
  return [...list];
}

/** Those options that are named. */
function pick<O extends object, const K extends keyof O>(
  options: O,
  names: readonly K[],
): Pick<O, K> {
  const picked: Partial<Pick<O, K>> = {};
  for (const name of names) {
    if (Object.hasOwn(options, name)) {
      picked[name] = options[name];
    }
  }
  return picked as Pick<O, K>;
}

/** An absolute directory, as of now. */
function absoluteFrom(path: string | Uint8Array): string | Uint8Array {
  const here = currentDirectory();
  const absolute = isAbsolute(path) || here === undefined ? path : joinPath(here, path);
  return typeof absolute === "string" ? normalizePath(absolute) : absolute;
}

function inBatches(
  patterns: string | readonly string[],
  options: GlobOptions = {},
): AsyncIterableIterator<GlobEntry[]> {
  const list = listOf(patterns, "patterns");
  checkOptionNames(options, globOptions(), "glob()");
  const given = ownOptions(options);
  const onlyDirectories = checkBoolean(given.onlyDirectories, "onlyDirectories", false);
  const onlyFiles = checkBoolean(given.onlyFiles, "onlyFiles", true);
  const cwd = given.cwd === undefined ? undefined : toPath(given.cwd, "readdir");
  const request: GlobRequest = {
    patterns: list,
    ignore: listOf(given.ignore ?? [], "ignore"),
    syntax: {
      dot: checkBoolean(given.dot, "dot", false),
      caseInsensitive: checkBoolean(given.caseInsensitive, "caseInsensitive", false),
      extended: true,
      globstar: true,
      negation: true,
    },
    absolute: checkBoolean(given.absolute, "absolute", false),
    cwd,
    from: absoluteFrom(cwd ?? "."),
    plan: planWalk({
      ...pick(given, ofWalk()),
      canonicalize: false,
      includeDirs: onlyDirectories || !onlyFiles,
      includeFiles: !onlyDirectories,
      includeSymlinks: !onlyDirectories,
    }),
  };
  return GLOB_WALK.loaded?.globBatches(request) ??
    new LateBatches(async () => (await GLOB_WALK.load()).globBatches(request));
}

/**
 * Finds what patterns match, one entry at a time; `glob.batches()` gives arrays of entries. See
 * {@linkcode Glob} and {@linkcode GlobOptions}.
 *
 * @category Many files and trees
 */
export const glob: Glob = Object.assign(
  (patterns: string | readonly string[], options: GlobOptions = {}) =>
    new OneByOne(inBatches(patterns, options)),
  { batches: inBatches },
);

/** Globs by a queue or a task, and by no other. */
export function globOf(ioq: PromiseForms): Glob {
  return Object.assign(
    (patterns: string | readonly string[], options?: GlobOptions) =>
      glob(patterns, withOptions(options, { ioq })),
    {
      batches: (patterns: string | readonly string[], options?: GlobOptions) =>
        inBatches(patterns, withOptions(options, { ioq })),
    },
  );
}

/**
 * Finds what a pattern matches, by the options and with the entries of `expandGlob()` of
 * `@std/fs`: wildcards match names that begin with a dot, directories are found, and paths are
 * absolute. {@linkcode glob} has more options.
 *
 * @param pattern The pattern, which may be a `file:` URL.
 * @param options How to match.
 * @returns The entries. They come sorted by name, a directory before what is in it.
 * @throws {TypeError} If an option is unknown or has the wrong type.
 * @throws {RangeError} If the pattern is too complex.
 *
 * @category Many files and trees
 *
 * @example
 * ```ts
 * import { expandGlob, Ioq } from "@ioq/ioq";
 *
 * await using ioq = await Ioq.open();
 * for await (const { name } of expandGlob("src/*.ts", { exclude: ["src/ioq.ts"], ioq })) {
 *   console.log(name);
 * }
 * ```
 */
export function expandGlob(
  pattern: string | URL,
  options: ExpandGlobOptions = {},
): AsyncIterableIterator<WalkEntry> {
  checkOptionNames(options, expandOptions(), "expandGlob()");
  const given = ownOptions(options);
  const request: GlobRequest = {
    patterns: listOf(pattern instanceof URL ? toPath(pattern, "readdir") : pattern, "pattern"),
    ignore: listOf(given.exclude ?? [], "exclude"),
    syntax: {
      dot: true,
      caseInsensitive: checkBoolean(given.caseInsensitive, "caseInsensitive", false),
      extended: checkBoolean(given.extended, "extended", true),
      globstar: checkBoolean(given.globstar, "globstar", true),
      negation: false,
    },
    absolute: true,
    cwd: undefined,
    from: absoluteFrom(given.root ?? "."),
    plan: planWalk({ ...pick(given, ofExpansion()), sort: true }),
  };
  return new OneByOne(
    new LateBatches(async () => (await GLOB_WALK.load()).expandGlobBatches(request)),
  );
}
