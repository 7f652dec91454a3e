// Copyright 2026 the ioq authors. MIT license.

/**
 * Entries in order, although directories are read in any.
 *
 * A cursor goes through the tree: a directory's entries by name, and into each
 * directory as soon as it has come by. Where it meets one that was not read yet it
 * stays until that is.
 *
 * @module
 */

import type { DirectoryNode } from "./directory_node.ts";
import type { WalkEntry } from "./walk_types.ts";

/** An entry of a directory, as long as it is not known whether it is wanted. */
export interface Item {
  readonly name: string;
  readonly rawName: Uint8Array | undefined;
  /** The entry, if it is wanted. */
  entry: WalkEntry | undefined;
  /** The directory, if it is to be gone into. */
  child: DirectoryNode | undefined;
}

/** What was found in a directory, in order. */
export class Found {
  /** The entries that are wanted. */
  readonly entries: WalkEntry[] = [];
  /** The directories that are to be gone into. */
  readonly children: DirectoryNode[] = [];
  /** Of each of those, how many entries come before what is in it. */
  readonly after: number[] = [];

  /** Add a directory whose own entry, if it is wanted, was added last. */
  addChild(child: DirectoryNode): void {
    this.children.push(child);
    this.after.push(this.entries.length);
  }
}

/** A directory that the cursor is in. */
interface Level {
  readonly node: DirectoryNode;
  /** What is in it, once it is read. */
  found: Found | undefined;
  /** The next entry, and the next directory. */
  entry: number;
  child: number;
}

/** Puts entries in order, although directories are read in any order. */
export class Order {
  /** From the root down to where the cursor is. */
  readonly #levels: Level[] = [];
  /** What is in directories that the cursor has yet to come to. */
  readonly #ahead = new Map<DirectoryNode, Found>();
  #size = 0;
  readonly #byName: boolean;

  /** Whether what is in a directory comes by name; as the directory has it otherwise. */
  get byName(): boolean {
    return this.#byName;
  }

  /** @param byName Whether to sort by name; as the directories have them otherwise. */
  constructor(byName: boolean) {
    this.#byName = byName;
  }

  /** Entries that were read and are ahead of the cursor. */
  get size(): number {
    return this.#size;
  }

  /** The directory that the cursor waits for. */
  get awaited(): DirectoryNode | undefined {
    return this.#levels.at(-1)?.node;
  }

  /** Begin at a root. */
  enter(node: DirectoryNode): void {
    const found = this.#ahead.get(node);
    this.#ahead.delete(node);
    this.#levels.push({ node, found, entry: 0, child: 0 });
  }

  /**
   * Add what was found in a directory.
   *
   * @param node The directory.
   * @param found What is in it, in order.
   * @param passed Where the entries go that the cursor could pass by.
   */
  add(node: DirectoryNode, found: Found, passed: WalkEntry[]): void {
    this.#size += found.entries.length;
    const level = this.#levels.at(-1);
    if (level?.node !== node) {
      this.#ahead.set(node, found);
      return;
    }
    level.found = found;
    this.#go(passed);
  }

  #go(passed: WalkEntry[]): void {
    for (let level = this.#levels.at(-1); level?.found !== undefined; level = this.#levels.at(-1)) {
      const { entries, children, after } = level.found;
      const child = children[level.child];
      const end = child === undefined ? entries.length : after[level.child]!;
      this.#size -= end - level.entry;
      for (let i = level.entry; i < end; i++) {
        passed.push(entries[i]!);
      }
      level.entry = end;
      if (child === undefined) {
        this.#levels.pop();
      } else {
        level.child++;
        this.enter(child);
      }
    }
  }
}

/**
 * Put items in order by name: runs of them first, which are then merged two by two.
 *
 * @param items What is in a directory; it is put in order, too.
 * @param runLength How many items are dealt with at once.
 * @param pause Called after each of those, to let others go on.
 * @returns The items in order, or fewer if there is no more need for them.
 */
export async function sortItems(
  items: Item[],
  runLength: number,
  pause: () => Promise<boolean>,
): Promise<Item[]> {
  if (items.length <= runLength) {
    return items.sort(compare);
  }
  let from: Item[] = [];
  for (let at = 0; at < items.length; at += runLength) {
    from.push(...items.slice(at, at + runLength).sort(compare));
    if (!await pause()) {
      return [];
    }
  }
  for (let length = runLength; length < items.length; length *= 2) {
    const into: Item[] = [];
    for (let at = 0; at < from.length; at += 2 * length) {
      const middle = Math.min(at + length, from.length);
      const end = Math.min(middle + length, from.length);
      let one = at;
      let other = middle;
      while (one < middle || other < end) {
        const takesOne = other === end || one < middle && compare(from[one]!, from[other]!) <= 0;
        into.push(takesOne ? from[one++]! : from[other++]!);
        if (into.length % runLength === 0 && !await pause()) {
          return [];
        }
      }
    }
    from = into;
  }
  return from;
}

/** As JavaScript compares strings; by bytes where those look alike. */
function compare(a: Item, b: Item): number {
  if (a.name !== b.name) {
    return a.name < b.name ? -1 : 1;
  }
  const one = a.rawName ?? [];
  const other = b.rawName ?? [];
  for (let i = 0; i < one.length && i < other.length; i++) {
    if (one[i] !== other[i]) {
      return one[i]! - other[i]!;
    }
  }
  return one.length - other.length;
}
