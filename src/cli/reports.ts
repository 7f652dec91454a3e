// Copyright 2026 the ioq authors. MIT license.

/**
 * Reports of trees, which lanes make as bytes: see `native/calls/report.c`. A command that
 * has no use for entries is over before the modules of a walk would be loaded, and its
 * lines before this thread had read their names.
 *
 *     paths left ──▶ requests ──▶ lanes ──▶ reports ──▶ the command
 *        ▲                                    │
 *        └────────────────────────────────────┘
 *
 * A queue of the library's is driven here without the core of the package's queues: there is
 * nothing to cancel, to limit or to settle but the whole. What is left is asked for before what
 * was found is handed over, so that lanes are at work while it is written.
 *
 * @module
 */

import * as layout from "../../ffi/layout.ts";
import {
  type Library,
  LibraryError,
  loadLibrary,
  prepareLibrary,
  readEnv,
} from "../../ffi/library.ts";
import { AT_FDCWD, O_NOFOLLOW } from "../linux/fcntl.ts";

/** Requests at a time. */
const IN_FLIGHT = 32;
/** Directories of one request, at the most. */
const GROUP_MAX = 64;
/** The most lanes, as for other queues. */
const LANES = 128;
/** Levels that a lane goes on below what is named. */
const LEVELS = 8;
/** For how long it does, in microseconds. */
const BUDGET_US = 1000;
/** Bytes for the reports of one turn; larger ones are taken one by one. */
const OUTPUT_LENGTH = 1024 * 1024;

const REQUEST_WORDS = layout.REQUEST_SIZE / 4;
const COMPLETION_WORDS = layout.COMPLETION_SIZE / 4;
const LINK_WORDS = layout.REPORT_LINK_SIZE / 4;
const ERROR_WORDS = layout.REPORT_ERROR_SIZE / 4;

const encoder = new TextEncoder();

/** What could not be read. */
export interface ReportError {
  /** The error number. */
  readonly errno: number;
  /** Of `layout.REPORT_*`: what was tried. */
  readonly what: number;
  /** What it was tried of. */
  readonly path: Uint8Array<ArrayBuffer>;
}

/** What one request found. It is good until its receiver returns. */
export interface Report {
  /** Entries. */
  readonly count: number;
  /** Their lines, if those were asked for. */
  readonly lines: Uint8Array<ArrayBuffer>;
  /** Bytes of what has one name, and of directories. */
  readonly total: number;
  /** Records of entries with several names: `layout.REPORT_LINK_*`, {@linkcode LINK_WORDS} each. */
  readonly links: Uint32Array;
  /** Whether a file system is mounted on one of the directories, or may be. */
  readonly isMounted: boolean;
  /** What could not be read. */
  readonly errors: readonly ReportError[];
}

/** What to report. */
export interface ReportOptions {
  /** `layout.TREE_LINES` or `layout.TREE_TOTAL`. */
  readonly mode: number;
  /** Of lines, the character that ends each; of a total, 1 for sizes instead of room. */
  readonly detail: number;
}

/** What words of the low and the high half are. */
export function joinWords(words: Uint32Array, at: number): bigint {
  return BigInt(words[at + 1]!) << 32n | BigInt(words[at]!);
}

/** The message of an error, as a walk tells it. */
export async function explain({ errno, what, path }: ReportError): Promise<Error> {
  const { osError } = await import("../linux/errors.ts");
  const call = what === layout.REPORT_STAT_FAILED ? "lstat" : "readdir";
  return osError(errno, `${call} '${pathOf(path)}'`);
}

/** A path as text. */
export function pathOf(path: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(path);
}

/** Paths, each with a NUL. */
function splitPaths(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const paths = [];
  for (let at = 0, end; at < bytes.length; at = end + 1) {
    end = bytes.indexOf(0, at);
    paths.push(bytes.slice(at, end));
  }
  return paths;
}

/** A queue of the library's that makes reports. */
export class Reporter {
  readonly #library: Library;
  readonly #ioq: Deno.PointerValue;
  readonly #turn = new Uint8Array(layout.TURN_SIZE);
  readonly #words = new Int32Array(this.#turn.buffer);
  readonly #input = new Uint8Array(IN_FLIGHT * (layout.PATH_MAX + 1));
  /** Where reports come to: one, while those of the other are handed over. */
  readonly #outputs = [new Uint8Array(OUTPUT_LENGTH), new Uint8Array(OUTPUT_LENGTH)] as const;
  /** Slots that are free. */
  readonly #free = Array.from({ length: IN_FLIGHT }, (_, slot) => slot);
  /** By slot: what was asked for. */
  readonly #asked: Uint8Array<ArrayBuffer>[][] = [];
  /** Directories to read, the next ones at the end. */
  #left: Uint8Array<ArrayBuffer>[] = [];
  /** Those that are to be asked for by themselves. */
  #alone: Uint8Array<ArrayBuffer>[] = [];
  #batched = 0;
  #inputUsed = 0;

