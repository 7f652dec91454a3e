// Copyright 2026 the ioq authors. MIT license.

/**
 * What globs are given, and what they find: types alone, which take no program any time to load.
 *
 * @module
 */

import type { FileInfo } from "../linux/stat.ts";
import type { Path } from "../path.ts";
import type { WalkEntry, WalkErrorPolicy, WalkOptions } from "./walk/walk_types.ts";

/**
 * An entry that a glob finds.
 *
 * @category Many files and trees
 */
export interface GlobEntry extends WalkEntry {
  /**
   * What can be opened: below the option `cwd`, if that was given, and relative if it is; or the
   * absolute path, if the option `absolute` asks for it.
   */
  path: string;
  /** The path from the directory on in which patterns begin: what was matched. */
  relative: string;
  /** Its attributes, if `stat` is `true`. */
  info?: FileInfo;
}

/**
 * Options of {@linkcode glob}: how to match, and those of {@linkcode WalkOptions} that say
 * how to go through a tree.
 *
 * @category Many files and trees
 */
export interface GlobOptions extends
  Pick<
    WalkOptions,
    | "maxDepth"
    | "followSymlinks"
    | "gitignore"
    | "ignoreFiles"
    | "concurrency"
    | "signal"
    | "timeoutMs"
    | "onError"
    | "stat"
    | "sameDevice"
    | "sort"
    | "ioq"
  > {
  /**
   * Where relative patterns begin.
   *
   * @default {"."}
   */
  cwd?: Path | undefined;
  /**
   * Patterns of what not to find. A directory that one matches is not read. Patterns that begin
   * with `!` mean the same, wherever they stand. Their wildcards match names that begin with a dot.
   *
   * @default {[]}
   */
  ignore?: string | readonly string[] | undefined;
  /**
   * Whether wildcards match names that begin with a dot.
   *
   * @default {false}
   */
  dot?: boolean | undefined;
  /**
   * Whether upper and lower case are the same.
   *
   * @default {false}
   */
  caseInsensitive?: boolean | undefined;
  /**
   * Whether directories are left out.
   *
   * @default {true}
   */
  onlyFiles?: boolean | undefined;
  /**
   * Whether everything but directories is left out. It overrides `onlyFiles`.
   *
   * @default {false}
   */
  onlyDirectories?: boolean | undefined;
  /**
   * Whether the entries' paths are absolute.
   *
   * @default {false}
   */
  absolute?: boolean | undefined;
}

/**
 * The type of {@linkcode glob}: a function for entries one by one, and one for batches.
 *
 * @category Many files and trees
 */
export interface Glob {
  /**
   * Finds what patterns match.
   *
   * `*`, `?` and `[a-z]` match within a name, `**` as a whole name any number of directories;
   * `{a,b}` and `{1..9}` stand for one of several; `@(a|b)`, `?(a)`, `*(a)`, `+(a)` and `!(a)` for
   * a part once, at most once, and so on; `\` takes a special character to the letter. A slash at
   * the end asks for directories. `?` is a character, not a UTF-16 unit. Any pattern is decided in
   * time that is linear in the length of a name.
   *
   * All patterns are looked for in one walk. It reads the directories in which one of them may
   * match, and no others: of `src/*.ts` it reads `src` alone. Where a pattern asks for a name to
   * the letter, it looks for that name instead of reading the directory, and goes through a
   * symbolic link of that name. Each entry is found once.
   *
   * @param patterns One, or several. Those that begin with `!` are like the option `ignore`.
   * @param options How to match, and how to walk.
   * @returns The entries, one by one, in no particular order unless `sort` asks for one. Errors are
   *          those of {@linkcode walk}; but what a pattern names need not exist.
   * @throws {TypeError} If an option is unknown or has the wrong type.
   * @throws {RangeError} If a pattern is too complex: braces that stand for more than a
   *                      thousand patterns, or `!(…)` of what is not decided by a few hundred
   *                      states.
   *
   * @example
   * ```ts
   * import { glob, Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open(); // without it, glob() takes the shared queue
   * for await (const { path } of glob(["src/**\/*.ts", "!src/loop/**"], { gitignore: true, ioq })) {
   *   console.log(path);
   * }
   * ```
   */
  (patterns: string | readonly string[], options?: GlobOptions): AsyncIterableIterator<GlobEntry>;

  /**
   * Finds the same in arrays of at least one entry, as they come. That costs less than one
   * entry at a time.
   *
   * @param patterns One, or several.
   * @param options How to match, and how to walk.
   *
   * @example
   * ```ts
   * import { glob, Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * let count = 0;
   * for await (const entries of glob.batches("src/**\/*.ts", { ioq })) count += entries.length;
   * console.log(count > 100);
   * ```
   */
  batches(
    patterns: string | readonly string[],
    options?: GlobOptions,
  ): AsyncIterableIterator<GlobEntry[]>;
}

/**
 * Options of {@linkcode expandGlob}: those of `@std/fs`, and some of {@linkcode WalkOptions}.
 *
 * @category Many files and trees
 */
export interface ExpandGlobOptions extends
  Pick<
    WalkOptions,
    | "includeDirs"
    | "followSymlinks"
    | "canonicalize"
    | "gitignore"
    | "ignoreFiles"
    | "concurrency"
    | "signal"
    | "timeoutMs"
    | "ioq"
  > {
  /**
   * Where a relative pattern begins.
   *
   * @default The current directory
   */
  root?: string | undefined;
  /**
   * Patterns of what not to find.
   *
   * @default {[]}
   */
  exclude?: readonly string[] | undefined;
  /**
   * Whether there are `?(a)`, `*(a)` and so on.
   *
   * @default {true}
   */
  extended?: boolean | undefined;
  /**
   * Whether `**` stands for any number of directories.
   *
   * @default {true}
   */
  globstar?: boolean | undefined;
  /**
   * Whether upper and lower case are the same.
   *
   * @default {false}
   */
  caseInsensitive?: boolean | undefined;
  /**
   * What to do about a directory that cannot be read.
   *
   * @default {"throw"}
   */
  onError?: WalkErrorPolicy | undefined;
}
