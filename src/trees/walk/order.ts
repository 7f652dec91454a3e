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
import type { WalkEntry } from "./walk_options.ts";

/** What was found in a directory. */
export interface Item {
  readonly name: string;
  readonly rawName: Uint8Array | undefined;
  /** The entry, if it is wanted. */
  entry: WalkEntry | undefined;
  /** The directory, if it is to be gone into. */
  child: DirectoryNode | undefined;
}

/** A directory that the cursor is in. */
interface Level {
  readonly node: DirectoryNode;
  /** What is in it, once it is read. */
  items: readonly Item[] | undefined;
  at: number;
}

/** Puts entries in order, although directories are read in any order. */
export class Order {
  /** From the root down to where the cursor is. */
  readonly #levels: Level[] = [];
  /** What is in directories that the cursor has yet to come to. */
  readonly #ahead = new Map<DirectoryNode, readonly Item[]>();
  #size = 0;
  readonly #byName: boolean;

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
    const items = this.#ahead.get(node);
    this.#ahead.delete(node);
    this.#levels.push({ node, items, at: 0 });
  }

  /**
   * Add what was found in a directory.
   *
   * @param node The directory.
   * @param items What is in it; it may be put in order.
   * @returns The entries that the cursor could pass by.
   */
  add(node: DirectoryNode, items: Item[]): WalkEntry[] {
    if (this.#byName) {
      items.sort(compare);
    }
    this.#size += items.length;
    const level = this.#levels.at(-1);
    if (level?.node !== node) {
      this.#ahead.set(node, items);
      return [];
    }
    level.items = items;
    return this.#go();
  }

  #go(): WalkEntry[] {
    const passed: WalkEntry[] = [];
    for (let level = this.#levels.at(-1); level?.items !== undefined; level = this.#levels.at(-1)) {
      const item = level.items[level.at++];
      if (item === undefined) {
        this.#levels.pop();
        continue;
      }
      this.#size--;
      if (item.entry !== undefined) {
        passed.push(item.entry);
      }
      if (item.child !== undefined) {
        this.enter(item.child);
      }
    }
    return passed;
  }
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
