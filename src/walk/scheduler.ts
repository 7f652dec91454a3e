// Copyright 2026 the ioq authors. MIT license.

/**
 * The scheduler of a walk: which directories are read next, and what becomes of
 * their entries.
 *
 *     pending ──▶ request of several ──▶ lanes ──▶ block ──▶ batch of entries ──▶ outbox
 *        ▲                                           │
 *        └────── directories not read yet ◀──────────┘
 *
 * What is pending is taken from the end, so that a walk goes down before it goes
 * on: what is kept are the siblings of the directories on the way, not a whole
 * level of the tree. Nothing is asked for while the outbox is full, that is, while
 * whoever iterates has enough to do.
 *
 * In order, batches are those of `order.ts`, and what it waits for goes first.
 *
 * @module
 */

import { basename, normalize } from "node:path/posix";
import * as layout from "../../ffi/layout.ts";
import { defaultQueue } from "../default_queue.ts";
import { osError } from "../errors.ts";
import { isUtf8 } from "../directory.ts";
import { decodeFileInfo, type FileInfo } from "../file_info.ts";
import type { Ioq } from "../ioq.ts";
import { op } from "../op.ts";
import { type Holder, type Request, toCoreRequest } from "../operation/request.ts";
import type { OpName, OpValues } from "../operation/values.ts";
import { joinPath, pathText } from "../path.ts";
import { checkAccess, mayReadAllBelow, READ } from "../permissions.ts";
import { DirectoryNode } from "./directory_node.ts";
import { LineBuffer, type LineFormat, type Lines } from "./lines.ts";
import type { WalkEntry, WalkPlan } from "./options.ts";
import { type Item, Order } from "./order.ts";
import {
  DT_DIR,
  DT_LNK,
  DT_REG,
  RECORD_WORDS,
  STAT_WORDS,
  type TreeBlock,
  treeRequest,
} from "./tree_block.ts";

/** Entries in the outbox, beyond which nothing is asked for. */
const OUTBOX_MAX = 32768;
/** Characters of a batch of lines, unless nothing else is to come. */
const LINES_MIN = 65536;
/** Directories of one request, at the most. */
const GROUP_MAX = 64;
/** Characters of their paths, so that they have at most 4095 bytes. */
const GROUP_LENGTH = 1300;
/** Levels that a lane goes on below them by itself. */
const LEVELS = 8;
/**
 * For how long it does, in microseconds. Longer makes for fewer requests, shorter
 * shares the work more evenly among the lanes and this thread.
 */
const BUDGET_US = 1000;

/** From `<fcntl.h>`, by architecture: x86 has one, ARM another. */
const O_NOFOLLOW = Deno.build.arch === "aarch64" ? 0o100000 : 0o400000;

/**
 * A walk in progress: its batches are entries or, if asked for, lines as far as
 * nothing needs entries to be made.
 */
