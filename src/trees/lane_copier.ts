// Copyright 2026 the ioq authors. MIT license.

/**
 * Copying what is in a directory, by whole directories on worker lanes.
 *
 * One request copies several directories and goes on below them (see
 * `native/calls/copy_tree.c`). What it tells of is what is left:
 *
 *     pending ──▶ request of several ──▶ complete
 *        ▲                           ├──▶ cannot be copied: reported
 *        │                           ├──▶ files with several names: copied from here
 *        │                           └──▶ directories and files for which there was no time
 *        └───────────────────────────────────┘
 *
 * A directory in which something was left gets its attributes when that is done, together
 * with those above it that wait for nothing else. The same paths are used on both sides, from
 * the two roots, and from other descriptors every thousand characters.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import { osError } from "../linux/errors.ts";
import { joinPath } from "../path.ts";
import type { Descent, Found, OpenDirectory } from "./descent.ts";
import { PendingGroups } from "./pending_groups.ts";
import { RECORD_WORDS, type TreeBlock } from "./walk/tree_block.ts";

/** Characters of a path, beyond which paths begin anew. With a name 3765 bytes at most. */
const PATH_LONG = 1000;
/** Levels that a lane goes on below by itself. */
const LEVELS = 256;
/** For how long it does, in microseconds. */
const BUDGET_US = 2000;

/** Descriptors of a directory and of its copy. */
interface Sides {
  readonly from: number;
  readonly to: number;
}

/** Descriptors that paths begin at. */
class Anchor {
  readonly #above: Anchor | undefined;
  readonly #at: string | Uint8Array;
  #sides: Promise<Sides> | undefined;
  #holders = 0;

  constructor(above: Anchor | undefined, at: string | Uint8Array, sides?: Sides) {
    this.#above = above;
    this.#at = at;
    this.#sides = sides === undefined ? undefined : Promise.resolve(sides);
    above?.hold();
  }

  /** Something has yet to be copied by them. */
  hold(): void {
    this.#holders++;
  }

  /** The descriptors. */
  open(descent: Descent): Promise<Sides> {
    return this.#sides ??= this.#above!.openBelow(descent, this.#at);
  }

  /** Descriptors of what is below these. */
  async openBelow(descent: Descent, at: string | Uint8Array): Promise<Sides> {
    const { from, to } = await this.open(descent);
    return { from: await descent.openBelow(from, at), to: await descent.openBelow(to, at) };
  }

  /** One that held them does so no more. The roots are closed by whoever opened them. */
  async release(descent: Descent): Promise<void> {
    if (--this.#holders === 0 && this.#above !== undefined) {
      const sides = await this.#sides?.catch(() => undefined);
      await descent.close(sides?.from ?? -1);
      await descent.close(sides?.to ?? -1);
      await this.#above.release(descent);
    }
  }
}

/** A directory to be copied, or a file for which there was no time. */
class Node {
  /** For messages. */
  readonly path: string;
  readonly toPath: string;
  /** Its path from the anchor. */
  readonly at: string | Uint8Array;
  readonly anchor: Anchor;
  readonly above: Node | undefined;
  /** What it is in that. */
  readonly found: Found | undefined;
  /** What in it is not complete, and one while it is looked at. */
  left = 1;
  /** Whether it gets its attributes when it is complete. */
  isOpen = false;
  /** To be asked for by itself: a request for several has failed. */
  alone = false;
  #anchorBelow: Anchor | undefined;

  constructor(
    above: Node | undefined,
    found: Found | undefined,
    path: string,
    toPath: string,
    at: string | Uint8Array,
    anchor: Anchor,
  ) {
    this.above = above;
    this.found = found;
    this.path = path;
    this.toPath = toPath;
    this.at = at;
    this.anchor = anchor;
    anchor.hold();
  }

  /** Where something in it is copied to, for messages. */
  targetOf(text: string): string {
    return joinPath(this.toPath, text) as string;
  }

