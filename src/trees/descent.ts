// Copyright 2026 the ioq authors. MIT license.

/**
 * Going through a tree by descriptors, to change it.
 *
 * Who changes a tree must not be led out of it: a directory that somebody replaces
 * by a symbolic link between two system calls would make `rm -r` remove what the
 * link leads to. So no path of more than one name is used below the root. Every
 * directory is opened relative to the descriptor of the one it is in, and not if it
 * is a link; whatever is done is done relative to such a descriptor.
 *
 *     root ── a ── b ── c        a descriptor each, while few
 *      └───── d ── e             branches side by side, as many as may be
 *
 * A descriptor for every level would limit the depth. Beyond a few levels one is
 * closed while the walk is below it, and opened again as `..` of what is below, if
 * that is the same inode still: if not, somebody has moved the directory, and its
 * part of the tree is left alone.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import { checkInteger, checkTimeout } from "../integer.ts";
import { O_NOFOLLOW } from "../linux/fcntl.ts";
import { isEnd } from "../end.ts";
import { ownOptions } from "../own_option.ts";
import { coreOf, type Runner, runOn } from "../queue/runner.ts";
import type { Scope } from "../queue/scopes.ts";
import {
  CoreRequest,
  type Holder,
  type RequestArguments,
  toCoreRequest,
} from "../operations/request.ts";
import type { OpName, OpValues } from "../operations/values.ts";
import { joinPath, pathText } from "../path.ts";
import {
  RECORD_WORDS,
  type TreeArguments,
  type TreeBlock,
  treeRequest,
} from "./walk/tree_block.ts";
import { checkSignal, onAbort } from "../signal.ts";
import { hasCode, inContext, osError, timeoutError } from "../linux/errors.ts";
import { checkOnError, type ErrorPolicy } from "./error_policy.ts";
import { splitPath } from "./root_path.ts";

/** What of {@linkcode TreeOptions} is needed to go through a tree on a given queue. */
export interface DescentOptions {
  concurrency?: number | undefined;
  signal?: AbortSignal | undefined;
  /** For all of it. */
  timeoutMs?: number | undefined;
  onError?: ErrorPolicy<string> | undefined;
  onProgress?: ((progress: { path: string; entries: number }) => void) | undefined;
}

/** Levels below which descriptors are closed on the way down. */
const LEVELS_OPEN = 16;
/** Directories that are gone through side by side, at the most. */
const BRANCHES = 16;
/** Descriptors from which on there are to be no more: what a process may have is limited. */
const OPEN_MANY = 2 * BRANCHES + 2;
/** How often a directory is tried to be opened while there is no descriptor, a millisecond apart. */
const OPEN_TRIES = 1000;
const CONCURRENCY = 64;
const CONCURRENCY_MAX = 4096;
/** A directory that is gone through, and what it is when it is opened again. */
export class OpenDirectory {
  /** For messages. */
  readonly path: string;
  /** Its descriptor, -1 while it is closed. */
  fd: number;
  /** Device and inode, as words. */
  readonly identity: Int32Array;

  constructor(path: string, fd: number, identity: Int32Array) {
    this.path = path;
    this.fd = fd;
    this.identity = identity;
  }

  /** Whether it is the same one. */
  is(identity: Int32Array): boolean {
    return this.identity.every((word, i) => word === identity[i]);
  }
}

/** An entry of a directory. */
export interface Found {
  /** Its name, in bytes if it is not UTF-8. */
  readonly name: string | Uint8Array;
  /** From `<dirent.h>`. */
  readonly type: number;
  /** For messages. */
  readonly path: string;
}

