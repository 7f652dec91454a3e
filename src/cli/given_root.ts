// Copyright 2026 the ioq authors. MIT license.

/**
 * Paths that begin with what was given on the command line, to the letter, where a
 * walk's begin with its normalized form.
 *
 * @module
 */

import { normalize } from "node:path/posix";
import type { WalkEntry } from "../trees/walk/walk_options.ts";
import { joinPath } from "../path.ts";

/** A root as it was given. */
export class GivenRoot {
  readonly root: string;
  /** As a walk has it. */
  readonly normalized: string;
  /** Characters of a walk's paths that stand for the root. */
  readonly #length: number;
  /** The same in bytes. */
  readonly #lengthBytes: number;
  /** What stands there instead; `undefined` if the paths are right as they are. */
  readonly #prefix: string | undefined;

  constructor(root: string) {
    this.root = root;
    const normalized = normalize(root);
    this.normalized = normalized;
    const walked = /^\.\/?$/.test(normalized)
      ? ""
      : normalized.endsWith("/")
      ? normalized
      : `${normalized}/`;
    this.#length = walked.length;
    this.#lengthBytes = new TextEncoder().encode(walked).length;
    const prefix = root.endsWith("/") ? root : `${root}/`;
    this.#prefix = prefix === walked ? undefined : prefix;
  }

  /** Whether an entry is the root itself. */
  isRoot(entry: WalkEntry): boolean {
    return entry.path === this.normalized;
  }

  /** The path of an entry. */
  pathOf(entry: WalkEntry): string {
    if (entry.path === this.normalized) {
      return this.root;
    }
    return this.#prefix === undefined ? entry.path : this.#prefix + entry.path.slice(this.#length);
  }

  /** What paths of a directory's entries begin with, by the path of its entry. */
  prefixOf(path: string): string {
    if (path === this.normalized) {
      return this.root.endsWith("/") ? this.root : `${this.root}/`;
    }
    const prefix = path.endsWith("/") ? path : `${path}/`;
    return this.#prefix === undefined ? prefix : this.#prefix + prefix.slice(this.#length);
  }

  /** The same, in bytes if it is not UTF-8. */
  bytesOf(entry: WalkEntry): string | Uint8Array {
    if (entry.rawPath === undefined) {
      return this.pathOf(entry);
    }
    // Arguments are text: as many bytes as that has in UTF-8
    return joinPath(this.root, entry.rawPath.subarray(this.#lengthBytes));
  }
}
