// Copyright 2026 the ioq authors. MIT license.

/**
 * Directories that are to be read, and which of them go into one request.
 *
 * The one that was found last is read first, so that a walk goes down before it goes on: what is
 * kept are the siblings of the directories on the way, not a whole level of the tree.
 *
 * Where entries come in order, directories are read in that order, too: a lane that reads far
 * ahead of what is handed out would only fill memory, and what everybody waits for would be read
 * last. So a directory keeps its place in the list until those below it can take that.
 *
 *     a  b̲  c  d        b is being read
 *     a  b/x  b/y  c  d
 *
 * @module
 */

import type { DirectoryNode } from "./directory_node.ts";

/** Directories of one request, at the most. */
const GROUP_MAX = 64;
/** Characters of their paths, so that they have at most 4095 bytes. */
const GROUP_LENGTH = 1300;

/** The directories that a walk has yet to read. */
export class PendingDirectories {
  /** The next one to be read; in order, also one that is being read. */
  #first: DirectoryNode | undefined;
  #size = 0;
  readonly #inOrder: boolean;

  /** @param inOrder Whether entries come in order. */
  constructor(inOrder: boolean) {
    this.#inOrder = inOrder;
  }

  /** How many. */
  get size(): number {
    return this.#size;
  }

  /** Add one: the next to be read. */
  push(node: DirectoryNode): void {
    this.#insert(node, undefined);
  }

  /**
   * In order: a directory was read, and others are in it.
   *
   * @param children In order; those that have been read as well keep their place for what is below.
   */
  replace(node: DirectoryNode, children: readonly DirectoryNode[]): void {
    let last: DirectoryNode | undefined = node;
    for (const child of children) {
      this.#insert(child, last);
      last = child;
    }
    this.#remove(node);
  }

  /**
   * Take directories out for a request: a fair share.
   *
   * @param requests Requests that there may be at a time.
   * @returns As many as go together, at least one if there is any.
   */
  nextGroup(requests: number): DirectoryNode[] {
    const group: DirectoryNode[] = [];
    let share = 1;
    let length = 0;
    let next = this.#first;
    while (next !== undefined && group.length < share) {
      const node: DirectoryNode = next;
      next = node.after;
      if (node.begun) {
        continue;
      }
      const [first] = group;
      length += node.at.length + 1;
      if (first === undefined) {
        // What is looked for by name takes a request each in any case
        share = node.names !== undefined
          ? GROUP_MAX
          : Math.min(GROUP_MAX, Math.ceil(this.#size / requests));
      } else if (!goTogether(first, node) || length > GROUP_LENGTH && node.names === undefined) {
        break;
      }
      node.begun = true;
      this.#size--;
      if (!this.#inOrder) {
        this.#remove(node);
      }
      group.push(node);
      if (node.alone || typeof node.at !== "string") {
        break;
      }
    }
    return group;
  }

  /** Put directories of a group back that were not read, from the nth on. */
  putBack(group: readonly DirectoryNode[], from: number): void {
    for (let i = group.length - 1; i >= from; i--) {
      const node = group[i]!;
      node.begun = false;
      if (this.#inOrder) {
        this.#size++;
      } else {
        this.push(node);
      }
    }
  }

  /** Take all out. */
  takeAll(): DirectoryNode[] {
    const all: DirectoryNode[] = [];
    for (let node = this.#first; node !== undefined; node = node.after) {
      if (!node.begun) {
        all.push(node);
      }
    }
    this.#first = undefined;
    this.#size = 0;
    return all;
  }

  /** Put one into the list, behind another or at its beginning. */
  #insert(node: DirectoryNode, before: DirectoryNode | undefined): void {
    const after = before === undefined ? this.#first : before.after;
    node.before = before;
    node.after = after;
    if (before === undefined) {
      this.#first = node;
    } else {
      before.after = node;
    }
    if (after !== undefined) {
      after.before = node;
    }
    if (!node.begun) {
      this.#size++;
    }
  }

  #remove(node: DirectoryNode): void {
    const { before, after } = node;
    if (before === undefined) {
      this.#first = after;
    } else {
      before.after = after;
    }
    if (after !== undefined) {
      after.before = before;
    }
    node.before = undefined;
    node.after = undefined;
  }
}

/** Whether directories can be read by one request. */
function goTogether(first: DirectoryNode, node: DirectoryNode): boolean {
  return !node.alone && node.anchor === first.anchor && node.follow === first.follow &&
    typeof node.at === "string" && (node.names === undefined) === (first.names === undefined) &&
    node.laneKey === first.laneKey;
}
