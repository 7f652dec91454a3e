// Copyright 2026 the ioq authors. MIT license.

/**
 * The scheduler of a walk: what is read next, and when it is over.
 *
 *     pending ──▶ request of several ──▶ lanes ──▶ block ──▶ batch of entries ──▶ outbox
 *        ▲                                           │
 *        └────── directories not read yet ◀──────────┘
 *
 * Nothing is asked for while the outbox is full, that is, while whoever iterates has
 * enough to do. Where entries come in order, what the others wait for goes first.
 *
 *     root.ts                 where it begins
 *     pending_directories.ts  what is to be read, and what goes together
 *     width.ts                how many requests are in flight
 *     block_entries.ts        what becomes of a block; in order: order.ts
 *     outbox.ts               what was found, and those who wait for it
 *
 * @module
 */

import * as layout from "../../../ffi/layout.ts";
import { sharedQueue } from "../../default_queue.ts";
import { LateModule } from "../../late.ts";
import { hasCode, timeoutError } from "../../linux/errors.ts";
import { O_NOFOLLOW } from "../../linux/fcntl.ts";
import type { Runner } from "../../queue/runner.ts";
import { type Holder, type Request, toCoreRequest } from "../../operations/request.ts";
import type { OpName } from "../../operations/values.ts";
import { absolutePath, pathText } from "../../path.ts";
import { accessBelow, checkAccess, READ } from "../../permissions.ts";
import { isEnd } from "../../end.ts";
import { coreOf, runOn } from "../../queue/runner.ts";
import { TurnShare } from "../../queue/steps.ts";
import { onAbort } from "../../signal.ts";
import type { Scope } from "../../queue/scopes.ts";
import { allRules, joinRules, type LaneRules } from "../patterns/lane_rules.ts";
import { BlockEntries } from "./block_entries.ts";
import type { WalkContext } from "./context.ts";
import type { DirectoryNode } from "./directory_node.ts";
import { entryOf } from "./entry.ts";
import type { LineFormat, Lines } from "./lines.ts";
import type { WalkPlan } from "./walk_options.ts";
import type { WalkEntry } from "./walk_types.ts";
import { Outbox } from "./outbox.ts";
import { PendingDirectories } from "./pending_directories.ts";
import { findRoot, type GivenRoot } from "./root.ts";
import { type TreeBlock, treeRequest } from "./tree_block.ts";
import { Width } from "./width.ts";

const EXPRESSION_RULES = new LateModule(() => import("../patterns/expression_rules.ts"));
const IGNORE_SOURCES = new LateModule(() => import("./ignore_sources.ts"));
const NAMED_ENTRIES = new LateModule(() => import("./named_entries.ts"));

/** Entries in the outbox, beyond which nothing is asked for. */
const OUTBOX_MAX = 32768;
/** The same where entries come in order: what is ahead outlives collections, which copy it. */
const AHEAD_MAX = 8192;
/** What all walks of this thread may make of blocks in one turn of the event loop, by entries. */
const TURN = new TurnShare(8192);
/** How much more an entry takes that is not plain. */
const NOT_PLAIN = 2;
/** Sets of rules that are kept. */
const RULES_MAX = 1024;
/** Levels that a lane goes on below them by itself. */
const LEVELS = 8;
/**
 * For how long it does, in microseconds. Longer makes for fewer requests, shorter
 * shares the work more evenly among the lanes and this thread.
 */
const BUDGET_US = 1000;

/**
 * A walk in progress: its batches are entries or, if asked for, lines as far as
 * nothing needs entries to be made.
 */
export class WalkScheduler<B extends WalkEntry[] | Lines = WalkEntry[]> implements WalkContext {
  readonly plan: WalkPlan;
  readonly pending: PendingDirectories;
  ioq!: Runner;
  checks = false;
  stopped = false;
  /** Whether what was found is not to be handed out any more. */
  cut = false;

