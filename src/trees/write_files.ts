// Copyright 2026 the ioq authors. MIT license.

/**
 * Writing many files: the counterpart of `files/read_files.ts`.
 *
 *     entries ──▶ │ in flight │ ──▶ counted
 *                 └─ at most `concurrency` ─┘
 *
 * An entry is taken when there is room to write it, so whoever makes the entries is slowed
 * down to the speed of the disk, and at most `concurrency` contents are in memory. After
 * an error nothing more is begun, but what was is finished: a file in the middle of its
 * writing has lost its old contents already. A signal, a time limit or the end of the queue
 * aborts what is in flight. Nobody is told before all of that is over.
 *
 * Parents are made when a file has none. Those that were made are remembered, and those
 * that are being made are waited for: a thousand files in a new folder make it once.
 *
 * @module
 */

import { unlessAborted, writeWhole } from "../files/whole_files.ts";
import { checkInteger } from "../integer.ts";
import { hasCode } from "../linux/errors.ts";
import { ownOption, ownOptions } from "../own_option.ts";
import { absolutePath, type Path, toPath } from "../path.ts";
import { onAbort } from "../signal.ts";
import { areGone, goneError, isBytes } from "../byte_length.ts";
import { KeptBytes } from "../kept_bytes.ts";
import { CallEnd } from "../queue/call_end.ts";
import { isEnd } from "../end.ts";
import { coreOf, type Runner } from "../queue/runner.ts";
import { checkOnError, type ErrorPolicy } from "./error_policy.ts";
import { checkOptionNames } from "../known_options.ts";
import type { KeptFile } from "./kept_entries.ts";
import { makeDirectory, parentOf } from "./make_directory.ts";

/**
 * A file to be written, by properties of its own: what it inherits does not count.
 *
 * @category Many files and trees
 */
export interface FileToWrite {
  /** Its path. */
  readonly path: Path;
  /**
   * All that is to be in it: bytes, which must not change before it is written, text, or
   * a stream of bytes. Bytes of a buffer that is detached when the entry is taken, or too short
   * by the time that it is written, are an error.
   */
  readonly data: Uint8Array | string | ReadableStream<Uint8Array>;
  /** Its permission bits; those of the options if there are none. */
  readonly mode?: number | undefined;
}

/**
 * How far the writing of many files has come.
 *
 * @category Many files and trees
 */
export interface WriteFilesProgress {
  /** The path of the file that was written last, as it was given. */
  readonly path: Path;
  /** How many files have been written. */
  readonly files: number;
  /** How many bytes they have; those that came from streams are not counted. */
  readonly bytes: number;
}

/**
 * What {@linkcode Ioq.writeFiles} has written.
 *
 * @category Many files and trees
 */
export interface WrittenFiles {
  /** How many files were written. */
  readonly files: number;
  /** How many bytes they have; those that came from streams are not counted. */
  readonly bytes: number;
}

/**
 * Options of {@linkcode Ioq.writeFiles}. Those of `writeFile` hold for each file.
 *
 * @category Many files and trees
 */
export interface WriteFilesOptions {
  /**
   * How many files are in memory, being written, at the same time: 1 to 4096.
   *
   * @default {64}
   */
  concurrency?: number | undefined;
  /**
   * Whether to make the directories that are missing, with those above them.
   *
   * @default {false}
   */
  parents?: boolean | undefined;
  /**
   * Permission bits of files that have none of their own.
   *
   * @default 0o666, less the umask
   */
  mode?: number | undefined;
  /**
   * Whether a file that exists is an error.
   *
   * @default {false}
   */
  createNew?: boolean | undefined;
  /**
   * Whether each file is replaced as a whole, see {@linkcode WriteFileOptions.atomic}.
   *
   * @default {false}
   */
  atomic?: boolean | undefined;
  /**
   * Whether each file is on the device when it counts as written.
   *
   * @default {false}
   */
  durable?: boolean | undefined;
  /** Ends the writing, with the signal's reason. What is written by then stays. */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds that all of it may take. Then it ends with `Deno.errors.TimedOut`.
   *
   * @default {Infinity}
   */
  timeoutMs?: number | undefined;
  /**
   * What to do about a file that cannot be written: reject with the error, skip the file,
   * or skip it and call a function. If the function throws, the writing ends with what it
   * throws.
   *
   * @default {"throw"}
   */
  onError?: ErrorPolicy<Path> | undefined;
  /** Called for each file soon after it was written. */
  onProgress?: ((progress: WriteFilesProgress) => void) | undefined;
}

