// Copyright 2026 the ioq authors. MIT license.

/**
 * What a walk is given, and what it finds: types alone, which take no program any time to load.
 *
 * @module
 */

import type { PromiseForms } from "../../forms.ts";
import type { BigIntFileInfo, FileInfo } from "../../linux/stat.ts";
import type { ErrorPolicy } from "../error_policy.ts";

/**
 * An entry that a walk finds: the members of an entry of `@std/fs`, and a few more.
 *
 * @category Many files and trees
 */
export interface WalkEntry {
  /** The path: the root as it was given, normalized, followed by the names below it. */
  path: string;
  /** The last part of the path. */
  name: string;
  /** Whether it is a regular file. */
  isFile: boolean;
  /** Whether it is a directory. */
  isDirectory: boolean;
  /** Whether it is a symbolic link. */
  isSymlink: boolean;
  /**
   * Its attributes, if `stat` is `true`; exact ones, if `bigint` is, too. They are those of a
   * symbolic link itself, unless links are followed.
   */
  info?: FileInfo | BigIntFileInfo;
  /** The name's bytes, only if they are not UTF-8. */
  rawName?: Uint8Array;
  /** The path's bytes, only if they are not UTF-8. Paths are accepted as bytes too. */
  rawPath?: Uint8Array;
}

/**
 * An entry that a walk finds with `stat: true`.
 *
 * @category Many files and trees
 */
export interface WalkEntryWithInfo extends WalkEntry {
  /** Its attributes: those of a symbolic link itself, unless links are followed. */
  info: FileInfo;
}

/**
 * An entry that a walk finds with `stat: true` and `bigint: true`.
 *
 * @category Many files and trees
 */
export interface WalkEntryWithBigIntInfo extends WalkEntry {
  /** Its attributes in exact form: those of a symbolic link itself, unless links are followed. */
  info: BigIntFileInfo;
}

/**
 * What to do about an entry that cannot be read: end the walk with the error, skip the entry,
 * or skip it and call a function. If the function throws, the walk ends with what it throws.
 *
 * @category Many files and trees
 */
export type WalkErrorPolicy = ErrorPolicy<WalkEntry>;

/**
 * Options of {@linkcode walk}.
 *
 * @category Many files and trees
 */
export interface WalkOptions {
  /**
   * How many levels below the root to go. 0 finds the root alone, a negative number nothing.
   *
   * @default {Infinity}
   */
  maxDepth?: number | undefined;
  /**
   * Whether entries that are neither directories nor symbolic links are found.
   *
   * @default {true}
   */
  includeFiles?: boolean | undefined;
  /**
   * Whether directories are found. Their entries are found in any case.
   *
   * @default {true}
   */
  includeDirs?: boolean | undefined;
  /**
   * Whether symbolic links are found. It has no effect if links are followed.
   *
   * @default {true}
   */
  includeSymlinks?: boolean | undefined;
  /**
   * Whether symbolic links are followed and count as their targets. A cycle ends: a directory that
   * is found within itself is not entered again.
   *
   * @default {false}
   */
  followSymlinks?: boolean | undefined;
  /**
   * Whether the path of a link that is followed is the path of its target.
   *
   * @default {true}
   */
  canonicalize?: boolean | undefined;
  /** Find only paths that end in one of these extensions, with or without the dot. */
  exts?: readonly string[] | undefined;
  /** Find only paths that match one of these. */
  match?: readonly RegExp[] | undefined;
  /** Skip paths that match one of these, with everything below them. */
  skip?: readonly RegExp[] | undefined;
  /**
   * Whether what git ignores is neither found nor, if it is a directory, read: by each
   * `.gitignore`, in the root, below it, and above it as far as its repository reaches; by the
   * repository's `.git/info/exclude`; and by the user's own file (`core.excludesFile`). A
   * repository within another has rules of its own. Directories named `.git` are passed over.
   * Whether git tracks a file makes no difference.
   *
   * Rules above the root and the user's own count as far as they may be read without asking.
   *
   * @default {false}
   */
  gitignore?: boolean | undefined;
  /**
   * Names of other files with the syntax of `.gitignore` that are heeded in each directory, such
   * as `".ignore"`. They are stronger than `.gitignore`, and later ones than earlier ones.
   *
   * @default {[]}
   */
  ignoreFiles?: readonly string[] | undefined;
  /**
   * How many requests are in flight at the same time: 1 to 4096. More than a few help only where
   * directories are not cached: as many are then read at once as there are worker threads.
   *
   * @default {32, and up to 128 while directories take long}
   */
  concurrency?: number | undefined;
  /** Ends the walk, with the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds that the whole walk may take from its first `next()` on, possibly with a
   * fraction. After that it ends with `Deno.errors.TimedOut`.
   *
   * @default {Infinity}
   */
  timeoutMs?: number | undefined;
  /**
   * What to do about a directory that cannot be read, an entry that has vanished, or a link
   * that leads nowhere.
   *
   * @default {"throw"}
   */
  onError?: WalkErrorPolicy | undefined;
  /**
   * Whether entries come with their attributes.
   *
   * @default {false}
   */
  stat?: boolean | undefined;
  /**
   * Whether those are exact: sizes and the like as `bigint`, times as nanoseconds. It takes
   * `stat`, and the native library: `Deno.errors.NotSupported` otherwise.
   *
   * @default {false}
   */
  bigint?: boolean | undefined;
  /**
   * Whether to stay on the root's device: a directory of another is found, what is
   * in it is not.
   *
   * @default {false}
   */
  sameDevice?: boolean | undefined;
  /**
   * Whether entries come in order: a directory, then all that is below it, and so
   * on; names as JavaScript compares strings, or, with `"directory"`, as the
   * directories have them, which is the order of `@std/fs`. Otherwise the order is
   * what the devices make it, but a directory always comes before what is in it.
   *
   * @default {false}
   */
  sort?: boolean | "directory" | undefined;
  /**
   * The queue to use, or a task's handle (`Io`): what is done belongs to that task then, and
   * is cancelled with it.
   *
   * @default One that all share who name none
   */
  ioq?: PromiseForms | undefined;
}
