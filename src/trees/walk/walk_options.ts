// Copyright 2026 the ioq authors. MIT license.

/**
 * The options of a walk, and what they mean for a path.
 *
 * @module
 */

import { checkGivenQueue } from "../../default_queue.ts";
import { checkInteger, checkTimeout } from "../../integer.ts";
import type { PromiseForms } from "../../forms.ts";
import {
  type BigIntFileInfo,
  decodeBigIntFileInfo,
  decodeFileInfo,
  type FileInfo,
} from "../../linux/stat.ts";
import { ownOptions } from "../../own_option.ts";
import { checkSignal } from "../../signal.ts";
import { checkOnError } from "../error_policy.ts";
import { checkOptionNames } from "../../known_options.ts";
import type { GlobPatterns } from "../patterns/glob_patterns.ts";
import type { WalkErrorPolicy, WalkOptions } from "./walk_types.ts";

/** Whether a path is wanted. */
export type PathFilter = (path: string) => boolean;

/** Reads a stat record, see {@linkcode decodeFileInfo}. */
export type StatDecoder = (words: Int32Array, at: number) => FileInfo | BigIntFileInfo;

/** What only the library itself asks for. */
export interface InnerOptions {
  /** Have paths begin with the root as it was given, to the letter. */
  readonly verbatim?: boolean;
  /** Reads attributes, if those of {@linkcode FileInfo} are not enough. */
  readonly decode?: StatDecoder;
}

/** What of a tree globs find. */
export interface GlobPlan {
  readonly patterns: GlobPatterns;
  /** What the paths of what is in the root begin with. */
  readonly prefix: string;
  /** Whether the root itself may be found. */
  readonly findsRoot: boolean;
}

/** Which files tell what is ignored. */
export interface IgnorePlan {
  /** `.gitignore`, and what else git looks into. */
  readonly gitignore: boolean;
  /** The names of others, each stronger than those before. */
  readonly files: readonly string[];
}

/** Options, checked and complete. */
export interface WalkPlan {
  readonly verbatim: boolean;
  readonly decode: StatDecoder;
  readonly maxDepth: number;
  readonly includeFiles: boolean;
  readonly includeDirs: boolean;
  readonly includeSymlinks: boolean;
  readonly followSymlinks: boolean;
  readonly canonicalize: boolean;
  readonly stat: boolean;
  readonly bigint: boolean;
  readonly sameDevice: boolean;
  readonly sort: boolean | "directory";
  /** What the caller asks for, if anything. */
  readonly concurrency: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
  readonly onError: WalkErrorPolicy;
  readonly ioq: PromiseForms | undefined;
  readonly glob: GlobPlan | undefined;
  readonly ignores: IgnorePlan | undefined;
  /** Whether a path is found; `undefined` if all are. It implies {@linkcode skips}. */
  readonly finds: PathFilter | undefined;
  /** Whether a path is found that is not passed over. */
  readonly matches: PathFilter | undefined;
  /** Whether a path is passed over with all below it; `undefined` if none is. */
  readonly skips: PathFilter | undefined;
  /** The expressions that say so. */
  readonly skip: readonly RegExp[];
  /** What else {@linkcode finds} comes from. */
  readonly suffixes: readonly string[] | undefined;
  readonly match: readonly RegExp[] | undefined;
}

/** The options of everything that goes through a tree to find something. */
export const SEARCH_OPTIONS = [
  "followSymlinks",
  "gitignore",
  "ignoreFiles",
  "concurrency",
  "signal",
  "timeoutMs",
  "onError",
  "ioq",
] as const;

/** Those that globs have besides. */
export const GLOB_WALK_OPTIONS = ["maxDepth", "stat", "sameDevice", "sort"] as const;

/** Those that `expandGlob()` has besides. */
export const EXPANSION_WALK_OPTIONS = ["includeDirs", "canonicalize"] as const;

const WALK_OPTIONS: readonly string[] = [
  ...SEARCH_OPTIONS,
  ...GLOB_WALK_OPTIONS,
  ...EXPANSION_WALK_OPTIONS,
  "includeFiles",
  "includeSymlinks",
  "bigint",
  "exts",
  "match",
  "skip",
];

const CONCURRENCY_MAX = 4096;

/** Check a switch. */
export function checkBoolean(value: unknown, name: string, otherwise: boolean): boolean {
  if (value !== undefined && typeof value !== "boolean") {
    throw new TypeError(`Expected ${name} to be a boolean, got ${typeof value}`);
  }
  return value ?? otherwise;
}

function checkSort(value: unknown): boolean | "directory" {
  if (value !== undefined && value !== "directory" && typeof value !== "boolean") {
    throw new TypeError(`Expected sort to be a boolean or "directory", got ${value}`);
  }
  return value ?? false;
}