const OPTIONS = [
  "concurrency",
  "parents",
  "mode",
  "createNew",
  "atomic",
  "durable",
  "signal",
  "timeoutMs",
  "onError",
  "onProgress",
];
const DEFAULT_CONCURRENCY = 64;
const CONCURRENCY_MAX = 4096;
const CONTEXT = "write files";

const encoder = new TextEncoder();

/** Entries that come at once, or one by one. */
type Entries = Iterable<KeptFile> | AsyncIterable<KeptFile>;

/** One call of {@linkcode writeFiles}. */
class FilesWriter {
  readonly #ioq: Runner;
  readonly #end: CallEnd;
  readonly #options: WriteFilesOptions;
  readonly #onError: ErrorPolicy<Path>;
  readonly #concurrency: number;
  /** Until it aborts, entries are taken. */
  readonly #taking = new AbortController();
  /** By path, the directories that were made, or are being made. */
  readonly #parents = new Map<string, Promise<void>>();
  #inFlight = 0;
  #files = 0;
  #bytes = 0;
  /** What ended it. */
  #failure: { readonly reason: unknown } | undefined;
  /** Called when a file is over, by whoever waits for room. */
  #onOver: (() => void) | undefined;

  constructor(ioq: Runner, end: CallEnd, options: WriteFilesOptions, concurrency: number) {
    this.#ioq = ioq;
    this.#end = end;
    this.#options = options;
    this.#onError = checkOnError(options.onError);
    this.#concurrency = concurrency;
    onAbort(end.signal, () => this.#taking.abort());
  }

  /** Write all of them. */
  async run(entries: Entries): Promise<WrittenFiles> {
    let source: Iterator<KeptFile> | AsyncIterator<KeptFile> | undefined;
    try {
      source = iteratorOf(entries);
      if (await this.#take(source, Symbol.asyncIterator in entries)) {
        source = undefined;
      }
    } catch (error) {
      // Where the entries come from is over, too
      source = undefined;
      this.#fail(error);
    }
    await this.#untilBelow(1);
    if (source !== undefined) {
      // It may hold something; how it fares is not our concern
      new Promise((resolve) => resolve(source.return?.())).catch(() => {});
    }
    if (this.#failure !== undefined) {
      throw this.#failure.reason;
    }
    this.#end.signal.throwIfAborted();
    return { files: this.#files, bytes: this.#bytes };
  }

  /** Take entries while there is room; returns whether there are no more. */
  async #take(
    source: Iterator<KeptFile> | AsyncIterator<KeptFile>,
    waits: boolean,
  ): Promise<boolean> {
    const { signal } = this.#taking;
    while (!signal.aborted) {
      if (this.#inFlight >= this.#concurrency) {
        await this.#untilBelow(this.#concurrency);
        continue;
      }
      const next = source.next();
      const result = waits
        ? await unlessAborted(
          Promise.resolve(next as Promise<IteratorResult<KeptFile>>),
          signal,
        ).catch((error) => {
          if (!signal.aborted) {
            throw error;
          }
          return undefined;
        })
        : next as IteratorResult<KeptFile>;
      if (result === undefined) {
        break;
      }
      if (result.done) {
        return true;
      }
      this.#begin(result.value);
    }
    return false;
  }

  /** Wait until fewer than so many are in flight. */
  async #untilBelow(count: number): Promise<void> {
    while (this.#inFlight >= count) {
      await new Promise<void>((resolve) => this.#onOver = resolve);
    }
  }

  /** Begin to write a file. */
  #begin(entry: KeptFile): void {
    this.#inFlight++;
    this.#write(entry).catch((error) => this.#miss(error, entry)).finally(() => {
      this.#inFlight--;
      this.#onOver?.();
    });
  }

  async #write(entry: KeptFile): Promise<void> {
    const given = ownOption(entry, "path")!;
    const data = ownOption(entry, "data")!;
    const mode = ownOption(entry, "mode") ?? this.#options.mode;
    const { createNew, atomic, durable, parents } = this.#options;
    // What relative paths mean now, they mean then
    const path = absolutePath(toPath(given, "writefile"));
    const whole = typeof data === "string" ? encoder.encode(data) : data;
    if (isBytes(whole) && areGone(whole)) {
      // Nobody meant a file of nothing
      throw goneError();
    }
    using kept = whole instanceof KeptBytes
      ? whole
      : isBytes(whole)
      ? new KeptBytes(whole, false)
      : undefined;
    // What is neither is refused there
    const contents = () => kept?.part() ?? whole as Exclude<typeof whole, KeptBytes>;
    const options = {
      ...(mode === undefined ? {} : { mode }),
      ...{ createNew, atomic, durable },
      ...this.#end.limits,
    };
    if (parents === true && whole instanceof ReadableStream) {
      // It can be given to one call only, which tells if this was in vain
      await this.#makeParent(path).catch(() => {});
    }
    try {
      await writeWhole(this.#ioq, path, contents(), options);
    } catch (error) {
      if (parents !== true || whole instanceof ReadableStream || !hasCode(error, "ENOENT")) {
        throw error;
      }
      await this.#makeParent(path);
      await writeWhole(this.#ioq, path, contents(), options);
    }
    this.#files++;
    this.#bytes += kept?.length ?? 0;
    this.#options.onProgress?.({ path: given, files: this.#files, bytes: this.#bytes });
  }

  /** Make the directory that a file is in. */
  #makeParent(path: string | Uint8Array): Promise<void> {
    const parent = parentOf(path);
    if (parent === undefined) {
      return Promise.resolve();
    }
    const key = typeof parent === "string" ? parent : parent.join();
    let making = this.#parents.get(key);
    if (making === undefined) {
      making = makeDirectory(this.#ioq, parent, { recursive: true, ...this.#end.limits });
      this.#parents.set(key, making);
      // Whoever needs it next tries again
      making.catch(() => this.#parents.delete(key));
    }
    return making;
  }

  /** A file could not be written. */
  #miss(error: unknown, entry: KeptFile): void {
    if (this.#onError === "throw" || isEnd(error, this.#end.signal)) {
      this.#fail(error);
    } else if (this.#onError !== "skip") {
      try {
        this.#onError(error as Error, ownOption(entry, "path")!);
      } catch (reason) {
        this.#fail(reason);
      }
    }
  }

  /** It ends with an error, as soon as what is in flight is finished. */
  #fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#taking.abort();
  }
}

