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
import { checkInteger } from "../integer.ts";
import { O_NOFOLLOW } from "../linux/fcntl.ts";
import type { Runner } from "../queue/runner.ts";
import { CoreRequest, type Holder, toCoreRequest } from "../operations/request.ts";
import type { OpName, OpValues } from "../operations/values.ts";
import { joinPath } from "../path.ts";
import { RECORD_WORDS, type TreeBlock, treeRequest } from "./walk/tree_block.ts";
import { checkSignal } from "../signal.ts";
import { inContext, osError } from "../linux/errors.ts";

/** What of {@linkcode TreeOptions} is needed to go through a tree on a given queue. */
export interface DescentOptions {
  concurrency?: number;
  signal?: AbortSignal | undefined;
  /** For each request. */
  timeoutMs?: number | undefined;
  onError?: "throw" | "skip" | ((error: Error, path: string) => void);
  onProgress?: (progress: { path: string; entries: number }) => void;
}

/** Levels below which descriptors are closed on the way down. */
const LEVELS_OPEN = 16;
/** Directories that are gone through side by side, at the most. */
const BRANCHES = 16;
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
  #branches = BRANCHES;
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
   * @param open Gives the queue.
   * @throws What it throws, or the signal's reason; nothing is in progress then.
   */
  static async run(
    verb: string,
    open: () => Runner | Promise<Runner>,
    options: DescentOptions,
    work: (descent: Descent) => Promise<void>,
  ): Promise<void> {
    const { signal, onError = "throw", onProgress, concurrency = CONCURRENCY } = options;
    if (onError !== "throw" && onError !== "skip" && typeof onError !== "function") {
      throw new TypeError(`Expected onError to be "throw", "skip" or a function, got ${onError}`);
    }
    if (onProgress !== undefined && typeof onProgress !== "function") {
      throw new TypeError(`Expected onProgress to be a function, got ${typeof onProgress}`);
    }
    checkSignal(signal);
    checkInteger(concurrency, "concurrency", 1, CONCURRENCY_MAX);
    signal?.throwIfAborted();
    const ioq = await open();
    const descent = new Descent(ioq, verb, options, concurrency);
    const abort = () => descent.#abort.abort(signal!.reason);
    signal?.addEventListener("abort", abort);
    try {
      signal?.throwIfAborted();
      await work(descent);
      signal?.throwIfAborted();
    } finally {
      signal?.removeEventListener("abort", abort);
      if (descent.#requests > 0) {
        await new Promise<void>((resolve) => descent.#onRest = resolve);
      }
    }
  }

  /** Run a request whose paths need no check, since the root's was. */
  request<K extends OpName>(
    op: K,
    args: ConstructorParameters<typeof CoreRequest>[1],
  ): Promise<OpValues[K]> {
    return this.#run(new CoreRequest(op, { ...args, trusted: true }));
  }

  /** Run a request that ends with all of it. */
  #run<K extends OpName>(request: CoreRequest<K>): Promise<OpValues[K]> {
    this.#requests++;
    request.holder = this.#holder;
    const { timeoutMs } = this.#options;
    return this.ioq.run(request, {
      signal: this.#abort.signal,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  }

  /** Close a descriptor, come what may. */
  async close(fd: number): Promise<void> {
    if (fd >= 0) {
      await this.ioq.run(new CoreRequest("close", { fd })).catch(() => {});
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
    this.#abort.signal.throwIfAborted();
    const { onError = "throw" } = this.#options;
    const fatal = !(error instanceof Error) || error instanceof Deno.errors.BadResource ||
      error instanceof Deno.errors.Interrupted;
    try {
      if (fatal || onError === "throw") {
        throw error;
      }
      if (onError !== "skip") {
        onError(error, path);
      }
    } catch (end) {
      // Other branches end with it
      this.#abort.abort(end);
      throw end;
    }
  }

  /** Run something; what fails is reported. Whether it went well. */
  async attempt(path: string, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.report(inContext(error, `${this.#verb} '${path}'`), path);
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
    const fd = await this.request("openDir", {
      ...(at === undefined ? {} : { fd: at }),
      path: name,
      flags: O_NOFOLLOW,
    });
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
    const request = treeRequest({
      fd: directory.fd,
      paths: ".",
      flags: 0,
      mode: 0,
      device: 0,
      levels: 0,
      budgetUs: 0,
    });
    const block = await this.#run(toCoreRequest(request)) as unknown as TreeBlock;
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
        this.#abort.signal.throwIfAborted();
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
   */
  async descend<T>(
    items: readonly T[],
    depth: number,
    work: (item: T) => Promise<void>,
  ): Promise<void> {
    const branches: Promise<void>[] = [];
    let failed: { readonly error: unknown } | undefined;
    try {
      for (const item of items) {
        this.#abort.signal.throwIfAborted();
        if (this.#branches > 0 && !this.isDeep(depth)) {
          this.#branches--;
          const branch = work(item).catch((error) => {
            failed ??= { error };
          });
          branches.push(branch.finally(() => this.#branches++));
        } else {
          await work(item);
        }
      }
    } finally {
      await Promise.all(branches);
    }
    if (failed !== undefined) {
      throw failed.error;
    }
  }

  /** Whether descriptors of that depth are closed on the way down. */
  isDeep(depth: number): boolean {
    return depth >= LEVELS_OPEN;
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
    // Not to be given up half way: who ends early has to close what is above as well
    const request = new CoreRequest("openDir", { fd: below.fd, path: "..", trusted: true });
    const fd = await this.ioq.run(request);
    try {
      if (!directory.is(await this.#identify(fd))) {
        throw new Error(`Cannot go on in '${directory.path}': it was moved meanwhile`);
      }
    } catch (error) {
      await this.close(fd);
      throw error;
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
