// Copyright 2026 the ioq authors. MIT license.

/**
 * Removing a directory with all that is in it, on a given queue.
 *
 * One request empties several directories and goes on below them, on a worker lane
 * (see `native/calls/remove_tree.c`). What it tells of is what is left:
 *
 *     pending ──▶ request of several ──▶ gone
 *        ▲                           ├──▶ cannot be removed: reported, and what it is in stays
 *        │                           └──▶ directories for which there was no time
 *        └───────────────────────────────────┘
 *
 * A directory in which others were left goes with the last of those, or is asked for again.
 * Directories are named from the descriptor of the root, and from another one every
 * thousand characters, since paths have at most 4095 bytes. Lanes follow no link on
 * the way, so no other process can lead them out of the tree.
 *
 * @module
 */

import { ownOption } from "../own_option.ts";
import * as layout from "../../ffi/layout.ts";
import { ERRNO, hasCode, osError } from "../linux/errors.ts";
import { AT_REMOVEDIR } from "../linux/fcntl.ts";
import { REMOVE_TREE } from "../operations/request.ts";
import { absolutePath, joinPath, type Path, pathText, toPath } from "../path.ts";
import { checkAccess, checkRemoval, READ } from "../permissions.ts";
import { coreOf, type Runner } from "../queue/runner.ts";
import { Descent, type DescentOptions } from "./descent.ts";
import { PendingGroups } from "./pending_groups.ts";
import { DT_DIR } from "../linux/directory.ts";
import { RECORD_WORDS, type TreeBlock } from "./walk/tree_block.ts";
import { Removal } from "./removals.ts";
import { endsInDots, withoutSlashes } from "./root_path.ts";

/** Characters of a path, beyond which paths begin anew. With a name 3765 bytes at most. */
const PATH_LONG = 1000;
/** Levels that a lane goes on below by itself. */
const LEVELS = 512;
/** For how long it does, in microseconds. */
const BUDGET_US = 2000;
/** How often a directory is emptied into which others keep putting something. */
const ROUNDS_MAX = 16;

/** A descriptor that paths begin at. */
class Anchor {
  readonly #above: Anchor | undefined;
  readonly #at: string | Uint8Array;
  #fd: Promise<number> | undefined;
  #holders = 0;

  constructor(above: Anchor | undefined, at: string | Uint8Array, fd?: number) {
    this.#above = above;
    this.#at = at;
    this.#fd = fd === undefined ? undefined : Promise.resolve(fd);
    above?.hold();
  }

  /** Something has yet to be removed by it. */
  hold(): void {
    this.#holders++;
  }

  /** Its descriptor. */
  open(descent: Descent): Promise<number> {
    return this.#fd ??= this.#open(descent);
  }

  async #open(descent: Descent): Promise<number> {
    const above = await this.#above!.open(descent);
    return await descent.openBelow(above, this.#at);
  }

  /** One that held it does so no more. */
  async release(descent: Descent): Promise<void> {
    if (--this.#holders === 0) {
      await descent.close(await this.#fd?.catch(() => -1) ?? -1);
      await this.#above?.release(descent);
    }
  }
}

/** A directory that is to be removed. */
class Doomed {
  /** For messages. */
  readonly path: string;
  /** Its path from the anchor. */
  readonly at: string | Uint8Array;
  readonly anchor: Anchor;
  readonly above: Doomed | undefined;
  /** Directories in it that may yet go, and one while it is looked at. */
  left = 1;
  /** Whether something in it stays, or itself. */
  stays = false;
  /** How often it was emptied. */
  rounds = 0;
  /** Whether it is gone, though what was asked for was in it. */
  gone = false;
  /** To be asked for by itself: a request for several has failed. */
  alone = false;
  #anchorBelow: Anchor | undefined;

  constructor(above: Doomed | undefined, path: string, at: string | Uint8Array, anchor: Anchor) {
    this.above = above;
    this.path = path;
    this.at = at;
    this.anchor = anchor;
    anchor.hold();
  }

  /** What is in it by a name. */
  below(path: string, name: string | Uint8Array): Doomed {
    if (this.at.length > PATH_LONG) {
      this.#anchorBelow ??= new Anchor(this.anchor, this.at);
      return new Doomed(this, path, name, this.#anchorBelow);
    }
    return new Doomed(this, path, this.at === "." ? name : joinPath(this.at, name), this.anchor);
  }
}

/** Removes what is in a directory. */
class Remover {
  readonly #descent: Descent;
  /** What to ask for next is at the end. */
  readonly #pending: PendingGroups<Doomed>;
  readonly #mode: number;