/** The iterator of entries. */
function iteratorOf(entries: Entries): Iterator<KeptFile> | AsyncIterator<KeptFile> {
  if (typeof entries === "object" && entries !== null) {
    if (Symbol.asyncIterator in entries) {
      return entries[Symbol.asyncIterator]();
    }
    if (Symbol.iterator in entries) {
      return entries[Symbol.iterator]();
    }
  }
  throw new TypeError("Expected entries to be an iterable of files to write");
}

/** See {@linkcode PromiseForms.writeFiles}. */
export async function writeFiles(
  ioq: Runner,
  entries: Entries,
  given: WriteFilesOptions,
): Promise<WrittenFiles> {
  checkOptionNames(given, OPTIONS, "writeFiles()");
  const options = ownOptions(given);
  const { concurrency = DEFAULT_CONCURRENCY, onProgress } = options;
  checkInteger(concurrency, "concurrency", 1, CONCURRENCY_MAX);
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new TypeError(`Expected onProgress to be a function, got ${typeof onProgress}`);
  }
  using end = new CallEnd(ioq, options, CONTEXT).bePatient();
  const writer = new FilesWriter(ioq, end, options, concurrency);
  const { scopes } = coreOf(ioq);
  scopes.enter(end);
  try {
    return await writer.run(entries);
  } finally {
    scopes.leave(end);
  }
}
