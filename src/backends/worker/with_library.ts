// Copyright 2026 the ioq authors. MIT license.

/**
 * Runs requests through the native library: a queue of one without lanes, whose
 * turns run what they are given. So every operation is there, in every detail, and
 * the kernel sees no other memory than the library's.
 *
 * @module
 */

import { byteLengthOf, copyInto } from "../../byte_length.ts";
import * as layout from "../../../ffi/layout.ts";
import type { Library, Symbols } from "../../../ffi/library.ts";
import { errnoText } from "../../linux/errors.ts";
import type { Executor, RawMode } from "./executor.ts";

const REQUEST_WORDS = layout.REQUEST_SIZE / 4;
const REQUEST = layout.TURN_REQUESTS_AT / 4;
const COMPLETION = layout.TURN_COMPLETIONS_AT / 4;
/** What a turn demands at least; what is longer is held. */
const OUTPUT_LENGTH = layout.TURN_COMPLETIONS * layout.STAT_SIZE;

const RAW_MODES: Readonly<Record<RawMode, number>> = {
  restore: layout.TERMINAL_RESTORE,
  raw: layout.TERMINAL_RAW,
  cbreak: layout.TERMINAL_CBREAK,
};

/** There can be no lane. */
export class LaneError extends Error {
  /** Why: an error number. */
  readonly errno: number;

  constructor(errno: number) {
    super(`The native library cannot run a lane: ${errnoText(errno)}`);
    this.errno = errno;
  }
}

/** Runs requests by the native library, within the call. */
export class LibraryExecutor implements Executor {
  length = 0;
  turn = 0;
  readonly caller: number;
  /** Stands for it as the owner of descriptors, in its copy of the library. */
  readonly owner: number;
  readonly #library: Library;
  readonly #symbols: Symbols;
  readonly #ioq: Deno.PointerValue;
  readonly #turn = new Uint8Array(layout.TURN_SIZE);
  readonly #words = new Int32Array(this.#turn.buffer);
  readonly #input = new Uint8Array(2 * layout.PATH_MAX);
  readonly #output = new Uint8Array(OUTPUT_LENGTH);
  readonly #outputWords = new Int32Array(this.#output.buffer);
  #at = 0;
  #held = false;

  /**
   * @param library The library, which is let go of with this.
   * @param tries Whether what has to wait for somebody else (a lock, a pipe, a FIFO's
   *        other end) fails with `EWAITS` instead of waiting in its call.
   * @param owner Whose descriptors it opens: 0 for this thread's, or the `owner` of an
   *        executor of another thread.
   */
  constructor(library: Library, tries = false, owner = 0) {
    this.#library = library;
    this.#symbols = this.#library.symbols;
    const options = new Uint32Array(layout.OPTIONS_SIZE / 4);
    options[layout.OPTIONS_DEPTH] = 1;
    options[layout.OPTIONS_LANES] = 1;
    options[layout.OPTIONS_FLAGS] = layout.OPEN_SYNC | (tries ? layout.OPEN_TRIES : 0);
    options[layout.OPTIONS_OWNER] = owner;
    const info = new Uint32Array(layout.INFO_SIZE / 4);
    this.#ioq = this.#symbols.ioq_open(
      new Uint8Array(options.buffer),
      new Uint8Array(info.buffer),
    );
    if (this.#ioq === null) {
      throw new LaneError(info[layout.INFO_ERROR]!);
    }
    this.caller = this.#symbols.ioq_caller_id(this.#ioq);
    this.owner = info[layout.INFO_OWNER]!;
  }

  perform(
    record: Int32Array,
    at: number,
    input: Uint8Array,
    start: number,
    length: number,
  ): number {
    const words = this.#words;
    for (let i = 0; i < REQUEST_WORDS; i++) {
      words[REQUEST + i] = record[at + i]!;
    }
    words[REQUEST + layout.REQUEST_SLOT] = 0;
    words[REQUEST + layout.REQUEST_PATH] = 0;
    const paths = pathsLength(record, at);
    for (let i = 0; i < paths; i++) {
      this.#input[i] = input[start + i]!;
    }
    if (this.#held) {
      // Nobody wanted it
      this.#symbols.ioq_release(this.#ioq, 0);
      this.#held = false;
    }
    this.length = 0;
    if (length > paths) {
      const bytes = input.subarray(start + paths, start + length) as Uint8Array<ArrayBuffer>;
      const result = this.#symbols.ioq_stage(this.#ioq, 0, bytes, bytes.length);
      if (result < 0) {
        // A turn all the same, so that no other request goes by its number
        this.#run(0, 0);
        return result;
      }
    }
    const result = this.#run(1, paths);
    if (result < 0) {
      return result;
    }
    this.length = words[COMPLETION + layout.COMPLETION_PAYLOAD_LENGTH]!;
    this.#at = words[COMPLETION + layout.COMPLETION_PAYLOAD]!;
    this.#held =
      (words[COMPLETION + layout.COMPLETION_FLAGS_AND_LANE]! & layout.COMPLETION_HELD) !== 0;
    return words[COMPLETION + layout.COMPLETION_RESULT]!;
  }

  #run(requests: number, inputLength: number): number {
    const words = this.#words;
    words[layout.TURN_REQUEST_COUNT] = requests;
    words[layout.TURN_INPUT_LENGTH] = inputLength;
    words[layout.TURN_OUTPUT_LENGTH] = OUTPUT_LENGTH;
    words[layout.TURN_FLAGS] = 0;
    this.turn = (this.turn + 1) | 0;
    return this.#symbols.ioq_turn(this.#ioq, this.#turn, this.#input, this.#output);
  }

  take(target: Uint8Array): void {
    if (this.#held) {
      const length = Math.min(this.length, byteLengthOf(target));
      this.#symbols.ioq_take(this.#ioq, 0, target as Uint8Array<ArrayBuffer>, length);
      this.#held = false;
    } else {
      copyInto(target, this.#output.subarray(this.#at, this.#at + this.length));
    }
  }

  takeWords(target: Int32Array, at: number): void {
    if (this.#held) {
      const start = target.byteOffset + at * 4;
      this.take(new Uint8Array(target.buffer, start, this.length));
      return;
    }
    // For so few of them in shared memory a loop is faster than set()
    const words = this.#outputWords;
    const from = this.#at >> 2;
    const count = (this.length + 3) >> 2;
    for (let i = 0; i < count; i++) {
      target[at + i] = words[from + i]!;
    }
  }

  isTerminal(fd: number): boolean {
    return this.#symbols.ioq_is_terminal(fd) === 1;
  }

  setRaw(fd: number, mode: RawMode, state: Uint8Array<ArrayBuffer>): number {
    return this.#symbols.ioq_set_raw(fd, RAW_MODES[mode], state);
  }

  close(): void {
    this.#symbols.ioq_close(this.#ioq);
    this.#library.release();
  }
}

/** Bytes of a request's paths in its input: paths that are too long are not in there. */
export function pathsLength(record: Int32Array, at: number): number {
  const length = record[at + layout.REQUEST_PATH_LENGTH]!;
  const length2 = record[at + layout.REQUEST_PATH2_LENGTH]!;
  return (length > layout.PATH_MAX ? 0 : length) + (length2 > layout.PATH_MAX ? 0 : length2);
}
