// Copyright 2026 the ioq authors. MIT license.

/**
 * What becomes of a block: entries, or lines, for whoever iterates, and the
 * directories that are to be read next.
 *
 *     block ──▶ plain       the names and types are all there is to it, nearly always
 *           ├─▶ lines       plain, for callers that only print them
 *           └─▶ anything    attributes, links, order, names that are not UTF-8
 *
 * A directory may have hundreds of thousands of entries. They are made in slices, between
 * which the event loop does its other work.
 *
 * @module
 */

import { basename } from "../../posix_path.ts";
import * as layout from "../../../ffi/layout.ts";
import { ERRNO, osError } from "../../linux/errors.ts";
import type { FileInfo } from "../../linux/stat.ts";
import { joinPath } from "../../path.ts";
import { checkAccess, READ } from "../../permissions.ts";
import type { WalkContext } from "./context.ts";
import { DirectoryNode } from "./directory_node.ts";
import { entryOf, makeEntry } from "./entry.ts";
import { followLink } from "./followed_link.ts";
import type { Verdict } from "../patterns/glob_patterns.ts";
import type { IgnoreSources } from "./ignore_sources.ts";
import { LineBuffer, type LineFormat, type Lines } from "./lines.ts";
import type { WalkEntry } from "./walk_types.ts";
import { Found, type Item, Order, sortItems } from "./order.ts";
import { DT_DIR, DT_LNK, DT_REG } from "../../linux/directory.ts";
import { RECORD_WORDS, STAT_WORDS, type TreeBlock } from "./tree_block.ts";

/** Characters of a batch of lines, unless nothing else is to come. */
const LINES_MIN = 65536;

/** Entries that are made at once: a millisecond's work, or two with attributes. */
const SLICE = 2048;

/** A directory's part of a block. */
interface Part {
  readonly node: DirectoryNode;
  readonly block: TreeBlock;
  /** The first of its entries, and the one after its last. */
  readonly from: number;
  readonly end: number;
  /** By entry, the record of its directory, if a lane has gone into any. */
  readonly recordOf: Int32Array | undefined;
  /** By record, the directory, if it was to be gone into. */
  readonly read: (DirectoryNode | undefined)[];
  /** Where what is found goes, if it comes in order. */
  readonly found: Found | undefined;
}

/** Something that a glob has named, and that there is. */
export interface NamedEntry {
  readonly name: string;
  /** From `<dirent.h>`. */
  readonly type: number;
  readonly info: FileInfo | undefined;
}

/** An entry, and what it is to be added to. */
interface FoundEntry {
  readonly part: Part;
  /** Its place in the block. */
  readonly index: number;
  readonly name: string;
  readonly rawName: Uint8Array | undefined;
  readonly type: number;
  /** Its attributes, if they are known. */
  readonly info: FileInfo | undefined;
  /** Whether directories are gone into. */
  readonly descends: boolean;
  readonly items: Item[];
  /** Links that are being followed. */
  readonly links: Promise<void>[];
}

/** Of what no block tells. */
const NO_BLOCK: TreeBlock = {
  records: new Int32Array(),
  types: new Uint8Array(),
  names: [],
  rawNames: undefined,
  stats: new Int32Array(),
  isSlow: false,
  isSorted: false,
};

function goOn(): Promise<boolean> {
  return Promise.resolve(true);
}

/** Whether an errno says that there is no such directory. */
function isMissing(errno: number): boolean {
  return errno === ERRNO.ENOENT || errno === ERRNO.ENOTDIR || errno === ERRNO.ELOOP;
}

/** Turns a block into entries or lines, and finds the directories to read next. */
export class BlockEntries {
  /** Where rules about what is ignored are found, if any are heeded. */
  sources: IgnoreSources | undefined;
  /** Whether a name is passed over with all below it, if names tell and are all that does. */
  skipsName: ((name: string) => boolean) | undefined;
  readonly #walk: WalkContext;
  readonly #order: Order | undefined;
  readonly #lines: LineBuffer | undefined;
  #batch: WalkEntry[] = [];

  /** @param format To have lines, as far as nothing needs entries to be made. */
  constructor(walk: WalkContext, format: LineFormat | undefined) {
    const { plan } = walk;
    this.#walk = walk;
    this.#order = plan.sort === false ? undefined : new Order(plan.sort === true);
    const all = plan.includeFiles && plan.includeDirs && plan.includeSymlinks &&
      plan.finds === undefined;
    const plain = all && !plan.followSymlinks && !plan.stat && plan.sort === false &&
      plan.glob === undefined && plan.ignores === undefined;
    this.#lines = plain && format !== undefined ? new LineBuffer(format) : undefined;
  }