  /** What was found in it. */
  below(found: Found, text: string): Node {
    const { name, path } = found;
    const toPath = this.targetOf(text);
    if (this.at.length > PATH_LONG) {
      this.#anchorBelow ??= new Anchor(this.anchor, this.at);
      return new Node(this, found, path, toPath, name, this.#anchorBelow);
    }
    const at = this.at === "." ? name : joinPath(this.at, name);
    return new Node(this, found, path, toPath, at, this.anchor);
  }
}

/** What copies single entries, and says how the others are copied. */
export interface EntryCopier {
  /** Of `COPY_*`. */
  readonly how: number;
  /** Copy something that is no directory. Whether it is copied. */
  copy(
    fromFd: number,
    toFd: number,
    found: Found,
    toName: string | Uint8Array,
    toPath: string,
  ): Promise<boolean>;
  /** Something cannot be copied: throw, or tell later. */
  refuse(path: string, toPath: string): void;
}

/** Where to copy, and how. */
export interface LaneCopyOptions {
  /** The root of the copy. */
  readonly to: OpenDirectory;
  /** Whether what is copied is told of. */
  readonly tells: boolean;
  /** Throws if it is not allowed any more. */
  readonly permit: () => void;
}

/** Copies what is in a directory. */
export class LaneCopier {
  readonly #descent: Descent;
  readonly #entries: EntryCopier;
  readonly #options: LaneCopyOptions;
  readonly #how: number;
  readonly #pending: PendingGroups<Node>;

  constructor(descent: Descent, entries: EntryCopier, options: LaneCopyOptions) {
    this.#descent = descent;
    this.#pending = new PendingGroups(descent.concurrency, (group) => this.#copy(group));
    this.#entries = entries;
    this.#options = options;
    this.#how = entries.how;
  }

  /** Copy all that is in a directory to the root of the copy, which keeps its own attributes. */
  async copyAll(from: OpenDirectory): Promise<void> {
    const { to } = this.#options;
    const anchor = new Anchor(undefined, ".", { from: from.fd, to: to.fd });
    this.#pending.push(new Node(undefined, undefined, from.path, to.path, ".", anchor));
    await this.#pending.run();
  }

  /** Make a request about paths from an anchor. */
  async #request(
    anchor: Anchor,
    paths: string | Uint8Array,
    mode: number,
    levels: number,
  ): Promise<TreeBlock> {
    const { permit, to } = this.#options;
    const sides = await anchor.open(this.#descent);
    permit();
    return await this.#descent.tree({
      fd: sides.from,
      paths,
      flags: 0,
      mode: layout.TREE_COPY | mode,
      device: 0,
      levels,
      budgetUs: BUDGET_US,
      copy: { fd: sides.to, how: this.#how, root: to.fd },
    });
  }