/** Runs what belongs to one going through a tree. */
export class Descent {
  readonly ioq: Runner;
  readonly concurrency: number;
  readonly #options: DescentOptions;
  readonly #abort = new AbortController();
  readonly #verb: string;
  /** Throws if what it does is not allowed any more. */
  permit: () => void = () => {};
  #branches = BRANCHES;
  /** Descriptors from which on no branch is begun, and those above are closed. */
  #openMany = OPEN_MANY;
  /** Requests that the queue has yet to be done with: promises may end before. */
  #requests = 0;
  #onRest: (() => void) | undefined;
  readonly #holder: Holder = {
    leave: () => {
      if (--this.#requests === 0) {
        this.#onRest?.();
      }
    },
  };
  #entries = 0;
  /** What failed, and ends it. What is in progress is finished: half a copy has lost the old one. */
  #failure: { readonly end: unknown } | undefined;
  /** What was opened and has yet to be closed, whatever becomes of it. */
  readonly #open = new Set<number>();

  private constructor(ioq: Runner, verb: string, options: DescentOptions, concurrency: number) {
    this.ioq = ioq;
    this.#verb = verb;
    this.#options = options;
    this.concurrency = concurrency;
  }

  /**
   * Do something to a tree.
   *
   * @param verb What that is called in messages.
   * @param root What it is done to, for messages.
   * @param open Gives the queue.
   * @throws What it throws, or the signal's reason; nothing is in progress or open then.
   */
  static async run(
    verb: string,
    root: string | Uint8Array,
    open: () => Runner | Promise<Runner>,
    given: DescentOptions,
    work: (descent: Descent) => Promise<void>,
  ): Promise<void> {
    const options = ownOptions(given);
    const { signal, onProgress, concurrency = CONCURRENCY } = options;
    checkOnError(options.onError);
    if (onProgress !== undefined && typeof onProgress !== "function") {
      throw new TypeError(`Expected onProgress to be a function, got ${typeof onProgress}`);
    }
    checkSignal(signal);
    checkInteger(concurrency, "concurrency", 1, CONCURRENCY_MAX);
    const timeoutMs = checkTimeout(options.timeoutMs);
    signal?.throwIfAborted();
    const ioq = await open();
    const descent = new Descent(ioq, verb, options, concurrency);
    const context = `${verb} '${pathText(root)}'`;
    const { scopes } = coreOf(ioq);
    const scope: Scope = { context, cancel: (reason) => descent.#abort.abort(reason) };
    scopes.enter(scope);
    const abort = () => descent.#abort.abort(signal!.reason);
    if (signal !== undefined) {
      onAbort(signal, abort);
    }
    const timer = timeoutMs === undefined ? undefined : setTimeout(
      () => descent.#abort.abort(timeoutError(timeoutMs, context)),
      timeoutMs,
    );
    try {
      signal?.throwIfAborted();
      await work(descent);
      descent.#throwEnd();
    } finally {
      signal?.removeEventListener("abort", abort);
      clearTimeout(timer);
      if (descent.#requests > 0) {
        await new Promise<void>((resolve) => descent.#onRest = resolve);
      }
      await Promise.all([...descent.#open].map((fd) => descent.close(fd)));
      scopes.leave(scope);
    }
  }

  /** Run a request whose paths need no check, since the root's was. */
  request<K extends OpName, V = OpValues[K]>(
    op: K,
    args: RequestArguments<V>,
  ): Promise<V> {
    return this.#run(new CoreRequest(op, { ...args, trusted: true }));
  }

  /** Run a request that ends with all of it. */
  #run<V>(request: CoreRequest<OpName, V>): Promise<V> {
    try {
      // What was granted when it began may have been revoked
      this.permit();
    } catch (error) {
      return Promise.reject(error);
    }
    this.#requests++;
    request.holder = this.#holder;
    return runOn(this.ioq, request, { signal: this.#abort.signal });
  }

  /** Read directories, or remove what is in them. */
  tree(args: TreeArguments): Promise<TreeBlock> {
    return this.#run(toCoreRequest(treeRequest(args)));
  }

  /** Open a directory, and not what a link leads to. */
  #openDirectory(at: number | undefined, path: string | Uint8Array): Promise<number> {
    return this.#openNext({ ...(at === undefined ? {} : { fd: at }), path, flags: O_NOFOLLOW });
  }

  /** Open a directory, as soon as there is a descriptor for it. */
  async #openNext(args: RequestArguments<number>): Promise<number> {
    for (let tries = 1;; tries++) {
      try {
        const fd = await this.request("openDir", args);
        this.#open.add(fd);
        return fd;
      } catch (error) {
        if (!hasCode(error, "EMFILE")) {
          throw error;
        }
        // From now on fewer are held. What else is in progress gives back what it has
        this.#openMany = Math.min(this.#openMany, this.#open.size >> 1);
        if (this.#requests === 0 || tries === OPEN_TRIES) {
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  }

  /** Open the directory that it is all about, also if a link leads there. */
  async openDirectory(path: string | Uint8Array): Promise<number> {
    const fd = await this.request("openDir", { path });
    this.#open.add(fd);
    return fd;
  }

  /** Open the directory that it is all about. Links may be on the way there. */
  openRoot(path: string | Uint8Array): Promise<number> {
    return this.#openDirectory(undefined, path);
  }

  /** Open a directory by a path that no link is to be followed on. */
  async openBelow(at: number, path: string | Uint8Array): Promise<number> {
    let fd = at;
    for (const name of splitPath(path)) {
      const above = fd;
      fd = await this.#openDirectory(above, name);
      if (above !== at) {
        await this.close(above);
      }
    }
    return fd;
  }

  /** Close a descriptor, come what may. */
  async close(fd: number): Promise<void> {
    if (fd >= 0) {
      this.#open.delete(fd);
      await runOn(this.ioq, new CoreRequest("close", { fd })).catch(() => {});
    }
  }

  /** Something was dealt with. */
  progress(path: string): void {
    this.#entries++;
    this.#options.onProgress?.({ path, entries: this.#entries });
  }

  /**
   * Something failed.
   *
   * @throws What ends it.
   */
  report(error: unknown, path: string): void {
    this.#throwEnd();
    const { onError = "throw" } = this.#options;
    try {
      if (isEnd(error) || onError === "throw") {
        throw error;
      }
      if (onError !== "skip") {
        onError(error as Error, path);
      }
    } catch (end) {
      // Other branches end with it, when what they have begun is done
      this.#failure ??= { end };
      throw end;
    }
  }

  /** Begin nothing more after what has ended it. */
  #throwEnd(): void {
    this.#abort.signal.throwIfAborted();
    if (this.#failure !== undefined) {
      throw this.#failure.end;
    }
  }

  /**
   * Go on only if nothing has ended it.
   *
   * @throws What has.
   */
  throwIfEnded(error: unknown): void {
    this.#throwEnd();
    if (isEnd(error)) {
      this.report(error, "");
    }
  }

  /** Aborted by what ends it. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Whether something has ended it. */
  get hasEnded(): boolean {
    return this.#abort.signal.aborted || this.#failure !== undefined;
  }

  /** Something failed at a path, which the error is to be about. */
  reportOf(path: string, error: unknown, context = `${this.#verb} '${path}'`): void {
    this.report(inContext(error, context, this.#abort.signal), path);
  }

  /** Run something; what fails is reported. Whether it went well. */
  async attempt(
    path: string,
    work: () => Promise<unknown>,
    context?: string,
  ): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.reportOf(path, error, context);
      return false;
    }
  }

  /**
   * Open a directory.
   *
   * @param at The descriptor that the name is relative to, if any.
   * @throws {Deno.errors.NotADirectory} If it is none, or a link to one.
   */
  async open(
    at: number | undefined,
    name: string | Uint8Array,
    path: string,
  ): Promise<OpenDirectory> {
    const fd = await this.#openDirectory(at, name);
    try {
      return new OpenDirectory(path, fd, await this.#identify(fd));
    } catch (error) {
      await this.close(fd);
      throw error;
    }
  }

  async #identify(fd: number): Promise<Int32Array> {
    const { dev, ino } = await this.request("statBigInt", { fd, path: "." });
    return new Int32Array(new BigUint64Array([dev, ino]).buffer);
  }

  /** What is in a directory. */
  async read(directory: OpenDirectory): Promise<Found[]> {
    const block = await this.tree({
      fd: directory.fd,
      paths: ".",
      flags: 0,
      mode: 0,
      device: 0,
      levels: 0,
      budgetUs: 0,
    });
    const errno = block.records.subarray(0, RECORD_WORDS)[layout.TREE_DIRECTORY_ERROR]!;
    if (errno !== 0) {
      throw osError(errno, `readdir '${directory.path}'`);
    }
    return block.names.map((name, i) => ({
      name: block.rawNames?.get(i) ?? name,
      type: block.types[i]!,
      path: joinPath(directory.path, name) as string,
    }));
  }

  /** Do something with each, so many at a time. */
  async each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    let next = 0;
    const loop = async () => {
      while (next < items.length) {
        this.#throwEnd();
        await work(items[next++]!);
      }
    };
    await settle(
      Array.from({ length: Math.min(this.concurrency, items.length) }, async () => {
        try {
          await loop();
        } catch (error) {
          next = items.length;
          throw error;
        }
      }),
    );
  }

  /**
   * Go into directories of a directory: some side by side, the others one after
   * the other.
   *
   * @param depth Levels that are above them.
   * @param work Is told whether it is the only one, and may close the directory meanwhile.
   */
  async descend<T>(
    items: readonly T[],
    depth: number,
    work: (item: T, alone: boolean) => Promise<void>,
  ): Promise<void> {
    const branches: Promise<void>[] = [];
    let beside = 0;
    let failed: { readonly error: unknown } | undefined;
    try {
      for (const item of items) {
        this.#throwEnd();
        if (this.#branches > 0 && !this.isDeep(depth)) {
          this.#branches--;
          beside++;
          const branch = work(item, false).catch((error) => {
            failed ??= { error };
          });
          branches.push(branch.finally(() => {
            this.#branches++;
            beside--;
          }));
        } else {
          await work(item, beside === 0);
        }
      }
    } finally {
      await Promise.all(branches);
    }
    if (failed !== undefined) {
      throw failed.error;
    }
  }

  /** Whether descriptors of that depth are closed on the way down, as there are many. */
  isDeep(depth: number): boolean {
    return depth >= LEVELS_OPEN || this.#open.size >= this.#openMany;
  }

  /** Close a directory for as long as we are below it. */
  async leaveOpenBelow(directory: OpenDirectory): Promise<void> {
    const { fd } = directory;
    directory.fd = -1;
    await this.close(fd);
  }

  /**
   * Open a directory again that is above another.
   *
   * @throws {Error} If that has been moved meanwhile.
   */
  async comeBack(directory: OpenDirectory, below: OpenDirectory): Promise<void> {
    const fd = await this.#openNext({ fd: below.fd, path: ".." });
    if (!directory.is(await this.#identify(fd))) {
      await this.close(fd);
      throw new Error(`Cannot go on in '${directory.path}': it was moved meanwhile`);
    }
    directory.fd = fd;
  }
}

/** Wait for all, and throw what the first of those threw that failed. */
async function settle(promises: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(promises);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) {
    throw failed.reason;
  }
}