  private constructor(library: Library, ioq: Deno.PointerValue) {
    this.#library = library;
    this.#ioq = ioq;
  }

  /**
   * Open one, if everything may be read and the library is here. If not, the other way finds out
   * why, and what may be done all the same.
   */
  static async open(): Promise<Reporter | undefined> {
    const { state, partial } = Deno.permissions.querySync({ name: "read" });
    if (state !== "granted" || partial) {
      return undefined;
    }
    const backend = readEnv("IOQ_BACKEND");
    if (backend !== undefined && backend !== "auto" && backend !== "uring") {
      return undefined;
    }
    let library;
    try {
      await prepareLibrary();
      library = loadLibrary();
    } catch (error) {
      if (error instanceof LibraryError) {
        return undefined;
      }
      throw error;
    }
    const options = new Uint32Array(layout.OPTIONS_SIZE / 4);
    options[layout.OPTIONS_DEPTH] = IN_FLIGHT;
    options[layout.OPTIONS_LANES] = LANES;
    const info = new Uint32Array(layout.INFO_SIZE / 4);
    const { symbols } = library;
    const ioq = symbols.ioq_open(new Uint8Array(options.buffer), new Uint8Array(info.buffer));
    if (ioq !== null && info[layout.INFO_BROKERED] === 0) {
      return new Reporter(library, ioq);
    }
    if (ioq !== null) {
      symbols.ioq_close(ioq);
    }
    library.release();
    return undefined;
  }

  /**
   * Report of what is below a directory.
   *
   * @param root Its path, with which the paths of its entries begin.
   * @param take Takes a report; the next one waits for it.
   * @throws What `take` throws. Nothing is in progress then any more.
   */
  async run(
    root: string,
    options: ReportOptions,
    take: (report: Report) => Promise<void> | void,
  ): Promise<void> {
    this.#left = [encoder.encode(root)];
    this.#alone = [];
    let isRoot = true;
    let found: Report[] = [];
    try {
      for (let turn = 0;; turn++) {
        this.#fill(options, isRoot ? 0 : O_NOFOLLOW);
        isRoot = false;
        const rests = found.length === 0;
        const next = this.#advance(this.#outputs[turn & 1]!, rests);
        for (const report of found) {
          await take(report);
        }
        found = next;
        if (rests && found.length === 0) {
          if (this.#isIdle) {
            return;
          }
          if (this.#words[layout.TURN_ARMED] !== 0) {
            await this.#library.symbols.ioq_park(this.#ioq);
          }
        }
      }
    } finally {
      await this.#drain();
    }
  }

  /** Close it. */
  close(): void {
    this.#library.symbols.ioq_close(this.#ioq);
    this.#library.release();
  }