  async #copy(group: readonly Node[]): Promise<void> {
    const descent = this.#descent;
    const first = group[0]!;
    const paths = group.length === 1 ? first.at : group.map((node) => node.at).join("\0");
    let block: TreeBlock;
    try {
      const mode = this.#options.tells ? layout.TREE_TELL : 0;
      block = await this.#request(first.anchor, paths, mode, LEVELS);
    } catch (error) {
      if (group.length === 1) {
        descent.reportOf(first.path, error, contextOf(first.path, first.toPath));
        await this.#settle(first);
        return;
      }
      descent.throwIfEnded(error);
      // Whose fault it is shows if each is asked for by itself
      for (const node of group) {
        node.alone = true;
        this.#pending.push(node);
      }
      return;
    }
    await this.#take(group, block);
  }

  /** Take in what became of what was asked for. */
  async #take(group: readonly Node[], block: TreeBlock): Promise<void> {
    const descent = this.#descent;
    const { records, types, names, rawNames, stats: results } = block;
    const count = records.length / RECORD_WORDS;
    /** By entry, which record its directory has. */
    const recordOf = new Map<number, number>();
    for (let i = 0; i < count; i++) {
      const parent = records[i * RECORD_WORDS + layout.TREE_DIRECTORY_PARENT]!;
      if (parent >= 0) {
        recordOf.set(parent, i);
      }
    }
    const nodes: Node[] = new Array(count);
    const apart: { readonly node: Node; readonly entries: Found[] }[] = [];
    let reached = 0;
    for (let i = 0, from = 0; i < count; i++) {
      const at = i * RECORD_WORDS;
      const entries = records[at + layout.TREE_DIRECTORY_ENTRIES]!;
      const end = from + entries;
      const errno = records[at + layout.TREE_DIRECTORY_ERROR]!;
      const isComplete = (records[at + layout.TREE_DIRECTORY_FLAGS]! & layout.TREE_GONE) !== 0;
      const node = nodes[i] ??= group[reached++]!;
      if (errno === layout.TREE_APART) {
        apart.push({ node: node.above!, entries: [node.found!] });
      } else if (errno !== 0) {
        this.#report(node.path, node.toPath, errno);
      } else if (isComplete && node.above !== undefined) {
        descent.progress(node.path);
      }
      node.isOpen = !isComplete && (errno === 0 || entries > 0);
      const own: Found[] = [];
      for (; from < end; from++) {
        const text = names[from]!;
        const path = joinPath(node.path, text) as string;
        const found = { name: rawNames?.get(from) ?? text, type: types[from]!, path };
        const record = recordOf.get(from);
        const result = results[from]!;
        if (record !== undefined) {
          nodes[record] = node.below(found, text);
          node.left++;
        } else if (result === layout.TREE_LEFT) {
          this.#pending.push(node.below(found, text));
          node.left++;
        } else if (result === layout.TREE_APART) {
          own.push(found);
        } else if (result !== 0) {
          this.#report(path, node.targetOf(text), result);
        } else {
          descent.progress(path);
        }
      }
      if (own.length > 0) {
        apart.push({ node, entries: own });
      }
    }
    for (const { node, entries } of apart) {
      await this.#copyApart(node, entries);
    }
    // From the innermost on, so that those above are complete together
    for (let i = count - 1; i >= 0; i--) {
      await this.#settle(nodes[i]!);
    }
    for (let i = group.length - 1; i >= reached; i--) {
      this.#pending.push(group[i]!);
    }
  }

  /** Copy entries that lanes leave. */
  async #copyApart(node: Node, entries: readonly Found[]): Promise<void> {
    const descent = this.#descent;
    const sides = await node.anchor.openBelow(descent, node.at);
    await descent.each(entries, async (found) => {
      const toPath = node.targetOf(found.path.slice(found.path.lastIndexOf("/") + 1));
      let isCopied = false;
      await descent.attempt(found.path, async () => {
        this.#options.permit();
        isCopied = await this.#entries.copy(sides.from, sides.to, found, found.name, toPath);
      }, contextOf(found.path, toPath));
      if (isCopied) {
        descent.progress(found.path);
      }
    });
    await descent.close(sides.from);
    await descent.close(sides.to);
  }

  /** Something cannot be copied. */
  #report(path: string, toPath: string, errno: number): void {
    const context = contextOf(path, toPath);
    if (errno === layout.ENOTREG) {
      try {
        this.#entries.refuse(path, toPath);
      } catch (error) {
        this.#descent.reportOf(path, error, context);
      }
    } else if (errno === layout.EINSIDE) {
      this.#descent.report(new Error(`Cannot copy '${path}' into itself`), path);
    } else {
      this.#descent.report(osError(errno, context), path);
    }
  }

  /** Something was looked at, or one in it is dealt with. */
  async #settle(node: Node): Promise<void> {
    for (let at: Node | undefined = node; at !== undefined && --at.left === 0;) {
      const complete = this.#completeWith(at);
      if (at.isOpen && at.above !== undefined) {
        await this.#finish(complete);
      }
      for (const { anchor } of complete) {
        await anchor.release(this.#descent);
      }
      at = complete.at(-1)!.above;
    }
  }

  /** What is complete with a directory: those above it that wait for nothing else. */
  #completeWith(node: Node): Node[] {
    const complete = [node];
    if (node.isOpen) {
      for (let at = node.above; at?.above !== undefined; at = at.above) {
        if (!at.isOpen || at.left !== 1 || at.anchor !== node.anchor) {
          break;
        }
        complete.push(at);
      }
    }
    return complete;
  }

  /** Give directories their attributes, each of which is in the next one. */
  async #finish(complete: readonly Node[]): Promise<void> {
    const descent = this.#descent;
    for (let done = 0; done < complete.length; done++) {
      const { anchor, at } = complete[done]!;
      let errno = 0;
      const isAsked = await descent.attempt(complete[done]!.path, async () => {
        const levels = complete.length - done - 1;
        const { records } = await this.#request(anchor, at, layout.TREE_FINISH, levels);
        errno = records[layout.TREE_DIRECTORY_ERROR]!;
        const more = records[layout.TREE_DIRECTORY_DEV_LOW]!;
        for (let i = 0; i < more; i++) {
          descent.progress(complete[done++]!.path);
        }
      });
      const { path, toPath } = complete[done]!;
      if (errno !== 0) {
        this.#report(path, toPath, errno);
      } else if (isAsked) {
        descent.progress(path);
      }
    }
  }
}

/** What is being done, for messages. */
function contextOf(path: string, toPath: string): string {
  return `copy '${path}' -> '${toPath}'`;
}
