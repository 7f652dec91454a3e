// Copyright 2026 the ioq authors. MIT license.

/**
 * Directories that are to be read, and which of them go into one request.
 *
 * They are taken from the end, so that a walk goes down before it goes on: what is
 * kept are the siblings of the directories on the way, not a whole level of the tree.
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
  /** The next ones are at the end. */
  readonly #nodes: DirectoryNode[] = [];

  /** How many, some of which may have been read by now. */
  get size(): number {
    return this.#nodes.length;
  }

  /** Add one: the next to be read. */
  push(node: DirectoryNode): void {
    this.#nodes.push(node);
  }

  /**
   * Take directories out for a request: a fair share.
   *
   * @param requests Requests that there may be at a time.
   * @returns As many as go together; none, if all have been read.
   */
  nextGroup(requests: number): DirectoryNode[] {
    const nodes = this.#nodes;
    // What is looked for by name takes a request each in any case
    const isNamed = nodes.at(-1)?.names !== undefined;
    const share = isNamed ? GROUP_MAX : Math.min(GROUP_MAX, Math.ceil(nodes.length / requests));
    const group: DirectoryNode[] = [];
    let length = 0;
    while (group.length < share && nodes.length > 0) {
      const node = nodes[nodes.length - 1]!;
      if (node.begun) {
        nodes.pop();
        continue;
      }
      const [first] = group;
      length += node.at.length + 1;
      if (
        first !== undefined &&
        ((length > GROUP_LENGTH && !isNamed) || node.alone || node.anchor !== first.anchor ||
          node.follow !== first.follow || typeof node.at !== "string" ||
          (node.names === undefined) !== (first.names === undefined) ||
          node.laneKey !== first.laneKey)
      ) {
        break;
      }
      nodes.pop();
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
      group[i]!.begun = false;
      this.#nodes.push(group[i]!);
    }
  }

  /** Take all out. */
  takeAll(): DirectoryNode[] {
    return this.#nodes.splice(0);
  }
}
