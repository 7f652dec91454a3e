// Copyright 2026 the ioq authors. MIT license.

/**
 * Globs as walks: one for all patterns that begin in the same directory, which are all of
 * them unless some are absolute or begin with `..`.
 *
 * @module
 */

import { normalize } from "../posix_path.ts";
import { joinPath, type Path, pathText, toPath } from "../path.ts";
import { normalizePath } from "../permissions.ts";
import type { GlobEntry } from "./glob_types.ts";
import { type GlobBase, parsePatterns } from "./patterns/glob_patterns.ts";
import type { GlobSyntax } from "./patterns/glob_syntax.ts";
import { prefixOf } from "./walk/entry.ts";
import { WalkScheduler } from "./walk/scheduler.ts";
import type { GlobPlan, WalkPlan } from "./walk/walk_options.ts";
import type { WalkEntry } from "./walk/walk_types.ts";

/** One of several walks, one after the other. */
interface Part {
  readonly root: string | Uint8Array;
  readonly plan: WalkPlan;
}

/** The batches of walks, one after the other. */
class Batches<E extends WalkEntry> implements AsyncIterableIterator<E[]> {
  readonly #parts: Part[];
  readonly #finish: (entries: WalkEntry[], part: Part) => E[];
  #walk: { readonly scheduler: WalkScheduler; readonly part: Part } | undefined;
  #ended = false;

  /** @param finish Makes entries into what is handed out. */
  constructor(parts: Part[], finish: (entries: WalkEntry[], part: Part) => E[]) {
    this.#parts = parts;
    this.#finish = finish;
  }

  async next(): Promise<IteratorResult<E[]>> {
    while (!this.#ended) {
      if (this.#walk === undefined) {
        const part = this.#parts.shift();
        if (part === undefined) {
          break;
        }
        this.#walk = { part, scheduler: new WalkScheduler(part.root, part.plan) };
      }
      const { scheduler, part } = this.#walk;
      let more;
      try {
        more = await scheduler.wait();
      } catch (error) {
        this.#ended = true;
        throw error;
      }
      if (!more) {
        if (this.#walk?.scheduler === scheduler) {
          this.#walk = undefined;
        }
        continue;
      }
      const batch = scheduler.take();
      if (batch !== undefined) {
        return { done: false, value: this.#finish(batch, part) };
      }
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<E[]>> {
    this.#ended = true;
    await this.#walk?.scheduler.stop();
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

/** The names of a directory, from `/` on. */
function namesOf(path: string | Uint8Array): string[] {
  return normalizePath(pathText(path)).split("/").filter((it) => it !== "" && it !== ".");
}

/** A walk for patterns that begin in one directory. */
function partOf(
  { path, patterns }: GlobBase,
  from: string | Uint8Array,
  prefix: string,
  findsRoot: boolean,
  plan: WalkPlan,
): Part {
  const root = path === "" ? from : path === "/" ? "/" : joinPath(from, path);
  return { root, plan: { ...plan, glob: { patterns, prefix, findsRoot } } };
}

/** What is asked for by {@linkcode glob}, checked. */
export interface GlobRequest {
  readonly patterns: readonly string[];
  readonly ignore: readonly string[];
  readonly syntax: GlobSyntax;
  readonly absolute: boolean;
  /** The directory that patterns begin in, as it was given. */
  readonly cwd: string | Uint8Array | undefined;
  /** The same, as an absolute path. */
  readonly from: string | Uint8Array;
  readonly plan: WalkPlan;
}

/** Find what patterns match: see {@linkcode glob}. */
export function globBatches(request: GlobRequest): AsyncIterableIterator<GlobEntry[]> {
  const { cwd, from, absolute } = request;
  const bases = parsePatterns(request.patterns, request.ignore, request.syntax, namesOf(from));
  const shown = cwd === undefined ? "" : prefixOf(normalize(pathText(cwd)));
  const prefixes = new Map<Part, { readonly shown: string; readonly relative: string }>();
  const parts = bases.map((base) => {
    const relative = base.path === "" ? "" : prefixOf(base.path);
    const path = absolute
      ? prefixOf(normalizePath(pathText(joinPath(from, base.path))))
      : shown + relative;
    const prefix = base.path === "/" ? "/" : path;
    const part = partOf(base, from, prefix, false, request.plan);
    prefixes.set(part, { shown: prefix, relative });
    return part;
  });
  return new Batches(parts, (entries, part) => {
    const { shown, relative } = prefixes.get(part)!;
    const { length } = shown;
    return entries.map((entry) => {
      const { path } = entry;
      const matched = shown === relative ? path : relative + path.slice(length);
      // Globs have no exact attributes
      return Object.assign(entry, { relative: matched }) as GlobEntry;
    });
  });
}

/** Find what a pattern matches: see {@linkcode expandGlob}. */
export function expandGlobBatches(request: GlobRequest): AsyncIterableIterator<WalkEntry[]> {
  const { from } = request;
  const bases = parsePatterns(request.patterns, request.ignore, request.syntax, namesOf(from));
  const parts = bases.map((base) => {
    const path = base.path === "/" ? "/" : normalizePath(pathText(joinPath(from, base.path)));
    return partOf(base, from, prefixOf(path), base.patterns.wantsRoot, request.plan);
  });
  return new Batches(parts, (entries) => entries);
}

/**
 * What globs find below a root, as a command has it: paths begin with the root to the letter, and
 * wildcards match names that begin with a dot.
 *
 * @throws {RangeError} If a pattern is too complex.
 * @throws {TypeError} If one leads out of the root.
 */
export function globsBelow(root: Path, globs: readonly string[]): GlobPlan {
  const text = pathText(toPath(root, "readdir"));
  const syntax = {
    dot: true,
    caseInsensitive: false,
    extended: true,
    globstar: true,
    negation: true,
  };
  const wanted = globs.every((it) => it.startsWith("!")) ? ["**", ...globs] : globs;
  const bases = parsePatterns(wanted, [], syntax, namesOf(text));
  const [only] = bases;
  if (only === undefined || bases.length > 1 || only.path !== "") {
    throw new TypeError("Expected patterns that begin below the root");
  }
  const { patterns } = only;
  const prefix = text.endsWith("/") ? text : `${text}/`;
  return { patterns, prefix, findsRoot: patterns.wantsRoot };
}