  constructor(descent: Descent, tells: boolean) {
    this.#descent = descent;
    this.#pending = new PendingGroups(descent.concurrency, (group) => this.#remove(group));
    this.#mode = layout.TREE_REMOVE | (tells ? layout.TREE_TELL : 0);
  }

  /**
   * Remove all that is in a directory.
   *
   * @returns Whether it is empty.
   */
  async empty(fd: number, path: string): Promise<boolean> {
    const root = new Doomed(undefined, path, ".", new Anchor(undefined, ".", fd));
    this.#pending.push(root);
    await this.#pending.run();
    return !root.stays;
  }

  async #remove(group: readonly Doomed[]): Promise<void> {
    const descent = this.#descent;
    const [first] = group;
    let block: TreeBlock | undefined;
    const request = async () => {
      block = await descent.tree({
        fd: await first!.anchor.open(descent),
        paths: group.length === 1 ? first!.at : group.map((node) => node.at).join("\0"),
        flags: 0,
        mode: this.#mode,
        device: 0,
        levels: LEVELS,
        budgetUs: BUDGET_US,
      });
    };
    if (group.length > 1) {
      try {
        await request();
      } catch (error) {
        descent.throwIfEnded(error);
        // Whose fault it is shows if each is asked for by itself
        for (const node of group) {
          node.alone = true;
          this.#pending.push(node);
        }
        return;
      }
    } else {
      try {
        await request();
      } catch (error) {
        descent.reportOf(first!.path, error);
        first!.stays = true;
        await this.#settle(first!, false);
        return;
      }
    }
    await this.#take(group, block!);
  }

  /** Take in what became of directories. */
  async #take(group: readonly Doomed[], block: TreeBlock): Promise<void> {
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
    const nodes: Doomed[] = new Array(count);
    const gone = new Set<Doomed>();
    let reached = 0;
    for (let i = 0, from = 0; i < count; i++) {
      const at = i * RECORD_WORDS;
      const parent = records[at + layout.TREE_DIRECTORY_PARENT]!;
      const end = from + records[at + layout.TREE_DIRECTORY_ENTRIES]!;
      const errno = records[at + layout.TREE_DIRECTORY_ERROR]!;
      const node = nodes[i] ??= group[reached++]!;
      if (parent < 0 && records[at + layout.TREE_DIRECTORY_FLAGS]! & layout.TREE_GONE) {
        descent.progress(node.path);
        gone.add(node);
        let above = node.above;
        for (let n = records[at + layout.TREE_DIRECTORY_DEV_LOW]!; n > 0; n--) {
          above!.gone = true;
          descent.progress(above!.path);
          above = above!.above;
        }
      }
      if (errno !== 0) {
        this.#report(node, node.path, errno);
      }
      for (; from < end; from++) {
        const path = joinPath(node.path, names[from]!) as string;
        const name = rawNames?.get(from) ?? names[from]!;
        const record = recordOf.get(from);
        const result = results[from]!;
        if (result === 0) {
          descent.progress(path);
        } else if (result !== layout.TREE_LEFT && record === undefined) {
          this.#report(node, path, result);
        }
        if (record !== undefined || result === layout.TREE_LEFT && types[from] === DT_DIR) {
          const below = node.below(path, name);
          node.left++;
          if (record === undefined) {
            this.#pending.push(below);
          } else {
            nodes[record] = below;
            if (result === 0) {
              gone.add(below);
            }
          }
        }
      }
    }
    // From the innermost on, so that what they are in is asked for once
    for (let i = count - 1; i >= 0; i--) {
      await this.#settle(nodes[i]!, gone.has(nodes[i]!));
    }
    for (let i = group.length - 1; i >= reached; i--) {
      this.#pending.push(group[i]!);
    }
  }