  /** Whether there is nothing to come. */
  get #isIdle(): boolean {
    return this.#free.length === IN_FLIGHT && this.#left.length === 0 && this.#alone.length === 0;
  }

  /** End what is in progress. */
  async #drain(): Promise<void> {
    this.#left = [];
    this.#alone = [];
    if (!this.#isIdle) {
      this.#library.symbols.ioq_cancel_all(this.#ioq);
    }
    while (!this.#isIdle) {
      const found = this.#advance(this.#outputs[0], true);
      this.#left = [];
      this.#alone = [];
      if (found.length === 0 && !this.#isIdle && this.#words[layout.TURN_ARMED] !== 0) {
        await this.#library.symbols.ioq_park(this.#ioq);
      }
    }
  }

  /** Ask for what is left, as far as there are slots. */
  #fill(options: ReportOptions, flags: number): void {
    while (this.#free.length > 0 && this.#alone.length + this.#left.length > 0) {
      const alone = this.#alone.pop();
      this.#ask(alone === undefined ? this.#nextGroup() : [alone], options, flags);
    }
  }

  /** A fair share of what is left. */
  #nextGroup(): Uint8Array<ArrayBuffer>[] {
    const left = this.#left;
    const share = Math.min(GROUP_MAX, Math.ceil(left.length / IN_FLIGHT));
    const group: Uint8Array<ArrayBuffer>[] = [];
    let length = 0;
    while (group.length < share) {
      length += left.at(-1)!.length + 1;
      if (group.length > 0 && length > layout.PATH_MAX) {
        break;
      }
      group.push(left.pop()!);
    }
    return group;
  }

  /** Add a request to the batch. */
  #ask(paths: Uint8Array<ArrayBuffer>[], { mode, detail }: ReportOptions, flags: number): void {
    const slot = this.#free.pop()!;
    this.#asked[slot] = paths;
    const words = this.#words;
    const at = layout.TURN_REQUESTS_AT / 4 + this.#batched++ * REQUEST_WORDS;
    words.fill(0, at, at + REQUEST_WORDS);
    words[at + layout.REQUEST_SLOT] = slot;
    words[at + layout.REQUEST_OP_AND_HINTS] = layout.OP.readDir;
    words[at + layout.REQUEST_FD] = AT_FDCWD;
    words[at + layout.REQUEST_FLAGS] = flags;
    words[at + layout.REQUEST_MODE] = layout.TREE | mode;
    words[at + layout.REQUEST_ARGS] = LEVELS;
    words[at + layout.REQUEST_ARGS + 1] = BUDGET_US;
    words[at + layout.REQUEST_ARGS + 2] = detail;
    words[at + layout.REQUEST_PATH] = this.#inputUsed;
    const from = this.#inputUsed;
    for (const path of paths) {
      this.#input.set(path, this.#inputUsed);
      this.#inputUsed += path.length;
      this.#input[this.#inputUsed++] = 0;
    }
    // The last NUL separates nothing
    words[at + layout.REQUEST_PATH_LENGTH] = --this.#inputUsed - from;
  }

  /**
   * Submit the batch, and take in what is complete.
   *
   * @param arm Whether to prepare for waiting.
   */
  #advance(output: Uint8Array<ArrayBuffer>, arm: boolean): Report[] {
    const words = this.#words;
    words[layout.TURN_REQUEST_COUNT] = this.#batched;
    words[layout.TURN_INPUT_LENGTH] = this.#inputUsed;
    words[layout.TURN_OUTPUT_LENGTH] = output.length;
    words[layout.TURN_FLAGS] = arm ? layout.TURN_ARM : 0;
    this.#batched = 0;
    this.#inputUsed = 0;
    // By name when it is wanted: what is seldom called is bound then
    const { symbols } = this.#library;
    const result = symbols.ioq_turn(this.#ioq, this.#turn, this.#input, output);
    if (result < 0) {
      throw new Error(`Cannot run requests (os error ${-result})`);
    }
    const reports: Report[] = [];
    const count = words[layout.TURN_COMPLETION_COUNT]!;
    for (let i = 0, at = layout.TURN_COMPLETIONS_AT / 4; i < count; i++, at += COMPLETION_WORDS) {
      const slot = words[at + layout.COMPLETION_SLOT]!;
      const status = words[at + layout.COMPLETION_RESULT]!;
      const paths = this.#asked[slot]!;
      this.#free.push(slot);
      if (status >= 0) {
        const length = words[at + layout.COMPLETION_PAYLOAD_LENGTH]!;
        const from = words[at + layout.COMPLETION_PAYLOAD]!;
        const isHeld = words[at + layout.COMPLETION_FLAGS_AND_LANE]! & layout.COMPLETION_HELD;
        const bytes = isHeld ? new Uint8Array(length) : output.subarray(from, from + length);
        if (isHeld) {
          symbols.ioq_take(this.#ioq, slot, bytes, length);
        }
        reports.push(this.#read(bytes));
      } else if (paths.length > 1) {
        // Whose fault it is shows if each is asked for by itself
        this.#alone.push(...paths);
      } else {
        reports.push(failed(paths[0]!, -status));
      }
    }
    return reports;
  }

  /** Read a report, and have done what it leaves. */
  #read(bytes: Uint8Array<ArrayBuffer>): Report {
    const head = new Uint32Array(bytes.buffer, bytes.byteOffset, layout.REPORT_SIZE / 4);
    const linkCount = head[layout.REPORT_LINK_COUNT]!;
    const errorCount = head[layout.REPORT_ERROR_COUNT]!;
    const linksAt = bytes.byteOffset + layout.REPORT_SIZE;
    const links = new Uint32Array(bytes.buffer, linksAt, linkCount * LINK_WORDS);
    const errorsAt = linksAt + links.byteLength;
    const records = new Uint32Array(bytes.buffer, errorsAt, errorCount * ERROR_WORDS);
    let at = errorsAt + records.byteLength - bytes.byteOffset;
    const part = (length: number) => bytes.subarray(at, at += length);
    const lines = part(head[layout.REPORT_LINES_LENGTH]!);
    const errorPaths = part(head[layout.REPORT_ERROR_PATHS_LENGTH]!);
    const left = part(head[layout.REPORT_LEFT_LENGTH]!);
    for (const path of splitPaths(left)) {
      this.#left.push(path);
    }
    return {
      count: head[layout.REPORT_ENTRY_COUNT]!,
      lines,
      total: head[layout.REPORT_TOTAL_LOW + 1]! * 0x1_0000_0000 + head[layout.REPORT_TOTAL_LOW]!,
      links,
      isMounted: (head[layout.REPORT_FLAGS]! & layout.REPORT_MOUNT) !== 0,
      errors: splitPaths(errorPaths).map((path, i) => ({
        errno: records[i * ERROR_WORDS]!,
        what: records[i * ERROR_WORDS + 1]!,
        path,
      })),
    };
  }
}

/** The report of a directory that has none. */
function failed(path: Uint8Array<ArrayBuffer>, errno: number): Report {
  return {
    count: 0,
    lines: new Uint8Array(0),
    total: 0,
    links: new Uint32Array(0),
    isMounted: false,
    errors: [{ errno, what: layout.REPORT_READ_FAILED, path }],
  };
}