/** Check a list of what `is` accepts. */
export function checkList<T>(
  value: readonly T[] | undefined,
  name: string,
  what: string,
  is: (item: unknown) => boolean,
): readonly T[] | undefined {
  if (value !== undefined && !(Array.isArray(value) && value.every(is))) {
    throw new TypeError(`Expected ${name} to be an array of ${what}`);
  }
  return value;
}

/**
 * Whether any expression is found in a path. Unlike `test()`, `search()` does not
 * begin where the last one ended if an expression is global or sticky.
 */
function anyMatch(expressions: readonly RegExp[] | undefined): PathFilter | undefined {
  if (expressions === undefined) {
    return undefined;
  }
  const stateless = expressions.every((it) => !it.global && !it.sticky);
  const [only] = expressions;
  if (stateless && expressions.length === 1) {
    return (path) => only!.test(path);
  }
  return stateless
    ? (path) => expressions.some((it) => it.test(path))
    : (path) => expressions.some((it) => path.search(it) >= 0);
}

/** What `exts`, `match` and `skip` say together. */
function makeFilter(
  suffixes: readonly string[] | undefined,
  match: PathFilter | undefined,
  skip: PathFilter | undefined,
): PathFilter | undefined {
  if (suffixes === undefined && match === undefined && skip === undefined) {
    return undefined;
  }
  return (path) =>
    (suffixes === undefined || suffixes.some((suffix) => path.endsWith(suffix))) &&
    (match === undefined || match(path)) &&
    (skip === undefined || !skip(path));
}

/**
 * Check options and fill in what is not given.
 *
 * @throws {TypeError} If one is of a wrong type.
 * @throws {RangeError} If `concurrency` is out of its range.
 */
export function planWalk(given: WalkOptions, innerOptions: InnerOptions = {}): WalkPlan {
  checkOptionNames(given, WALK_OPTIONS, "walk()");
  const options = ownOptions(given);
  const inner = ownOptions(innerOptions);
  const { maxDepth = Infinity, concurrency } = options;
  if (typeof maxDepth !== "number" || Number.isNaN(maxDepth)) {
    throw new TypeError(`Expected maxDepth to be a number, got ${maxDepth}`);
  }
  const { exts, match, skip, signal, ioq } = options;
  checkSignal(signal);
  checkList(exts, "exts", "strings", (it) => typeof it === "string");
  checkList(match, "match", "regular expressions", (it) => it instanceof RegExp);
  const ignoreFiles = checkList(
    options.ignoreFiles,
    "ignoreFiles",
    "names",
    (it) => typeof it === "string" && it !== "" && !it.includes("/") && !it.includes("\0"),
  ) ?? [];
  const stat = checkBoolean(options.stat, "stat", false);
  const bigint = checkBoolean(options.bigint, "bigint", false);
  if (bigint && !stat) {
    throw new TypeError("Expected stat to be true, since bigint is");
  }
  const gitignore = checkBoolean(options.gitignore, "gitignore", false);
  const skips = anyMatch(
    checkList(skip, "skip", "regular expressions", (it) => it instanceof RegExp),
  );
  const suffixes = exts?.map((ext) => ext.startsWith(".") ? ext : `.${ext}`);
  return {
    verbatim: inner.verbatim ?? false,
    decode: inner.decode ?? (bigint ? decodeBigIntFileInfo : decodeFileInfo),
    maxDepth: Math.floor(maxDepth),
    includeFiles: checkBoolean(options.includeFiles, "includeFiles", true),
    includeDirs: checkBoolean(options.includeDirs, "includeDirs", true),
    includeSymlinks: checkBoolean(options.includeSymlinks, "includeSymlinks", true),
    followSymlinks: checkBoolean(options.followSymlinks, "followSymlinks", false),
    canonicalize: checkBoolean(options.canonicalize, "canonicalize", true),
    stat,
    bigint,
    sameDevice: checkBoolean(options.sameDevice, "sameDevice", false),
    sort: checkSort(options.sort),
    concurrency: concurrency === undefined
      ? undefined
      : checkInteger(concurrency, "concurrency", 1, CONCURRENCY_MAX),
    signal,
    timeoutMs: checkTimeout(options.timeoutMs),
    onError: checkOnError(options.onError),
    ioq: checkGivenQueue(ioq),
    glob: undefined,
    ignores: gitignore || ignoreFiles.length > 0
      ? { gitignore, files: [...ignoreFiles] }
      : undefined,
    skips,
    skip: skip ?? [],
    suffixes,
    match,
    matches: makeFilter(suffixes, anyMatch(match), undefined),
    finds: makeFilter(suffixes, anyMatch(match), skips),
  };
}
