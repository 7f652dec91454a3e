// Copyright 2026 the ioq authors. MIT license.

/**
 * The directories of a walk, and how they are reached.
 *
 * A directory is opened by its path while that is short. The kernel takes paths of
 * at most 4095 bytes, though, and trees may be deeper: below a directory whose path
 * is long, paths begin anew, relative to a descriptor of it, an anchor.
 *
 *     /tmp/a/a/…/a          opened by its path, 1000 characters and more: an anchor
 *                  a/a/…/a  opened relative to that; the next anchor
 *                         …
 *
 * An anchor is opened when the first directory below it is read, relative to the
 * one above it, and closed after the last: a descriptor for every thousand
 * characters of the paths that are being read, not for every directory.
 *
 * @module
 */

import { type Runner, runOn } from "../../queue/runner.ts";
import { O_NOFOLLOW } from "../../linux/fcntl.ts";
import { op } from "../../operations/op.ts";
import { CoreRequest, toCoreRequest } from "../../operations/request.ts";
import { joinPath } from "../../path.ts";
import type { GlobState } from "../patterns/glob_patterns.ts";
import type { IgnoreRules } from "../patterns/ignore_rules.ts";
import { prefixOf } from "./entry.ts";

/** Characters of a path, beyond which it becomes an anchor. With a name 3765 bytes at most. */
const PATH_LONG = 1000;

const SLASH = 0x2f;

/** A descriptor that paths begin at. */
export class Anchor {
  readonly #above: Anchor | undefined;
  readonly #path: string | Uint8Array;
  readonly #follow: boolean;
  #fd: Promise<number> | undefined;
  /** Directories that have yet to be read by it, and anchors that have yet to be opened. */
  #holders = 0;

  constructor(above: Anchor | undefined, path: string | Uint8Array, follow: boolean) {
    this.#above = above;
    this.#path = path;
    this.#follow = follow;
    above?.hold();
  }

  /** Have it stay open for another one. */
  hold(): void {
    this.#holders++;
  }

  /** Its descriptor. */
  open(ioq: Runner): Promise<number> {
    return this.#fd ??= this.#open(ioq);
  }

  async #open(ioq: Runner): Promise<number> {
    const above = await this.#above?.open(ioq);
    // Whether what is below may be read has been asked for by its whole path
    const fd = await runOn(
      ioq,
      new CoreRequest("openDir", {
        ...(above === undefined ? {} : { fd: above }),
        path: this.#path,
        flags: this.#follow ? 0 : O_NOFOLLOW,
        trusted: true,
      }),
    );
    await this.#above?.release(ioq);
    return fd;
  }

  /** One of the holders needs it no more. */
  async release(ioq: Runner): Promise<void> {
    if (--this.#holders > 0) {
      return;
    }
    if (this.#fd === undefined) {
      await this.#above?.release(ioq);
      return;
    }
    const fd = await this.#fd.catch(() => undefined);
    if (fd === undefined) {
      await this.#above?.release(ioq);
    } else {
      const close = toCoreRequest(op.close(fd));
      close.trusted = true;
      await runOn(ioq, close).catch(() => {});
    }
  }
}

/** A directory that is to be read. */
export class DirectoryNode {
  /** The path that its entries' paths begin with. */
  readonly path: string;
  /** Its bytes, if they are not UTF-8. */
  readonly rawPath: Uint8Array | undefined;
  /** What to open, from the anchor if there is one. */
  readonly at: string | Uint8Array;
  readonly anchor: Anchor | undefined;
  /** Levels below the root. */
  readonly depth: number;
  /** The directory it was found in. */
  readonly parent: DirectoryNode | undefined;
  /** Whether to open what a symbolic link leads to. */
  readonly follow: boolean;
  /** To be read by a request of its own: one of several has failed. */
  alone = false;
  /** Whether its reading has begun. */
  begun = false;
  /** How far globs have come here, if there are any. */
  glob: GlobState | undefined;
  /** What is ignored here, if anything may be. */
  ignores: IgnoreRules | undefined;
  /** Whether it may be missing, or be no directory: a glob has named it. */
  optional = false;
  /** Its neighbours in the list of those that are to be read: see `pending_directories.ts`. */
  before: DirectoryNode | undefined;
  after: DirectoryNode | undefined;
  /** Words that identify it, if those were asked for. */
  identity: Int32Array | undefined;
  readonly #prefix: string | undefined;
  #anchorBelow: Anchor | undefined;

  /** @param prefix What the paths of its entries begin with, if not as its own has it. */
  constructor(
    parent: DirectoryNode | undefined,
    path: string,
    rawPath: Uint8Array | undefined,
    at: string | Uint8Array,
    anchor: Anchor | undefined,
    follow: boolean,
    prefix?: string,
  ) {
    this.#prefix = prefix;
    this.path = path;
    this.rawPath = rawPath;
    this.at = at;
    this.anchor = anchor;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.parent = parent;
    this.follow = follow;
    anchor?.hold();
  }

  /** What those have in common that lanes go on below by the same rules. */
  get laneKey(): unknown {
    return this.glob?.goesOn === false ? this.glob : this.ignores?.shared;
  }

  /** The names that are looked for instead of reading it, if globs say which. */
  get names(): ReadonlySet<string> | undefined {
    return this.glob?.names;
  }

  /** What the paths of its entries begin with. */
  get prefix(): string {
    return this.#prefix ?? prefixOf(this.path);
  }

  /** The path that permissions are asked for, from the root that the walk uses on. */
  get fullPath(): string | Uint8Array {
    if (this.parent === undefined || this.anchor === undefined) {
      return this.at;
    }
    const slash = this.at.lastIndexOf((typeof this.at === "string" ? "/" : SLASH) as never);
    return joinPath(this.parent.fullPath, this.at.slice(slash + 1));
  }

  /** The anchor for what is below. */
  get anchorBelow(): Anchor | undefined {
    if (this.at.length <= PATH_LONG) {
      return this.anchor;
    }
    return this.#anchorBelow ??= new Anchor(this.anchor, this.at, this.follow);
  }

  /** How to open something in it, from {@linkcode anchorBelow}. */
  atOf(name: string | Uint8Array): string | Uint8Array {
    return this.at.length <= PATH_LONG ? joinPath(this.at, name) : name;
  }

  /** Whether it is the same as one that it is in. */
  get isCycle(): boolean {
    const mine = this.identity;
    for (let above = this.parent; above !== undefined; above = above.parent) {
      const other = above.identity;
      if (mine !== undefined && other !== undefined && mine.every((it, i) => it === other[i])) {
        return true;
      }
    }
    return false;
  }
}