  readonly given: string;
  readonly #root: GivenRoot;
  readonly #entries: BlockEntries;
  readonly #width: Width;
  readonly #outbox = new Outbox<B>();
  readonly #abort = new AbortController();
  /** Is told when a request is over, be it after its promise was. */
  readonly #holder: Holder = {
    leave: () => {
      this.#requests--;
      if (this.stopped) {
        this.#outbox.wake();
      }
    },
  };
  #onAbort: (() => void) | undefined;
  #finished: Promise<void> | undefined;
  /** To the queue, from the first request until nothing is held any more. */
  readonly #scope: Scope;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Requests and other work in progress. */
  #running = 0;
  /** Requests that the queue has yet to be done with. */
  #requests = 0;
  #started = false;
  /** Whether nothing is read until somebody asks for more than the root itself. */
  #isHeld = false;
  /** What ends the walk, after what was found before. */
  #failure: { readonly error: unknown } | undefined;

  #mode = 0;
  #device = 0;
  #levels = 0;
  #skipRules: LaneRules = [];
  /** By what directories have in common, what keeps lanes below them. */
  readonly #laneRules = new Map<unknown, string | undefined>();
  /** Which files a lane is to tell of, if not of all. */
  #wanted: readonly string[] = [];

  /** @param format To have lines, `B` must be so. */
  constructor(root: string | Uint8Array, plan: WalkPlan, format?: LineFormat) {
    this.#root = { given: root, absolute: absolutePath(root) };
    this.given = pathText(root);
    this.plan = plan;
    this.pending = new PendingDirectories(plan.sort !== false);
    this.#width = new Width(plan.concurrency);
    this.#scope = {
      context: `walk '${this.given}'`,
      cancel: (reason) => {
        this.#end(reason);
        // Whoever iterates may never come back
        this.stop();
      },
    };
    this.#entries = new BlockEntries(this, format);
  }

  /** A batch, if there is one. */
  take(): B | undefined {
    if (this.#outbox.isEmpty) {
      return undefined;
    }
    const batch = this.#outbox.take();
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
    while (this.#outbox.isEmpty) {
      if (this.#isHeld) {
        this.#isHeld = false;
        this.#advance();
      }
      if (this.#isOver) {
        await this.stop();
        if (this.#failure !== undefined) {
          const { error } = this.#failure;
          this.#failure = undefined;
          throw error;
        }
        return false;
      }
      await this.#outbox.wait();
    }
    return true;
  }

  /** End the walk; resolves when nothing of it is left. */
  stop(): Promise<void> {
    this.#started = true;
    this.stopped = true;
    this.cut = true;
    this.#outbox.clear();
    return this.#finished ??= this.#finish();
  }

  /** Wait until nothing is in progress, and let go of everything. */
  async #finish(): Promise<void> {
    if (this.#requests > 0) {
      this.#abort.abort();
    }
    while (this.#running > 0 || this.#requests > 0) {
      await this.#outbox.wait();
    }
    for (const node of this.pending.takeAll()) {
      await node.anchor?.release(this.ioq);
    }
    clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) {
      this.plan.signal?.removeEventListener("abort", this.#onAbort);
      this.#onAbort = undefined;
    }
    if (this.ioq !== undefined) {
      coreOf(this.ioq).scopes.leave(this.#scope);
    }
  }

  /** Run a request that ends with the walk. */
  run<V>(request: Request<OpName, V>): Promise<V> {
    this.#requests++;
    toCoreRequest(request).holder = this.#holder;
    return runOn(this.ioq, request, { signal: this.#abort.signal });
  }

  async pause(): Promise<void> {
    this.#flush();
    this.#outbox.wake();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Something could not be read. */
  report(error: unknown, entry: WalkEntry): void {
    if (this.stopped) {
      return;
    }
    const { onError } = this.plan;
    if (isEnd(error) || onError === "throw") {
      this.#fail(error);
    } else if (onError !== "skip") {
      try {
        onError(error as Error, entry);
      } catch (thrown) {
        this.#fail(thrown);
      }
    }
  }

  /** Whether there is nothing to come. */
  get #isOver(): boolean {
    return this.#running === 0 && this.#requests === 0 &&
      (this.stopped || this.pending.size === 0);
  }

  /** End the walk at once. */
  #end(error: unknown): void {
    this.cut = true;
    this.#outbox.clear();
    this.#fail(error);
  }

  /** End the walk with an error, after what was found before. */
  #fail(error: unknown): void {
    if (!this.stopped) {
      this.stopped = true;
      this.#failure = { error };
      this.#abort.abort();
    }
    this.#outbox.wake();
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
    this.#outbox.wake();
  }

  /** Hand over what was made. */
  #flush(): void {
    if (this.cut) {
      return;
    }
    const isLast = this.stopped || this.#running === 0 && this.pending.size === 0;
    const lines = this.#entries.takeLines(isLast);
    if (lines !== undefined) {
      this.#outbox.put(lines as B);
    }
    const entries = this.#entries.takeEntries();
    if (entries !== undefined) {
      this.#outbox.put(entries as B);
    }
  }

  #begin(): void {
    const { signal, timeoutMs, maxDepth } = this.plan;
    if (timeoutMs !== undefined) {
      const context = `walk '${this.given}'`;
      this.#timer = setTimeout(() => this.#end(timeoutError(timeoutMs, context)), timeoutMs);
      // Who goes on no more need not wait for it
      Deno.unrefTimer(Number(this.#timer));
    }
    if (signal !== undefined) {
      this.#onAbort = () => this.#end(signal.reason);
      if (signal.aborted) {
        this.#onAbort();
        return;
      }
      onAbort(signal, this.#onAbort);
    }
    if (maxDepth >= 0) {
      this.#work(() => this.#beginAtRoot());
    }
  }

  async #beginAtRoot(): Promise<void> {
    const { plan } = this;
    this.ioq = plan.ioq ?? await sharedQueue();
    coreOf(this.ioq).scopes.enter(this.#scope);
    this.checks = this.#mustCheck();
    this.#mode = (plan.followSymlinks ? layout.TREE_IDENTIFY : 0) |
      (plan.stat ? layout.TREE_STAT : 0) |
      (plan.sameDevice ? layout.TREE_ONE_DEVICE : 0) |
      (plan.sort === true ? layout.TREE_SORT : 0);
    this.#levels = this.checks ? 0 : LEVELS;
    if (plan.skip.length > 0 || plan.suffixes !== undefined || plan.match !== undefined) {
      await this.#findRules();
    }

    const root = await findRoot(this, this.#root);
    if (root !== undefined) {
      this.#device = root.device;
      if (root.node !== undefined && plan.ignores !== undefined) {
        const { IgnoreSources } = await IGNORE_SOURCES.load();
        const sources = new IgnoreSources(this, plan.ignores);
        this.#entries.sources = sources;
        root.node.ignores = await sources.above(root.node.fullPath);
      }
      this.#entries.addRoot(root.entry, root.node);
      // As @std/fs has it: who is told of the root may still change what is in it
      this.#isHeld = root.entry !== undefined;
    }
  }

  /** What lanes can decide of what expressions and extensions say. */
  async #findRules(): Promise<void> {
    const { skip, glob, ignores, followSymlinks, suffixes, match } = this.plan;
    const { nameFilter, skipRules, wantedRules } = await EXPRESSION_RULES.load();
    this.#skipRules = allRules(skip.map(skipRules));
    this.#entries.skipsName = skip.length === 0 ? undefined : nameFilter(skip);
    // Rules about what is ignored are files, too, and of links it matters where they lead
    if (glob === undefined && ignores === undefined && !followSymlinks) {
      this.#wanted = wantedRules(suffixes, match);
    }
  }

  /** Whether it takes a check of each path. */
  #mustCheck(): boolean {
    return accessBelow(this.plan.followSymlinks ? "/" : this.#root.absolute, READ) !== "all";
  }

  /** What keeps a lane below a directory from what it must not read; `undefined`: it is to stay. */
  #rulesFor(node: DirectoryNode): string | undefined {
    const { glob } = this.plan;
    const key = node.laneKey;
    if (!this.#laneRules.has(key)) {
      const rules = allRules([
        this.#skipRules,
        glob === undefined ? [] : node.glob!.goesOn ? glob.patterns.laneRules : undefined,
        node.ignores?.shared.laneRules ?? [],
        this.#entries.sources?.laneRules ?? [],
        this.#wanted,
      ]);
      if (this.#laneRules.size > RULES_MAX) {
        this.#laneRules.clear();
      }
      this.#laneRules.set(key, rules === undefined ? undefined : joinRules(rules));
    }
    return this.#laneRules.get(key);
  }

  /** Ask for what is pending, as far as that makes sense now. */
  #advance(): void {
    const { pending } = this;
    const width = this.#width.now;
    while (!this.stopped && !this.#isHeld && pending.size > 0 && this.#running < width) {
      // What all that comes in order waits for is the first one
      const isAwaited = this.#entries.awaited?.begun === false;
      const most = this.plan.sort === false ? OUTBOX_MAX : AHEAD_MAX;
      if (!isAwaited && this.#outbox.entries + this.#entries.waiting >= most) {
        return;
      }
      this.#read(pending.nextGroup(width));
    }
  }

  /** Read directories. */
  #read(nodes: DirectoryNode[]): void {
    const [first] = nodes;
    if (first!.names !== undefined) {
      this.#work(() => this.#look(nodes));
      return;
    }
    this.#work(async () => {
      let block;
      try {
        block = await this.#request(nodes);
      } catch (error) {
        if (nodes.length > 1) {
          // Whose fault it is shows if each is asked for by itself
          for (const node of nodes) {
            node.alone = true;
          }
          this.pending.putBack(nodes, 0);
          return;
        }
        if (!first!.optional || !hasCode(error, "ENOENT", "ENOTDIR", "ELOOP")) {
          this.report(error, entryOf(first!));
        }
        this.#entries.addNothing(first!);
      }
      const done = block === undefined || this.stopped ? nodes : await this.#sort(nodes, block);
      for (const node of done) {
        if (node.anchor !== undefined) {
          await node.anchor.release(this.ioq);
        }
      }
    });
  }

  /** Look for what globs have named, instead of reading directories. */
  async #look(nodes: readonly DirectoryNode[]): Promise<void> {
    const { findNamed } = await NAMED_ENTRIES.load();
    await Promise.all(nodes.map(async (node) => {
      await this.#entries.sources?.enter(node, undefined);
      const named = this.stopped ? [] : await findNamed(this, node);
      if (!this.stopped) {
        await this.#entries.addNamed(node, named);
      }
      await node.anchor?.release(this.ioq);
    }));
  }

  async #request(nodes: readonly DirectoryNode[]): Promise<TreeBlock> {
    const [first] = nodes;
    let deepest = 0;
    if (!this.checks && this.#mustCheck()) {
      // Something has been revoked since it began
      this.checks = true;
      this.#levels = 0;
    }
    for (const node of nodes) {
      deepest = Math.max(deepest, node.depth);
      if (this.checks) {
        checkAccess(node.fullPath, READ, node.rawPath ?? node.path);
      }
    }
    const rules = this.#levels === 0 ? undefined : this.#rulesFor(first!);
    const told = rules ?? joinRules(this.#wanted) ?? "";
    const request = treeRequest({
      fd: await first!.anchor?.open(this.ioq),
      paths: nodes.length === 1 ? first!.at : nodes.map((node) => node.at).join("\0"),
      flags: first!.follow ? 0 : O_NOFOLLOW,
      mode: this.#mode,
      device: this.#device,
      ...(told === "" ? {} : { rules: told }),
      levels: rules === undefined ? 0 : Math.min(this.#levels, this.plan.maxDepth - 1 - deepest),
      budgetUs: BUDGET_US,
    });
    const block = await this.run(request);
    this.#width.learn(block.isSlow);
    return block;
  }

  /**
   * Make entries and directories of a block.
   *
   * @returns The directories that are dealt with.
   */
  async #sort(nodes: readonly DirectoryNode[], block: TreeBlock): Promise<DirectoryNode[]> {
    const { stat, glob, ignores } = this.plan;
    const weight = stat || glob !== undefined || ignores !== undefined ? NOT_PLAIN : 1;
    await TURN.take(weight * block.types.length);
    if (this.#entries.isInTheWay) {
      this.#flush();
    }
    const { reached, below } = await this.#entries.add(nodes, block);
    this.pending.putBack(nodes, reached);
    return [...nodes.slice(0, reached), ...below];
  }
}