export class WalkScheduler<B extends WalkEntry[] | Lines = WalkEntry[]> {
  readonly #plan: WalkPlan;
  readonly #root: string | Uint8Array;
  #ioq!: Ioq;
  readonly #abort = new AbortController();
  /** Is told when a request is over, be it after its promise was. */
  readonly #holder: Holder = {
    leave: () => {
      this.#requests--;
      if (this.#stopped) {
        this.#wake();
      }
    },
  };
  #onAbort: (() => void) | undefined;

  /** Directories to read, the next ones at the end. */
  readonly #pending: DirectoryNode[] = [];
  /** Requests and other work in progress. */
  #running = 0;
  /** Requests that the queue has yet to be done with. */
  #requests = 0;
  /** Batches that were not taken, from {@linkcode #outboxAt} on. */
  #outbox: (B | undefined)[] = [];
  #outboxAt = 0;
  #outboxEntries = 0;
  /** The batch that is being made. */
  #batch: WalkEntry[] = [];
  readonly #lines: LineBuffer | undefined;
  readonly #order: Order | undefined;

  #started = false;
  #stopped = false;
  /** What ends the walk, after what was found before. */
  #failure: { readonly error: unknown } | undefined;
  /** Whether what was found is not to be handed out any more. */
  cut = false;
  /** Those who wait for a batch or the end. */
  #waiting: (() => void)[] = [];

  /** Whether each path must be checked for permission. */
  #checks = false;
  #mode = 0;
  #device = 0;
  #levels = 0;

  /** @param format To have lines, `B` must be so. */
  constructor(root: string | Uint8Array, plan: WalkPlan, format?: LineFormat) {
    this.#root = root;
    this.#plan = plan;
    this.#order = plan.sort === false ? undefined : new Order(plan.sort === true);
    const all = plan.includeFiles && plan.includeDirs && plan.includeSymlinks &&
      plan.finds === undefined;
    const plain = all && !plan.followSymlinks && !plan.stat && plan.sort === false;
    this.#lines = plain && format !== undefined ? new LineBuffer(format) : undefined;
  }

  /** A batch, if there is one. */
  take(): B | undefined {
    if (this.#outboxAt === this.#outbox.length) {
      return undefined;
    }
    const batch = this.#outbox[this.#outboxAt]!;
    // Nothing is to outlive its use: what the collector finds alive costs it most
    this.#outbox[this.#outboxAt++] = undefined;
    if (this.#outboxAt === this.#outbox.length) {
      this.#outbox = [];
      this.#outboxAt = 0;
    }
    this.#outboxEntries -= batch.length;
    this.#advance();
    return batch;
  }

  /**
   * Wait for a batch.
   *
   * @returns Whether there may be one; the walk is over otherwise.
   * @throws What ended the walk, once.
   */
  async wait(): Promise<boolean> {
    if (!this.#started) {
      this.#started = true;
      this.#begin();
    }
    while (this.#outboxAt === this.#outbox.length) {
      if (this.#isOver) {
        await this.stop();
        if (this.#failure !== undefined) {
          const { error } = this.#failure;
          this.#failure = undefined;
          throw error;
        }
        return false;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return true;
  }

  /** End the walk; resolves when nothing of it is left. */
  async stop(): Promise<void> {
    this.#started = true;
    this.#stopped = true;
    this.cut = true;
    this.#outbox = [];
    this.#outboxAt = 0;
    if (this.#requests > 0) {
      this.#abort.abort();
    }
    while (this.#running > 0 || this.#requests > 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    for (const node of this.#pending.splice(0)) {
      await node.anchor?.release(this.#ioq);
    }
    if (this.#onAbort !== undefined) {
      this.#plan.signal?.removeEventListener("abort", this.#onAbort);
      this.#onAbort = undefined;
    }
  }

  /** Whether there is nothing to come. */
  get #isOver(): boolean {
    return this.#running === 0 && this.#requests === 0 &&
      (this.#stopped || this.#pending.length === 0);
  }

  #wake(): void {
    if (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const wake of waiting) {
        wake();
      }
    }
  }

  /** End the walk with an error, after what was found before. */
  #fail(error: unknown): void {
    if (!this.#stopped) {
      this.#stopped = true;
      this.#failure = { error };
      this.#abort.abort();
    }
    this.#wake();
  }

  /** Do something that belongs to the walk. */
  async #work(work: () => Promise<void>): Promise<void> {
    this.#running++;
    try {
      await work();
    } catch (error) {
      this.#fail(error);
    }
    this.#running--;
    this.#flush();
    this.#advance();
    this.#wake();
  }

  /** Run a request that ends with the walk. */
  #run<K extends OpName>(request: Request<K>): Promise<OpValues[K]> {
    this.#requests++;
    toCoreRequest(request).holder = this.#holder;
    return this.#ioq.run(request, { signal: this.#abort.signal });
  }

  /** Something could not be read. */
  #report(error: unknown, entry: WalkEntry): void {
    if (this.#stopped) {
      return;
    }
    const { onError } = this.#plan;
    // The queue itself is of no more use: nobody can pass over that
    const fatal = !(error instanceof Error) || error instanceof Deno.errors.BadResource ||
      error instanceof Deno.errors.Interrupted;
    if (fatal || onError === "throw") {
      this.#fail(error);
    } else if (onError !== "skip") {
      try {
        onError(error, entry);
      } catch (thrown) {
        this.#fail(thrown);
      }
    }
  }

  /** Hand the batch over. */
  #flush(): void {
    if (this.cut) {
      return;
    }
    const idle = this.#stopped || this.#running === 0 && this.#pending.length === 0;
    const lines = this.#lines?.take(idle || this.#batch.length > 0 ? 0 : LINES_MIN);
    if (lines !== undefined) {
      this.#put(lines as B);
    }
    if (this.#batch.length > 0) {
      this.#put(this.#batch as B);
      this.#batch = [];
    }
  }

  #put(batch: B): void {
    this.#outbox.push(batch);
    this.#outboxEntries += batch.length;
  }

  #begin(): void {
    const { signal, maxDepth } = this.#plan;
    if (signal !== undefined) {
      this.#onAbort = () => {
        this.cut = true;
        this.#outbox = [];
        this.#outboxAt = 0;
        this.#fail(signal.reason);
      };
      if (signal.aborted) {
        this.#onAbort();
        return;
      }
      signal.addEventListener("abort", this.#onAbort);
    }
    if (maxDepth >= 0) {
      this.#work(() => this.#beginAtRoot());
    }
  }

  /** The root: found by its own, and always followed if it is a link. */
  async #beginAtRoot(): Promise<void> {
    const plan = this.#plan;
    const given = this.#root;
    this.#ioq = plan.ioq ?? await defaultQueue();
    this.#checks = !mayReadAllBelow(plan.followSymlinks ? "/" : given);
    this.#mode = (plan.followSymlinks ? layout.TREE_IDENTIFY : 0) |
      (plan.stat ? layout.TREE_STAT : 0) |
      (plan.sameDevice ? layout.TREE_ONE_DEVICE : 0);
    // Directories that may not be gone into, and those in order, are read one by one
    const byItself = plan.skips === undefined && plan.sort === false && !this.#checks;
    this.#levels = byItself ? LEVELS : 0;

    const text = pathText(given);
    const path = normalize(text);
    const entry: WalkEntry = {
      path,
      name: basename(path) || "/",
      isFile: false,
      isDirectory: false,
      isSymlink: false,
    };
    const rawPath = typeof given === "string" || isUtf8(given) ? undefined : given;
    if (rawPath !== undefined) {
      entry.rawPath = rawPath;
    }

    const found = plan.includeDirs && (plan.finds === undefined || plan.finds(text));
    if (found || plan.sameDevice) {
      try {
        // Not the normalized path if that may be another: a link may go before ".."
        const info = await this.#run(op.stat(text.includes("..") ? given : rawPath ?? path));
        this.#device = info.dev;
        entry.isFile = info.isFile;
        entry.isDirectory = info.isDirectory;
        if (plan.stat) {
          entry.info = info;
        }
      } catch (error) {
        this.#report(error, entry);
        return;
      }
    }
    if (found) {
      this.#batch.push(entry);
    }
    if (plan.maxDepth >= 1 && !plan.skips?.(text)) {
      const at = rawPath ?? text;
      const node = new DirectoryNode(undefined, path, rawPath, at, undefined, true);
      this.#pending.push(node);
      this.#order?.enter(node);
    }
  }

  /** Ask for what is pending, as far as that makes sense now. */
  #advance(): void {
    const order = this.#order;
    while (!this.#stopped && this.#pending.length > 0 && this.#running < this.#plan.concurrency) {
      const awaited = order?.awaited;
      if (awaited !== undefined && !awaited.begun) {
        this.#read([awaited]);
      } else if (this.#outboxEntries + (order?.size ?? 0) < OUTBOX_MAX) {
        const group = this.#nextGroup();
        if (group.length === 0) {
          return;
        }
        this.#read(group);
      } else {
        return;
      }
    }
  }

  /** Take directories out for a request: a fair share of those that are pending. */
  #nextGroup(): DirectoryNode[] {
    const pending = this.#pending;
    const share = Math.min(GROUP_MAX, Math.ceil(pending.length / this.#plan.concurrency));
    const group: DirectoryNode[] = [];
    let length = 0;
    while (group.length < share && pending.length > 0) {
      const node = pending[pending.length - 1]!;
      if (node.begun) {
        pending.pop();
        continue;
      }
      const [first] = group;
      length += node.at.length + 1;
      if (
        first !== undefined &&
        (length > GROUP_LENGTH || node.alone || node.anchor !== first.anchor ||
          node.follow !== first.follow || typeof node.at !== "string")
      ) {
        break;
      }
      pending.pop();
      group.push(node);
      if (node.alone || typeof node.at !== "string") {
        break;
      }
    }
    return group;
  }

  /** Read directories. */
  #read(nodes: DirectoryNode[]): void {
    for (const node of nodes) {
      node.begun = true;
    }
    this.#work(async () => {
      const [first] = nodes;
      let block;
      try {
        block = await this.#request(nodes);
      } catch (error) {
        if (nodes.length > 1) {
          // Whose fault it is shows if each is asked for by itself
          for (const node of nodes) {
            node.alone = true;
          }
          this.#putBack(nodes, 0);
          return;
        }
        this.#reportDirectory(error, first!);
        this.#addInOrder(first!, []);
      }
      const done = block === undefined || this.#stopped ? nodes : await this.#sort(nodes, block);
      for (const node of done) {
        if (node.anchor !== undefined) {
          await node.anchor.release(this.#ioq);
        }
      }
    });
  }

  async #request(nodes: readonly DirectoryNode[]): Promise<TreeBlock> {
    const [first] = nodes;
    let deepest = 0;
    for (const node of nodes) {
      deepest = Math.max(deepest, node.depth);
      if (this.#checks) {
        checkAccess(node.rawPath ?? node.path, READ, false);
      }
    }
    const request = treeRequest({
      fd: await first!.anchor?.open(this.#ioq),
      paths: nodes.length === 1 ? first!.at : nodes.map((node) => node.at).join("\0"),
      flags: first!.follow ? 0 : O_NOFOLLOW,
      mode: this.#mode,
      device: this.#device,
      levels: Math.min(this.#levels, this.#plan.maxDepth - 1 - deepest),
      budgetUs: BUDGET_US,
    });
    return await this.#run(request) as unknown as TreeBlock;
  }

  /** Put directories back that were not read, from the nth on. */
  #putBack(nodes: readonly DirectoryNode[], from: number): void {
    for (let i = nodes.length - 1; i >= from; i--) {
      nodes[i]!.begun = false;
      this.#pending.push(nodes[i]!);
    }
  }

  #reportDirectory(error: unknown, node: DirectoryNode): void {
    const entry = makeEntry(node.path, basename(node.path) || "/", DT_DIR);
    if (node.rawPath !== undefined) {
      entry.rawPath = node.rawPath;
    }
    this.#report(error, entry);
  }

  /**
   * Make entries and directories of a block.
   *
   * @returns The directories that are dealt with.
   */
  async #sort(nodes: readonly DirectoryNode[], block: TreeBlock): Promise<DirectoryNode[]> {
    const plan = this.#plan;
    const { records, types } = block;
    const lines = this.#lines;
    if (lines !== undefined && this.#batch.length > 0) {
      // What is found as entries and what as lines must not overtake each other
      this.#flush();
    }
    const count = records.length / RECORD_WORDS;
    /** By record, the directory it is of, if it was to be gone into. */
    const read: (DirectoryNode | undefined)[] = new Array(count).fill(undefined);
    const recordOf = findRecords(records, types.length);
    let reached = 0;

    for (let i = 0, at = 0, entryAt = 0; i < count && !this.#stopped; i++, at += RECORD_WORDS) {
      const parent = records[at + layout.TREE_DIRECTORY_PARENT]!;
      const end = entryAt + records[at + layout.TREE_DIRECTORY_ENTRIES]!;
      const error = records[at + layout.TREE_DIRECTORY_ERROR]!;
      const node = parent < 0 ? nodes[reached++] : read[i];
      if (node !== undefined) {
        if (plan.followSymlinks) {
          const identity = at + layout.TREE_DIRECTORY_DEV_LOW;
          node.identity = records.slice(identity, identity + 4);
        }
        if (node.identity === undefined || !node.isCycle) {
          const plain = this.#isPlain(node, block);
          if (plain && lines !== undefined) {
            this.#addLines(lines, node, block, entryAt, end, recordOf, read);
          } else if (plain) {
            this.#addPlain(node, block, entryAt, end, recordOf, read);
          } else {
            await this.#add(node, block, entryAt, end, recordOf, read);
          }
        } else {
          this.#addInOrder(node, []);
        }
        if (error !== 0) {
          // As Deno.readDir() would say it, and it knows no normalized root
          const path = node.parent === undefined ? pathText(node.at) : node.path;
          this.#reportDirectory(osError(error, `readdir '${path}'`), node);
        }
      }
      entryAt = end;
    }
    this.#putBack(nodes, reached);
    const done = nodes.slice(0, reached);
    for (const node of read) {
      if (node !== undefined) {
        done.push(node);
      }
    }
    return done;
  }

  /** Whether entries are what the block says, with nothing to look up. */
  #isPlain(node: DirectoryNode, block: TreeBlock): boolean {
    const { followSymlinks, stat, skips, sort } = this.#plan;
    return !followSymlinks && !stat && sort === false && skips === undefined &&
      block.rawNames === undefined && node.rawPath === undefined;
  }

  /** The entries of a directory, most of them: nothing here may be slow. */
  #addPlain(
    node: DirectoryNode,
    block: TreeBlock,
    from: number,
    end: number,
    recordOf: Int32Array | undefined,
    read: (DirectoryNode | undefined)[],
  ): void {
    const { includeFiles, includeDirs, includeSymlinks, finds, maxDepth } = this.#plan;
    const { names, types } = block;
    const batch = this.#batch;
    const prefix = prefixOf(node.path);
    const descends = node.depth + 1 < maxDepth;
    for (let i = from; i < end; i++) {
      const name = names[i]!;
      const type = types[i]!;
      const path = prefix + name;
      if (type === DT_DIR) {
        if (includeDirs && (finds === undefined || finds(path))) {
          batch.push({ path, name, isFile: false, isDirectory: true, isSymlink: false });
        }
        if (descends) {
          this.#descend(node, path, name, undefined, i, recordOf, read);
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
  #addLines(
    lines: LineBuffer,
    node: DirectoryNode,
    { names, types }: TreeBlock,
    from: number,
    end: number,
    recordOf: Int32Array | undefined,
    read: (DirectoryNode | undefined)[],
  ): void {
    lines.add(node.path, names.slice(from, end));
    if (node.depth + 1 < this.#plan.maxDepth) {
      const prefix = prefixOf(node.path);
      for (let i = from; i < end; i++) {
        if (types[i] === DT_DIR) {
          const name = names[i]!;
          this.#descend(node, prefix + name, name, undefined, i, recordOf, read);
        }
      }
    }
  }

  /** Go into a directory: what the lane has read of it already, or what it is to read. */
  #descend(
    node: DirectoryNode,
    path: string,
    name: string | Uint8Array,
    rawPath: Uint8Array | undefined,
    entry: number,
    recordOf: Int32Array | undefined,
    read: (DirectoryNode | undefined)[],
  ): DirectoryNode {
    const at = node.atOf(name);
    const child = new DirectoryNode(node, path, rawPath, at, node.anchorBelow, false);
    const record = recordOf === undefined ? -1 : recordOf[entry]!;
    if (record >= 0) {
      read[record] = child;
    } else if (this.#order === undefined) {
      this.#pending.push(child);
    }
    return child;
  }

  /** The entries of a directory, whatever there is to do about them. */
  async #add(
    node: DirectoryNode,
    block: TreeBlock,
    from: number,
    end: number,
    recordOf: Int32Array | undefined,
    read: (DirectoryNode | undefined)[],
  ): Promise<void> {
    const plan = this.#plan;
    const items: Item[] = [];
    const links: Promise<void>[] = [];
    const prefix = prefixOf(node.path);
    const descends = node.depth + 1 < plan.maxDepth;
    for (let i = from; i < end && !this.#stopped; i++) {
      const name = block.names[i]!;
      const rawName = block.rawNames?.get(i);
      const path = prefix + name;
      const rawPath = rawName === undefined && node.rawPath === undefined
        ? undefined
        : joinPath(node.rawPath ?? prefix, rawName ?? name) as Uint8Array;
      const type = block.types[i]!;
      const entry = makeEntry(path, name, type);
      if (rawName !== undefined) {
        entry.rawName = rawName;
      }
      if (rawPath !== undefined) {
        entry.rawPath = rawPath;
      }
      const item: Item = { name, rawName, entry: undefined, child: undefined };
      items.push(item);

      if (type === DT_LNK && plan.followSymlinks) {
        links.push(this.#follow(node, item, entry, descends));
        continue;
      }
      const included = type === DT_DIR
        ? plan.includeDirs
        : type === DT_LNK
        ? plan.includeSymlinks
        : plan.includeFiles;
      if (included && (plan.finds === undefined || plan.finds(path))) {
        if (!plan.stat || this.#inform(entry, block.stats, i)) {
          item.entry = entry;
        }
      }
      if (type === DT_DIR && descends && !plan.skips?.(path)) {
        // The parent comes first, so it must be in the batch before the child is read
        item.child = this.#descend(node, path, rawName ?? name, rawPath, i, recordOf, read);
      }
      if (this.#order === undefined && item.entry !== undefined) {
        this.#batch.push(entry);
      }
    }
    if (links.length > 0) {
      await Promise.all(links);
    }
    if (!this.#stopped) {
      this.#addInOrder(node, items);
    }
  }

  /** Have a directory's entries come when it is their turn, if that matters. */
  #addInOrder(node: DirectoryNode, items: Item[]): void {
    if (this.#order === undefined) {
      return;
    }
    for (const entry of this.#order.add(node, items)) {
      this.#batch.push(entry);
    }
    for (let i = items.length - 1; i >= 0; i--) {
      const { child } = items[i]!;
      if (child !== undefined) {
        this.#pending.push(child);
      }
    }
  }

  /** Give an entry its attributes. Returns whether there are any. */
  #inform(entry: WalkEntry, stats: Int32Array, index: number): boolean {
    const at = index * STAT_WORDS;
    const errno = stats[at + layout.STAT_ERROR]!;
    try {
      if (errno !== 0) {
        throw osError(errno, `lstat '${entry.path}'`);
      }
      if (this.#checks) {
        checkAccess(entry.rawPath ?? entry.path, READ, false);
      }
      entry.info = decodeFileInfo(stats, at);
      return true;
    } catch (error) {
      this.#report(error, entry);
      return false;
    }
  }

  /** Find out what a link leads to, and go on there. */
  async #follow(
    node: DirectoryNode,
    item: Item,
    entry: WalkEntry,
    descends: boolean,
  ): Promise<void> {
    const plan = this.#plan;
    const anchor = node.anchorBelow;
    let at = node.atOf(entry.rawName ?? entry.name);
    let below = anchor;
    let info: FileInfo;
    anchor?.hold();
    try {
      if (anchor === undefined && entry.rawPath === undefined) {
        const real = await this.#run(op.realPath(at));
        const exact = !real.includes("\ufffd");
        info = await this.#run(exact ? op.lstat(real) : op.stat(at));
        if (plan.canonicalize && exact) {
          entry.path = real;
          at = real;
          below = undefined;
        }
      } else {
        // No path that leads there, or none that text stands for: it keeps its own
        info = await this.#run(
          op.stat(at, anchor === undefined ? {} : { at: await anchor.open(this.#ioq) }),
        );
      }
    } catch (error) {
      this.#report(error, entry);
      return;
    } finally {
      await anchor?.release(this.#ioq);
    }

    const { path } = entry;
    const isDirectory = info.isDirectory || info.isSymlink;
    if (isDirectory) {
      // As if it had been found where the path says
      entry.name = basename(path) || "/";
      entry.isDirectory = info.isDirectory;
      entry.isSymlink = false;
    }
    const included = isDirectory ? plan.includeDirs : plan.includeFiles;
    if (included && (plan.finds === undefined || plan.finds(path))) {
      if (plan.stat) {
        entry.info = info;
      }
      item.entry = entry;
      if (this.#order === undefined) {
        this.#batch.push(entry);
      }
    }
    if (isDirectory && descends && !plan.skips?.(path)) {
      const child = new DirectoryNode(node, path, entry.rawPath, at, below, true);
      item.child = child;
      if (this.#order === undefined) {
        this.#pending.push(child);
      }
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

function makeEntry(path: string, name: string, type: number): WalkEntry {
  return {
    path,
    name,
    isFile: type === DT_REG,
    isDirectory: type === DT_DIR,
    isSymlink: type === DT_LNK,
  };
}

/** What the paths of a directory's entries begin with. */
function prefixOf(path: string): string {
  return path === "." || path === "./" ? "" : path.endsWith("/") ? path : `${path}/`;
}
