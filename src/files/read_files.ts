// Copyright 2026 the ioq authors. MIT license.

/**
 * Reading many files.
 *
 *     paths ──▶ │ in flight │ ──▶ │ ready │ ──▶ next()
 *               └── together at most `concurrency` ──┘
 *
 * A path is taken when there is room for its contents, so whoever stops consuming
 * stops the reading, and at most `concurrency` files are in memory. Files come in
 * the order in which they are complete: a slow one holds back no other.
 *
 * @module
 */

import { checkInteger, checkTimeout } from "../integer.ts";
import { checkOptionNames } from "../known_options.ts";
import { ERRNO, hasCode, osError, timeoutError } from "../linux/errors.ts";
import { Deadline } from "../queue/deadlines.ts";
import { isEnd } from "../end.ts";
import { checkMaxBytes, readInTurn, wholeRequest } from "./whole_files.ts";
import { coreOf, type Runner, runOn } from "../queue/runner.ts";
import type { CoreRequest } from "../operations/request.ts";
import { ownOption, ownOptions } from "../own_option.ts";
import type { Path } from "../path.ts";
import type { Scope } from "../queue/scopes.ts";
import { checkSignal, onAbort } from "../signal.ts";

/**
 * What to do about a file that cannot be read: end the iteration, skip the file, or skip it
 * and call a function. If the function throws, the iteration ends with what it throws.
 *
 * @category Many files and trees
 */
export type ReadFilesErrorPolicy = "throw" | "skip" | ((error: Error, path: Path) => unknown);

/**
 * Options of {@linkcode Ioq.readFiles}.
 *
 * @category Many files and trees
 */
export interface ReadFilesOptions {
  /**
   * How many files are in memory, read or being read, at the same time: 1 to 4096.
   *
   * @default {64, and up to 256 while small files take long}
   */
  concurrency?: number;
  /**
   * How many bytes each file may have: one that has more is an error whose code is
   * `EFBIG`.
   *
   * @default {Infinity}
   */
  maxBytes?: number | undefined;
  /** Ends the iteration, with the signal's reason. */
  signal?: AbortSignal;
  /**
   * Milliseconds that the whole iteration may take from its beginning on, possibly with a
   * fraction. After that it ends with `Deno.errors.TimedOut`.
   *
   * @default {Infinity}
   */
  timeoutMs?: number | undefined;
  /**
   * What to do about a file that cannot be read.
   *
   * @default {"throw"}
   */
  onError?: ReadFilesErrorPolicy;
}

/**
 * A file that was read.
 *
 * @typeParam P The type of its path.
 * @category Many files and trees
 */