  /** Entries that wait for their turn. */
  get waiting(): number {
    return this.#order?.size ?? 0;
  }

  /** The directory that the others wait for, if they come in order. */
  get awaited(): DirectoryNode | undefined {
    return this.#order?.awaited;
  }

  /** Lines that go together; few of them, if there is no reason to wait for more. */
  takeLines(atOnce: boolean): Lines | undefined {
    return this.#lines?.take(atOnce || this.#batch.length > 0 ? 0 : LINES_MIN);
  }

  /** The entries that were made. They come after the lines. */
  takeEntries(): WalkEntry[] | undefined {
    if (this.#batch.length === 0) {
      return undefined;
    }
    const batch = this.#batch;
    this.#batch = [];
    return batch;
  }

  /** Whether entries were made that must be taken before there may be lines again. */
  get isInTheWay(): boolean {
    return this.#lines !== undefined && this.#batch.length > 0;
  }

  /** Begin at the root. */
  addRoot(entry: WalkEntry | undefined, node: DirectoryNode | undefined): void {
    if (entry !== undefined) {
      this.#batch.push(entry);
    }
    if (node !== undefined) {
      this.#walk.pending.push(node);
      this.#order?.enter(node);
    }
  }

  /** A directory has no entries, since it could not be read. */
  addNothing(node: DirectoryNode): void {
    this.#addInOrder(node, new Found());
  }

  /**
   * Make entries and directories of a block.
   *
   * @param nodes The directories that were asked for.
   * @returns The directories that are dealt with: those, from the first on as far as
   *          the lane has come, and what it has read below them.
   */
  async add(
    nodes: readonly DirectoryNode[],
    block: TreeBlock,
  ): Promise<{ reached: number; below: DirectoryNode[] }> {
    const walk = this.#walk;
    const { plan } = walk;
    const { records, types } = block;
    const count = records.length / RECORD_WORDS;
    const read: Part["read"] = new Array(count).fill(undefined);
    const recordOf = findRecords(records, types.length);
    const ruled = this.sources === undefined
      ? undefined
      : await this.#findRules(this.sources, nodes, block);
    let reached = 0;

    for (let i = 0, at = 0, from = 0; i < count && !walk.stopped; i++, at += RECORD_WORDS) {
      const parent = records[at + layout.TREE_DIRECTORY_PARENT]!;
      const end = from + records[at + layout.TREE_DIRECTORY_ENTRIES]!;
      const error = records[at + layout.TREE_DIRECTORY_ERROR]!;
      const node = parent < 0 ? nodes[reached++] : read[i];
      if (node !== undefined) {
        const own = parent < 0 ? undefined : ruled?.get(i);
        if (own !== undefined) {
          await this.sources!.enter(node, (name) => own.get(name));
        }
        if (plan.followSymlinks) {
          const identity = at + layout.TREE_DIRECTORY_DEV_LOW;
          node.identity = records.slice(identity, identity + 4);
        }
        if (node.identity === undefined || !node.isCycle) {
          const found = this.#order === undefined ? undefined : new Found();
          const part: Part = { node, block, from, end, recordOf, read, found };
          if (!this.#isPlain(part)) {
            await this.#addAny(part);
          } else if (end - from <= SLICE) {
            this.#addSlice(part);
          } else {
            await this.#addSlices(part);
          }
          if (found !== undefined && !walk.stopped) {
            this.#addInOrder(node, found);
          }
        } else {
          this.addNothing(node);
        }
        if (error !== 0 && !(node.optional && isMissing(error))) {
          // As Deno.readDir() would say it, and it knows no normalized root
          const path = node.parent === undefined ? walk.given : node.path;
          walk.report(osError(error, `readdir '${path}'`), entryOf(node));
        }
      }
      from = end;
    }
    return { reached, below: read.filter((node) => node !== undefined) };
  }

