// Copyright 2026 the ioq authors. MIT license.

/**
 * Many ranges of a file by one call.
 *
 *     ranges ──▶ words ──▶ cached? ──▶ read by one call of the library's, a MiB at a time
 *                             │ no
 *                             ├──────▶ a request for many, which a ring reads side by side:
 *                             │           one record, one completion (native/queue/ranges.h)
 *                             └──────▶ a request each, all in flight at once: without a ring,
 *                                         long ones, and what the others left
 *
 * A promise for each range costs more than to read it, if it is cached. Here there is one
 * promise, and one piece of memory that all of them go to.
 *
 * @module
 */

import { bufferOf, byteLengthOf, byteOffsetOf } from "../byte_length.ts";
import { checkInteger } from "../integer.ts";
import { checkBytes } from "../operations/arguments.ts";
import type { Decoder } from "../operations/decode.ts";
import { CoreRequest } from "../operations/request.ts";
import { isEnd } from "../end.ts";
import * as layout from "../../ffi/layout.ts";
import { ownOption } from "../own_option.ts";

/**
 * A range of a file.
 *
 * @category Open files
 */
export interface FileRange {
  /** Where it begins, in bytes from the start of the file. */
  readonly offset: number;
  /** How many bytes it has. */
  readonly length: number;
}

/** Words of a range. */
const WORDS = layout.RANGE_SIZE / 4;
/** Ranges of one call. */
const RANGES_MAX = 65_536;
/** Requests for many ranges that one call has in flight. */
const BATCHES_AT_ONCE = 4;
/** Bytes that are copied at once: a tenth of a millisecond. */
const CHUNK_LENGTH = 1 << 20;
const WORD = 0x1_0000_0000;
/** The result of what was not tried. */
const UNTRIED = -1;

/** Reads what is cached, if that can be tried now: see `CachedReads.readRanges()`. */
type ReadCached = (
  ranges: Uint32Array<ArrayBuffer>,
  bytes: Uint8Array<ArrayBuffer>,
) => boolean | undefined;

/** What reads of a file. */
export interface RangeSource {
  /** The file. */
  readonly fd: number;
  /** Run a request for many ranges; nothing if that reads one after the other. */
  readonly readMany: ((request: RangesRequest) => Promise<unknown>) | undefined;
  /** Read something; `null` at the end of the file. */
  readonly readAt: (buffer: Uint8Array<ArrayBuffer>, offset: number) => Promise<number | null>;
  /** Whether reads go past the cache: what falls short cannot go on just anywhere. */
  readonly isDirect: boolean;
}