export interface FileContents<P extends Path = Path> {
  /** Its path, as it was given. */
  readonly path: P;
  /** All that is in it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Which file to read: a path, or an entry of `walk()` or `glob()`. Entries of directories are
 * passed over. What an entry inherits does not count.
 *
 * @category Many files and trees
 */
export type FileSource = Path | {
  /** The path. */
  readonly path: string;
  /** Its bytes, if they are not UTF-8. */
  readonly rawPath?: Uint8Array;
  /** Whether it is a directory. */
  readonly isDirectory?: boolean;
};

/**
 * The type of the path that {@linkcode FileContents} has for a source: that of a path that was
 * given; of an entry it is a string, or bytes if it is not UTF-8.
 *
 * @category Many files and trees
 */
export type PathOf<S extends FileSource> = S extends Path ? S : string | Uint8Array;

/** The path of a file to be read; `undefined` if it is none. What makes no sense stays as it is. */
function pathOf(source: FileSource): Path | undefined {
  if (
    typeof source !== "object" || source === null || source instanceof URL ||
    source instanceof Uint8Array
  ) {
    return source;
  }
  if (ownOption(source, "isDirectory") === true) {
    return undefined;
  }
  return ownOption(source, "rawPath") ?? ownOption(source, "path") ?? source as unknown as Path;
}

/** The names of {@linkcode ReadFilesOptions}. */
const OPTIONS: readonly string[] = ["concurrency", "maxBytes", "signal", "timeoutMs", "onError"];

/** Files at a time, unless the caller says how many. */
const CONCURRENCY = 64;
/** The same while they are small and slow: more than there are lanes. */
const CONCURRENCY_SLOW = 256;
/** Milliseconds from which on a file is slow: 64 that are cached take less together. */
const SLOW_MS = 4;
/** Bytes up to which a file is small. */
const SMALL_LENGTH = 65_536;
/** Of so many files one tells whether they are slow. */
const SAMPLE = 16;
const CONCURRENCY_MAX = 4096;

/** Someone who waits in `next()`. */
interface Consumer {
  readonly resolve: (result: IteratorResult<FileContents>) => void;
  readonly reject: (reason: unknown) => void;
}

/** The iteration. */
class FilesReader implements AsyncIterableIterator<FileContents> {
  readonly #open: () => Runner | Promise<Runner>;
  #ioq: Runner | undefined;
  readonly #paths: Iterator<FileSource> | AsyncIterator<FileSource>;
  #concurrency: number;
  /** Whether that is for us to say. */
  readonly #adapts: boolean;
  /** Files that were asked for. */
  #asked = 0;
  readonly #signal: AbortSignal | undefined;
  readonly #onError: ReadFilesErrorPolicy;
  readonly #timeoutMs: number | undefined;
  /** When it is over at the latest, once the iteration has begun. */
  #deadline: Deadline | undefined;
  readonly #maxBytes: number;
  /** Ends the reading of files that are read in pieces. */
  #long: AbortController | undefined;
  readonly #inFlight = new Set<CoreRequest>();
  /** Files that nobody has taken: from `#readyAt` on. */
  #ready: FileContents[] = [];
  #readyAt = 0;
  #consumers: Consumer[] = [];
  /** Whether a path, or the queue, is being waited for. */
  #pulling = false;
  /** Whether there are no more paths. */
  #exhausted = false;
  /** Whether it is over: left early, aborted or failed. */
  #ended = false;
  /** What it failed with, until someone was told. */
  #failure: { readonly reason: unknown } | undefined;
  readonly #onAbort = () => this.#fail(this.#signal!.reason);
  /** Paths may be waited for while nothing is in flight. */
  readonly #scope: Scope = {
    context: "read files",
    cancel: (reason) => this.#fail(reason),
  };