  /**
   * Take in what the directories that were asked for say about what is ignored there.
   *
   * @returns By record, types of entries that have to do with rules, of those that have any.
   */
  async #findRules(
    sources: IgnoreSources,
    nodes: readonly DirectoryNode[],
    { records, types, names }: TreeBlock,
  ): Promise<ReadonlyMap<number, ReadonlyMap<string, number>>> {
    const found: Promise<void>[] = [];
    const ruled = new Map<number, ReadonlyMap<string, number>>();
    const count = records.length / RECORD_WORDS;
    for (let i = 0, at = 0, from = 0; i < count; i++, at += RECORD_WORDS) {
      const end = from + records[at + layout.TREE_DIRECTORY_ENTRIES]!;
      let of: Map<string, number> | undefined;
      for (let entry = from; entry < end; entry++) {
        if (sources.concerns(names[entry]!)) {
          of ??= new Map();
          of.set(names[entry]!, types[entry]!);
        }
      }
      if (of !== undefined) {
        const known = of;
        const parent = records[at + layout.TREE_DIRECTORY_PARENT]!;
        ruled.set(i, known);
        if (parent < 0) {
          found.push(sources.enter(nodes[-1 - parent]!, (name) => known.get(name)));
        }
      }
      from = end;
    }
    await Promise.all(found);
    return ruled;
  }

  /** The entries of a directory that globs have named: those that there are. */
  async addNamed(node: DirectoryNode, named: readonly NamedEntry[]): Promise<void> {
    const items: Item[] = [];
    const links: Promise<void>[] = [];
    const descends = node.depth + 1 < this.#walk.plan.maxDepth;
    const found = this.#order === undefined ? undefined : new Found();
    const part: Part = {
      node,
      block: NO_BLOCK,
      from: 0,
      end: 0,
      recordOf: undefined,
      read: [],
      found,
    };
    for (const { name, type, info } of named) {
      this.#addOne({
        part,
        index: -1,
        name,
        rawName: undefined,
        type,
        info,
        descends,
        items,
        links,
      });
    }
    await Promise.all(links);
    if (found !== undefined && !this.#walk.stopped) {
      putInOrder(found, this.#order?.byName ? await sortItems(items, SLICE, goOn) : items);
      this.#addInOrder(node, found);
    }
  }

  /** The plain entries of a directory that has many. */
  async #addSlices(part: Part): Promise<void> {
    const walk = this.#walk;
    for (let from = part.from; from < part.end && !walk.stopped; from += SLICE) {
      this.#addSlice({ ...part, from, end: Math.min(from + SLICE, part.end) });
      await walk.pause();
    }
  }

  /** Some plain entries of a directory. */
  #addSlice(part: Part): void {
    if (this.#lines !== undefined) {
      this.#addLines(this.#lines, part);
    } else {
      this.#addPlain(part);
    }
  }

  /** Whether entries are what the block says, with nothing to look up. */
  #isPlain({ node, block }: Part): boolean {
    const { followSymlinks, stat, skips, sort, glob, ignores } = this.#walk.plan;
    return glob === undefined && ignores === undefined && !followSymlinks && !stat &&
      (sort !== true || block.isSorted) && (skips === undefined || this.skipsName !== undefined) &&
      block.rawNames === undefined && node.rawPath === undefined;
  }

  /** The entries of a directory, most of them: nothing here may be slow. */
  #addPlain(part: Part): void {
    const { includeFiles, includeDirs, includeSymlinks, maxDepth } = this.#walk.plan;
    const { skipsName } = this;
    // What names tell is asked of names: to search a path costs several times as much
    const finds = skipsName === undefined ? this.#walk.plan.finds : this.#walk.plan.matches;
    const { node, block: { names, types }, end } = part;
    const batch = part.found?.entries ?? this.#batch;
    const { prefix } = node;
    const descends = node.depth + 1 < maxDepth;
    for (let i = part.from; i < end; i++) {
      const name = names[i]!;
      if (skipsName !== undefined && skipsName(name)) {
        continue;
      }
      const type = types[i]!;
      const path = prefix + name;
      if (type === DT_DIR) {
        if (includeDirs && (finds === undefined || finds(path))) {
          batch.push({ path, name, isFile: false, isDirectory: true, isSymlink: false });
        }
        if (descends) {
          const child = this.#descend(part, i, path, name, undefined);
          part.found?.addChild(child);
        }
      } else if (type === DT_LNK) {
        if (includeSymlinks && (finds === undefined || finds(path))) {
          batch.push({ path, name, isFile: false, isDirectory: false, isSymlink: true });
        }
      } else if (includeFiles && (finds === undefined || finds(path))) {
        const isFile = type === DT_REG;
        batch.push({ path, name, isFile, isDirectory: false, isSymlink: false });
      }
    }
  }

  /** The entries of a directory as lines. */
  #addLines(lines: LineBuffer, part: Part): void {
    const { node, block: { names, types }, from, end } = part;
    lines.add(node.prefix, names.slice(from, end));
    if (node.depth + 1 < this.#walk.plan.maxDepth) {
      const { prefix } = node;
      for (let i = from; i < end; i++) {
        if (types[i] === DT_DIR) {
          const name = names[i]!;
          this.#descend(part, i, prefix + name, name, undefined);
        }
      }
    }
  }

  /** Go into a directory: what the lane has read of it already, or what it is to read. */
  #descend(
    { node, recordOf, read }: Part,
    entry: number,
    path: string,
    name: string | Uint8Array,
    rawPath: Uint8Array | undefined,
    follow = false,
  ): DirectoryNode {
    const at = node.atOf(name);
    const child = new DirectoryNode(node, path, rawPath, at, node.anchorBelow, follow);
    child.optional = follow;
    const record = recordOf === undefined || entry < 0 ? -1 : recordOf[entry]!;
    if (record >= 0) {
      read[record] = child;
      child.begun = true;
    } else if (this.#order === undefined) {
      this.#walk.pending.push(child);
    }
    return child;
  }

  /** The entries of a directory, whatever there is to do about them. */
  async #addAny(part: Part): Promise<void> {
    const walk = this.#walk;
    const { plan } = walk;
    const { node, block, end } = part;
    const items: Item[] = [];
    const links: Promise<void>[] = [];
    const descends = node.depth + 1 < plan.maxDepth;
    const { glob } = node;
    for (let i = part.from, inSlice = 0; i < end && !walk.stopped; i++, inSlice++) {
      if (inSlice === SLICE) {
        inSlice = 0;
        await walk.pause();
      }
      const name = block.names[i]!;
      const type = block.types[i]!;
      if (glob !== undefined && type !== DT_DIR && type !== DT_LNK && !glob.wantsFile(name)) {
        continue;
      }
      const rawName = block.rawNames?.get(i);
      this.#addOne({
        part,
        index: i,
        name,
        rawName,
        type,
        info: undefined,
        descends,
        items,
        links,
      });
    }
    if (links.length > 0) {
      await Promise.all(links);
    }
    if (walk.stopped) {
      return;
    }
    if (part.found !== undefined) {
      const isSorted = !this.#order?.byName || block.isSorted;
      const inOrder = isSorted ? items : await sortItems(items, SLICE, async () => {
        await walk.pause();
        return !walk.stopped;
      });
      putInOrder(part.found, inOrder);
    }
  }

  /** An entry of a directory, whatever there is to do about it. */
  #addOne(found: FoundEntry): void {
    const { part, index, name, rawName, type, descends, items } = found;
    const { node, block } = part;
    const { plan } = this.#walk;
    const isLink = type === DT_LNK;
    const verdict = node.glob?.judge(name, isLink && !plan.followSymlinks);
    if (verdict !== undefined && !verdict.directory && !verdict.other && !verdict.below) {
      return;
    }
    let compared: string | undefined;
    if (node.ignores !== undefined && this.sources !== undefined) {
      compared = this.sources.comparedName(name, rawName);
      if (this.sources.passesOver(name) || node.ignores.ignores(compared, type === DT_DIR)) {
        return;
      }
    }
    const path = node.prefix + name;
    const rawPath = rawName === undefined && node.rawPath === undefined
      ? undefined
      : joinPath(node.rawPath ?? node.prefix, rawName ?? name) as Uint8Array;
    const entry = makeEntry(path, name, type);
    if (rawName !== undefined) {
      entry.rawName = rawName;
    }
    if (rawPath !== undefined) {
      entry.rawPath = rawPath;
    }
    const item: Item = { name, rawName, entry: undefined, child: undefined };
    items.push(item);

    if (isLink && plan.followSymlinks) {
      found.links.push(this.#addTarget(node, item, entry, descends, verdict, compared));
      return;
    }
    const included = type === DT_DIR
      ? plan.includeDirs
      : isLink
      ? plan.includeSymlinks
      : plan.includeFiles;
    const wanted = verdict === undefined || (type === DT_DIR ? verdict.directory : verdict.other);
    if (included && wanted && (plan.finds === undefined || plan.finds(path))) {
      if (found.info !== undefined) {
        entry.info = found.info;
        item.entry = entry;
      } else if (!plan.stat || this.#inform(node, entry, block.stats, index)) {
        item.entry = entry;
      }
    }
    // A link that a glob names is gone through, as a shell does
    const enters = verdict === undefined ? type === DT_DIR : verdict.below !== undefined;
    if (enters && (type === DT_DIR || isLink) && descends && !plan.skips?.(path)) {
      // The parent comes first, so it must be in the batch before the child is read
      item.child = this.#descend(part, index, path, rawName ?? name, rawPath, isLink || index < 0);
      item.child.glob = verdict?.below;
      item.child.ignores = node.ignores?.below(compared!);
    }
    if (this.#order === undefined && item.entry !== undefined) {
      this.#batch.push(entry);
    }
  }

  /** Have a directory's entries come when it is their turn, if that matters. */
  #addInOrder(node: DirectoryNode, found: Found): void {
    if (this.#order !== undefined) {
      this.#order.add(node, found, this.#batch);
      this.#walk.pending.replace(node, found.children);
    }
  }

  /** Give an entry its attributes. Returns whether there are any. */
  #inform(node: DirectoryNode, entry: WalkEntry, stats: Int32Array, index: number): boolean {
    const walk = this.#walk;
    const at = index * STAT_WORDS;
    const errno = stats[at + layout.STAT_ERROR]!;
    try {
      if (errno !== 0) {
        throw osError(errno, `lstat '${entry.path}'`);
      }
      if (walk.checks) {
        const path = joinPath(node.fullPath, entry.rawName ?? entry.name);
        checkAccess(path, READ, entry.rawPath ?? entry.path);
      }
      entry.info = walk.plan.decode(stats, at);
      return true;
    } catch (error) {
      walk.report(error, entry);
      return false;
    }
  }

  /** What a link leads to, in its place. */
  async #addTarget(
    node: DirectoryNode,
    item: Item,
    entry: WalkEntry,
    descends: boolean,
    verdict: Verdict | undefined,
    compared: string | undefined,
  ): Promise<void> {
    const walk = this.#walk;
    const { plan } = walk;
    let target;
    try {
      target = await followLink(walk, node, entry);
    } catch (error) {
      walk.report(error, entry);
      return;
    }

    const { path, info } = target;
    const isDirectory = info.isDirectory || info.isSymlink;
    entry.path = path;
    if (isDirectory) {
      // As if it had been found where the path says
      entry.name = basename(path) || "/";
      entry.isDirectory = info.isDirectory;
      entry.isSymlink = false;
    }
    const included = isDirectory ? plan.includeDirs : plan.includeFiles;
    const wanted = verdict === undefined || (isDirectory ? verdict.directory : verdict.other);
    if (included && wanted && (plan.finds === undefined || plan.finds(path))) {
      if (plan.stat) {
        entry.info = info;
      }
      item.entry = entry;
      if (this.#order === undefined) {
        this.#batch.push(entry);
      }
    }
    const enters = isDirectory && (verdict === undefined || verdict.below !== undefined);
    if (enters && descends && !plan.skips?.(path)) {
      const { at, anchor } = target;
      item.child = new DirectoryNode(node, path, entry.rawPath, at, anchor, true);
      item.child.glob = verdict?.below;
      item.child.ignores = compared === undefined ? undefined : node.ignores?.below(compared);
      if (this.#order === undefined) {
        walk.pending.push(item.child);
      }
    }
  }
}

/** What became of entries that are in order. */
function putInOrder(found: Found, items: readonly Item[]): void {
  for (const { entry, child } of items) {
    if (entry !== undefined) {
      found.entries.push(entry);
    }
    if (child !== undefined) {
      found.addChild(child);
    }
  }
}

/** By entry, which record its directory has, if a lane has gone into any. */
function findRecords(records: Int32Array, entries: number): Int32Array | undefined {
  let found: Int32Array | undefined;
  for (let i = 0, at = 0; at < records.length; i++, at += RECORD_WORDS) {
    const parent = records[at + layout.TREE_DIRECTORY_PARENT]!;
    if (parent >= 0) {
      found ??= new Int32Array(entries).fill(-1);
      found[parent] = i;
    }
  }
  return found;
}