/** Whether something is a number of bytes. */
function isLength(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A request for many ranges. */
export type RangesRequest = CoreRequest<"readRanges", undefined>;

/** Ranges of one request. */
interface Batch {
  /** Their numbers. */
  readonly ranges: number[];
  /** Where in the buffer the bytes of each go. */
  readonly places: number[];
}

/** Have an error tell which range it is about. */
function withRange(error: unknown, range: number, offset: number): unknown {
  if (error instanceof Error && !isEnd(error) && Object.hasOwn(error, "code")) {
    error.message += `, range ${range} at offset ${offset}`;
  }
  return error;
}

/** Ranges that are to be read, and what has become of them. */
export class Ranges {
  /** How many. */
  readonly count: number;
  /** Bytes of all of them. */
  readonly length: number;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #results: Int32Array<ArrayBuffer>;
  /** The next range that may be cached, and where its bytes go. */
  #next = 0;
  #at = 0;
  /** Whether all that was tried was cached. */
  #isAll = true;

  /**
   * All is read once, and checked.
   *
   * @throws {TypeError} If something has the wrong type.
   * @throws {RangeError} If a number is out of its range, or there are too many.
   */
  constructor(ranges: readonly FileRange[]) {
    if (!Array.isArray(ranges)) {
      throw new TypeError(`Expected ranges to be an array, got ${typeof ranges}`);
    }
    const count = checkInteger(ranges.length, "the number of ranges", 0, RANGES_MAX);
    const words = new Uint32Array(WORDS * count);
    const results = new Int32Array(words.buffer);
    let sum = 0;
    for (let i = 0, at = 0; i < count; i++, at += WORDS) {
      const range: FileRange | null | undefined = ranges[i];
      const offset = ownOption(range, "offset");
      const length = ownOption(range, "length");
      if (!isLength(offset) || !isLength(length)) {
        checkInteger(offset, `ranges[${i}].offset`, 0, Number.MAX_SAFE_INTEGER);
        checkInteger(length, `ranges[${i}].length`, 0, layout.TRANSFER_MAX);
        throw new TypeError(`Expected ranges[${i}] to be a range`);
      }
      sum += length;
      words[at + layout.RANGE_OFFSET_LOW] = offset;
      words[at + layout.RANGE_OFFSET_HIGH] = offset / WORD;
      words[at + layout.RANGE_LENGTH] = length;
      results[at + layout.RANGE_RESULT] = UNTRIED;
    }
    this.count = count;
    this.length = checkInteger(sum, "the length of all ranges", 0, layout.TRANSFER_MAX);
    this.#words = words;
    this.#results = results;
  }

  /** How many have yet to be looked for in the cache. */
  get left(): number {
    return this.count - this.#next;
  }

  /** How many bytes a range has. */
  lengthOf(range: number): number {
    return this.#words[WORDS * range + layout.RANGE_LENGTH]!;
  }

  /** How many bytes of a range were read. */
  countOf(range: number): number {
    return this.#results[WORDS * range + layout.RANGE_RESULT]!;
  }

  /**
   * Read what is cached, from where the last call stopped.
   *
   * @returns Whether all is read: "all", "not all", or "not now" if nothing can be tried now.
   */
  readCached(bytes: Uint8Array<ArrayBuffer>, read: ReadCached): "all" | "not all" | "not now" {
    while (this.#next < this.count) {
      const from = this.#next;
      let end = from;
      let length = 0;
      while (end < this.count && length + this.lengthOf(end) <= CHUNK_LENGTH) {
        length += this.lengthOf(end++);
      }
      if (end === from) {
        // One that is too long for this
        this.#at += this.lengthOf(this.#next++);
        this.#isAll = false;
        continue;
      }
      const words = this.#words.subarray(WORDS * from, WORDS * end);
      const wasTried = read(words, bytes.subarray(this.#at, this.#at + length));
      if (wasTried !== true) {
        this.#isAll &&= wasTried === false;
        return wasTried === false ? "not now" : "not all";
      }
      for (let i = from; i < end && this.#isAll; i++) {
        this.#isAll = this.countOf(i) >= 0;
      }
      this.#next = end;
      this.#at += length;
    }
    return this.#isAll ? "all" : "not all";
  }

  /**
   * Read what was not.
   *
   * @throws What the first of them threw that failed, when none is in progress any more.
   */
  async readOthers(bytes: Uint8Array<ArrayBuffer>, source: RangeSource): Promise<void> {
    const begun = new Map<number, number>();
    if (source.readMany !== undefined) {
      const batches = this.#batches();
      const next = async () => {
        for (const batch of batches) {
          await source.readMany!(this.#request(batch, bytes, source, begun));
        }
      };
      await allSettled(Array.from({ length: BATCHES_AT_ONCE }, next));
    }
    const reads: Promise<void>[] = [];
    for (let i = 0, at = 0; i < this.count; at += this.lengthOf(i++)) {
      if (this.countOf(i) < 0) {
        const part = bytes.subarray(at, at + this.lengthOf(i));
        reads.push(this.#read(i, part, source, begun.get(i) ?? 0));
      }
    }
    await allSettled(reads);
  }

  /** What is to be read of short ranges, for as many requests as it takes. */
  *#batches(): Generator<Batch, undefined, undefined> {
    let batch: Batch = { ranges: [], places: [] };
    let sum = 0;
    for (let i = 0, at = 0; i < this.count; at += this.lengthOf(i++)) {
      const length = this.lengthOf(i);
      if (this.countOf(i) >= 0 || length === 0 || length > layout.RANGE_LENGTH_MAX) {
        continue;
      }
      if (batch.ranges.length === layout.RANGES_MAX || sum + length > layout.RANGES_LENGTH_MAX) {
        yield batch;
        batch = { ranges: [], places: [] };
        sum = 0;
      }
      sum += length;
      batch.ranges.push(i);
      batch.places.push(at);
    }
    if (batch.ranges.length > 0) {
      yield batch;
    }
  }

  /** A request for ranges. Those that are cut short, but for direct ones, are only begun. */
  #request(
    { ranges, places }: Batch,
    bytes: Uint8Array<ArrayBuffer>,
    { fd, isDirect }: RangeSource,
    begun: Map<number, number>,
  ): RangesRequest {
    const words = new Int32Array(WORDS * ranges.length);
    for (let i = 0; i < ranges.length; i++) {
      words.set(this.#results.subarray(WORDS * ranges[i]!, WORDS * (ranges[i]! + 1)), WORDS * i);
    }
    const decode: Decoder<undefined> = (head, payload) => {
      if (byteLengthOf(bytes) !== this.length) {
        throw new TypeError("Cannot read into bytes whose buffer was detached or resized");
      }
      payload.takePart(0, new Uint8Array(words.buffer));
      for (let i = 0, from = head; i < ranges.length;) {
        // As many at once as follow one another, there and here
        const place = places[i]!;
        let copied = 0;
        let asked = 0;
        for (; i < ranges.length && copied === asked && places[i] === place + copied; i++) {
          const range = ranges[i]!;
          const count = words[WORDS * i + layout.RANGE_RESULT]!;
          const length = this.lengthOf(range);
          asked += length;
          copied += Math.max(0, count);
          if (count === length || count >= 0 && isDirect) {
            this.#results[WORDS * range + layout.RANGE_RESULT] = count;
          } else if (count > 0) {
            begun.set(range, count);
          }
        }
        if (copied > 0) {
          payload.takePart(from, bytes.subarray(place, place + copied));
        }
        from += asked;
      }
    };
    const request = new CoreRequest("readRanges", { fd, bytes: new Uint8Array(words.buffer) })
      .readBy(decode);
    request.length = words.byteLength;
    return request;
  }

  /** Read a range from where it was begun to its end, or to that of the file. */
  async #read(
    range: number,
    bytes: Uint8Array<ArrayBuffer>,
    source: RangeSource,
    begun: number,
  ): Promise<void> {
    const at = WORDS * range;
    const offset = this.#words[at + layout.RANGE_OFFSET_HIGH]! * WORD +
      this.#words[at + layout.RANGE_OFFSET_LOW]!;
    let done = begun;
    try {
      while (done < bytes.length) {
        const count = await source.readAt(done === 0 ? bytes : bytes.subarray(done), offset + done);
        done += count ?? 0;
        if (count === null || source.isDirect) {
          break;
        }
      }
    } catch (error) {
      throw withRange(error, range, offset);
    }
    this.#results[at + layout.RANGE_RESULT] = done;
  }
}

/** Wait for all; throws what the first of them threw. */
async function allSettled(work: Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) {
    if (result.status === "rejected") {
      throw result.reason;
    }
  }
}

/**
 * Read ranges: what is cached by few calls, as long as the event loop has nothing to wait for,
 * and the others by requests.
 *
 * @param turn Lets the event loop have its turn.
 * @param readOthers Reads what was not cached.
 */
export async function readRanges(
  ranges: Ranges,
  bytes: Uint8Array<ArrayBuffer>,
  readCached: ReadCached,
  turn: () => Promise<void>,
  readOthers: () => Promise<void>,
): Promise<void> {
  let state = ranges.readCached(bytes, readCached);
  while (state === "not now") {
    const before = ranges.left;
    await turn();
    state = ranges.readCached(bytes, readCached);
    if (ranges.left === before) {
      // The queue has other work
      break;
    }
  }
  if (state !== "all") {
    await readOthers();
  }
}

/** The memory for ranges. */
export function memoryFor(
  ranges: Ranges,
  into: Uint8Array<ArrayBuffer> | undefined,
): Uint8Array<ArrayBuffer> {
  if (into === undefined) {
    return new Uint8Array(ranges.length);
  }
  const room = byteLengthOf(checkBytes(into, "buffer"));
  if (room < ranges.length) {
    throw new RangeError(`Expected a buffer of at least ${ranges.length} bytes, got ${room}`);
  }
  return new Uint8Array(bufferOf(into) as ArrayBuffer, byteOffsetOf(into), ranges.length);
}