  /** Something in a directory, or itself, cannot be removed. */
  #report(node: Doomed, path: string, errno: number): void {
    node.stays = true;
    this.#descent.report(osError(errno, `remove '${path}'`), path);
  }

  /** A directory was looked at, or one in it is dealt with. */
  async #settle(node: Doomed, isGone: boolean): Promise<void> {
    for (let at: Doomed | undefined = node; at !== undefined; at = at.above) {
      if (--at.left > 0) {
        return;
      }
      isGone ||= at.gone;
      if (!isGone && !at.stays && at.above !== undefined) {
        if (at.rounds++ < ROUNDS_MAX) {
          at.left = 1;
          this.#pending.push(at);
          return;
        }
        this.#report(at, at.path, ERRNO.ENOTEMPTY!);
      }
      if (!isGone && at.above !== undefined) {
        at.above.stays = true;
      }
      await at.anchor.release(this.#descent);
      isGone = false;
    }
  }
}

/**
 * Remove a file, a symbolic link, or a directory with all that is in it.
 *
 * @param open Gives the queue.
 * @param path What to remove.
 * @param options As {@linkcode removeTree}'s.
 */
export async function removeTreeOn(
  open: () => Runner | Promise<Runner>,
  path: Path,
  options: DescentOptions,
): Promise<void> {
  const given = toPath(path, "remove");
  const root = checkRemoval(absolutePath(given), true, given);
  using removal = new Removal(pathText(withoutSlashes(root)));
  await Descent.run("remove", given, open, options, async (descent) => {
    const text = pathText(given);
    descent.permit = () => {
      checkRemoval(root, true, given);
    };
    const missed = async (error: unknown) =>
      hasCode(error, "ENOENT") && await removal.missed(descent.signal);
    const unlink = async (flags: number) => {
      const isGone = await descent.attempt(text, async () => {
        try {
          await descent.request("unlink", { path: root, flags });
        } catch (error) {
          if (!await missed(error)) {
            throw error;
          }
        }
        removal.found();
      });
      if (isGone) {
        descent.progress(text);
      }
    };
    if (endsInDots(root)) {
      // The kernel refuses to remove that, and says why, before anything in it is gone
      await unlink(AT_REMOVEDIR);
      return;
    }
    if (!coreOf(descent.ioq).backend.hasLibrary) {
      // One call of the runtime's removes all there is, with as much care
      await unlink(REMOVE_TREE);
      return;
    }
    let isEmpty;
    try {
      const fd = await descent.openRoot(withoutSlashes(root));
      removal.found();
      isEmpty = await new Remover(descent, ownOption(options, "onProgress") !== undefined).empty(
        fd,
        text,
      );
    } catch (error) {
      if (hasCode(error, "ENOTDIR", "ELOOP") && !descent.hasEnded) {
        // A file, or a link
        removal.found();
        await unlink(0);
      } else if (!await missed(error)) {
        descent.reportOf(text, error);
      }
      return;
    }
    if (isEmpty) {
      await descent.attempt(text, async () => {
        try {
          await descent.request("unlink", { path: root, flags: AT_REMOVEDIR });
        } catch (error) {
          // It was there: somebody else has finished it
          if (!hasCode(error, "ENOENT")) {
            throw error;
          }
        }
        descent.progress(text);
      });
    }
  });
}

/**
 * Remove all that is in a directory, or in the one that a link leads to.
 *
 * @param ioq The queue.
 * @param path The directory.
 * @param options `signal`, `timeoutMs`.
 */
export async function emptyDirectoryOn(
  ioq: Runner,
  path: Path,
  options: DescentOptions,
): Promise<void> {
  const given = toPath(path, "readdir");
  const whole = absolutePath(given);
  await Descent.run("remove", given, () => ioq, options, async (descent) => {
    const root = checkAccess(whole, READ, given);
    descent.permit = () => {
      checkAccess(root, READ, given);
    };
    const text = pathText(given);
    const context = `readdir '${text}'`;
    if (!coreOf(ioq).backend.hasLibrary) {
      const entries = await descent.request("readDir", { path: root });
      descent.permit = () => {
        checkRemoval(root, true, given);
      };
      await descent.each(entries, async ({ name, rawName }) => {
        const path = joinPath(root, rawName ?? name);
        await descent.request("unlink", { path, flags: REMOVE_TREE });
      });
      return;
    }
    let fd = -1;
    await descent.attempt(text, async () => fd = await descent.openDirectory(root), context);
    descent.permit = () => {
      checkRemoval(root, true, given);
    };
    await new Remover(descent, false).empty(fd, text);
  });
}