  constructor(
    open: () => Runner | Promise<Runner>,
    paths: Iterable<FileSource> | AsyncIterable<FileSource>,
    options: ReadFilesOptions,
  ) {
    checkOptionNames(options, OPTIONS, "readFiles()");
    const { concurrency, signal, onError = "throw", maxBytes, timeoutMs } = ownOptions(options);
    this.#timeoutMs = checkTimeout(timeoutMs);
    if (onError !== "throw" && onError !== "skip" && typeof onError !== "function") {
      throw new TypeError(`Expected onError to be "throw", "skip" or a function, got ${onError}`);
    }
    checkSignal(signal);
    this.#adapts = concurrency === undefined;
    this.#concurrency = checkInteger(
      concurrency ?? CONCURRENCY,
      "concurrency",
      1,
      CONCURRENCY_MAX,
    );
    this.#maxBytes = checkMaxBytes(maxBytes);
    this.#signal = signal;
    this.#onError = onError;
    this.#paths = iteratorOf(paths);
    this.#open = open;
  }

  next(): Promise<IteratorResult<FileContents>> {
    if (this.#readyAt < this.#ready.length) {
      const value = this.#ready[this.#readyAt++]!;
      if (this.#readyAt === this.#ready.length) {
        this.#ready = [];
        this.#readyAt = 0;
      }
      this.#fill();
      return Promise.resolve({ done: false, value });
    }
    return new Promise((resolve, reject) => {
      this.#consumers.push({ resolve, reject });
      this.#begin();
      this.#fill();
      this.#settle();
    });
  }

  return(): Promise<IteratorResult<FileContents>> {
    this.#end();
    this.#failure = undefined;
    this.#settle();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** At the first `next()`: have a queue, and heed the signal. */
  #begin(): void {
    if (this.#ioq !== undefined || this.#ended || this.#pulling) {
      return;
    }
    if (this.#signal?.aborted) {
      this.#fail(this.#signal.reason);
      return;
    }
    if (this.#signal !== undefined) {
      onAbort(this.#signal, this.#onAbort);
    }
    const timeoutMs = this.#timeoutMs;
    if (timeoutMs !== undefined) {
      const expire = () => this.#fail(timeoutError(timeoutMs, "read files"));
      this.#deadline = new Deadline(timeoutMs, expire);
    }
    const ioq = this.#open();
    if (!(ioq instanceof Promise)) {
      this.#enter(ioq);
      return;
    }
    this.#pulling = true;
    ioq.then((ioq) => {
      this.#pulling = false;
      this.#enter(ioq);
      this.#fill();
      this.#settle();
    }, (error) => this.#fail(error));
  }

  /** From now on the queue knows of it. */
  #enter(ioq: Runner): void {
    this.#ioq = ioq;
    if (this.#ended) {
      return;
    }
    try {
      coreOf(ioq).scopes.enter(this.#scope);
      if (this.#deadline !== undefined) {
        coreOf(ioq).deadlines.add(this.#deadline);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Take paths while there is room. */
  #fill(): void {
    const unread = () => this.#ready.length - this.#readyAt;
    while (
      !this.#exhausted && !this.#ended && !this.#pulling && this.#ioq !== undefined &&
      this.#inFlight.size + unread() < this.#concurrency
    ) {
      let result;
      try {
        result = this.#paths.next();
      } catch (error) {
        this.#exhausted = true;
        this.#fail(error);
        return;
      }
      if (!(result instanceof Promise)) {
        this.#take(result as IteratorResult<FileSource>);
        continue;
      }
      this.#pulling = true;
      result.then((result) => {
        this.#pulling = false;
        this.#take(result);
        this.#fill();
        this.#settle();
      }, (error) => {
        this.#exhausted = true;
        this.#fail(error);
      });
    }
  }

  /** Begin to read what the paths gave. */
  #take(result: IteratorResult<FileSource>): void {
    if (result.done) {
      this.#exhausted = true;
      return;
    }
    const path = pathOf(result.value);
    if (this.#ended || path === undefined) {
      return;
    }
    let request: CoreRequest<"readFile", Uint8Array<ArrayBuffer>>;
    try {
      request = wholeRequest(path, undefined, this.#maxBytes);
    } catch (error) {
      this.#miss(error, path);
      return;
    }
    this.#inFlight.add(request);
    const asked = this.#adapts && this.#asked++ % SAMPLE === 0 ? performance.now() : undefined;
    this.#read(request).then(
      (bytes) => {
        if (asked !== undefined) {
          this.#adapt(performance.now() - asked, bytes.length);
        }
        this.#arrive(request, { path, bytes });
      },
      (error) => {
        this.#inFlight.delete(request);
        if (!this.#ended) {
          this.#miss(error, path);
          this.#fill();
          this.#settle();
        }
      },
    );
  }

  /** Read a file: a long one in pieces, so that the event loop has its turns. */
  async #read(
    request: CoreRequest<"readFile", Uint8Array<ArrayBuffer>>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const maxBytes = this.#maxBytes;
    try {
      const bytes = await runOn(this.#ioq!, request);
      if (bytes.length > maxBytes) {
        throw osError(ERRNO.EFBIG!, request.context);
      }
      return bytes;
    } catch (error) {
      if (!hasCode(error, "EFBIG") || maxBytes <= request.length) {
        throw error;
      }
      const { signal } = this.#long ??= new AbortController();
      return await readInTurn(this.#ioq!, request, { signal }, maxBytes);
    }
  }

  /** Have more in flight while whoever reads waits for files that are slow, fewer otherwise. */
  #adapt(ms: number, length: number): void {
    const isSlow = ms > SLOW_MS && length <= SMALL_LENGTH && this.#consumers.length > 0;
    this.#concurrency = isSlow
      ? Math.min(2 * this.#concurrency, CONCURRENCY_SLOW)
      : Math.max(this.#concurrency / 2, CONCURRENCY);
  }

  /** A file was read. */
  #arrive(request: CoreRequest, contents: FileContents): void {
    this.#inFlight.delete(request);
    if (this.#ended) {
      return;
    }
    const consumer = this.#consumers.shift();
    if (consumer === undefined) {
      this.#ready.push(contents);
    } else {
      consumer.resolve({ done: false, value: contents });
      this.#fill();
      this.#settle();
    }
  }

  /** A file could not be read. */
  #miss(error: unknown, path: Path): void {
    if (this.#onError === "throw" || isEnd(error)) {
      // The end of the queue or the task is nothing that a file can be skipped for
      this.#fail(error);
    } else if (this.#onError !== "skip") {
      try {
        this.#onError(error as Error, path);
      } catch (reason) {
        this.#fail(reason);
      }
    }
  }

  /** It ends with an error; what was read before and nobody took is dropped. */
  #fail(reason: unknown): void {
    if (!this.#ended) {
      this.#failure = { reason };
      this.#end();
      this.#settle();
    }
  }

  /** Nothing is to come any more: cancel what is in flight. */
  #end(): void {
    if (this.#ended) {
      return;
    }
    this.#ended = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#ready = [];
    this.#readyAt = 0;
    this.#long?.abort();
    if (this.#inFlight.size > 0) {
      coreOf(this.#ioq!).abort(this.#inFlight, undefined);
    }
    if (this.#ioq !== undefined) {
      const { scopes, deadlines } = coreOf(this.#ioq);
      scopes.leave(this.#scope);
      if (this.#deadline !== undefined) {
        deadlines.remove(this.#deadline);
      }
    }
    if (!this.#exhausted) {
      this.#exhausted = true;
      // Where the paths come from may hold something; how it fares is not our concern
      new Promise((resolve) => resolve(this.#paths.return?.())).catch(() => {});
    }
  }

  /** Tell those who wait that it is over, if it is. */
  #settle(): void {
    const isOver = this.#ended ||
      (this.#exhausted && this.#inFlight.size === 0 && this.#readyAt === this.#ready.length);
    if (!isOver || this.#consumers.length === 0) {
      return;
    }
    this.#end();
    const consumers = this.#consumers;
    this.#consumers = [];
    for (const { resolve, reject } of consumers) {
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure === undefined) {
        resolve({ done: true, value: undefined });
      } else {
        reject(failure.reason);
      }
    }
  }
}

/** The iterator of paths that come at once, or one by one. */
function iteratorOf(
  paths: Iterable<FileSource> | AsyncIterable<FileSource>,
): Iterator<FileSource> | AsyncIterator<FileSource> {
  if (typeof paths === "object" && paths !== null && !(paths instanceof Uint8Array)) {
    if (Symbol.asyncIterator in paths) {
      return paths[Symbol.asyncIterator]();
    }
    if (Symbol.iterator in paths) {
      return paths[Symbol.iterator]();
    }
  }
  // A path is iterable as well, but surely one file was meant
  throw new TypeError("Expected paths to be an iterable of paths");
}

/**
 * Read many files.
 *
 * @param open Gives the queue.
 * @param paths The files.
 * @param options How many at once; what to do about errors; a signal.
 */
export function readFiles<S extends FileSource>(
  open: () => Runner | Promise<Runner>,
  paths: Iterable<S> | AsyncIterable<S>,
  options: ReadFilesOptions = {},
): AsyncIterableIterator<FileContents<PathOf<S>>> {
  // Each path is handed out as it came in
  return new FilesReader(open, paths, options) as AsyncIterableIterator<FileContents<PathOf<S>>>;
}
