// Copyright 2026 the ioq authors. MIT license.

/**
 * The native backends: `uring`, a ring on this thread and worker lanes beside it,
 * and `threads`, worker lanes alone.
 *
 * Requests are written as records into a block that this module owns; one FFI
 * call, a turn, has the core copy them in and write completion records into the
 * same block. See `native/queue/turn.c`.
 *
 * @module
 */

import { codesOf } from "../operations/operation.ts";
import { bufferOf, byteLengthOf, byteOffsetOf, checkThere, goneError } from "../byte_length.ts";
import * as layout from "../../ffi/layout.ts";
import { type Library, loadLibrary, type Symbols } from "../../ffi/library.ts";
import type { Backend, BackendInfo, LaneCounts, RingInfo, Sink } from "./backend.ts";
import { Backlog, type TakeBacklogged } from "./backlog.ts";
import type { ClockReading } from "../linux/clock.ts";
import type { Payload } from "../operations/payload.ts";
import { ERRNO, errnoCode, errnoText, osError } from "../linux/errors.ts";
import type { CoreRequest } from "../operations/request.ts";
import { closedError } from "../end.ts";
import { checkFfi, obeyBroker } from "../permissions.ts";
import { encodePath, pathBound } from "../path.ts";
import { writeRecord } from "./request_record.ts";
import { SynchronousCalls } from "./synchronous.ts";
import { LibraryExecutor } from "./worker/with_library.ts";

/** Bytes for the paths of one turn: 256 of 500 bytes each, or ten of the longest. */
const INPUT_LENGTH = 128 * 1024;
/** Bytes for the payloads of one turn; larger ones are taken one by one. */
const OUTPUT_LENGTH = 512 * 1024;

/** Requests for a device that are submitted at once. */
const HURRY_FOR = 2;

/** Bytes of a timeout in the input. */
const TIMEOUT_LENGTH = 8;
/** The longest timeout, in nanoseconds: 285 years. */
const TIMEOUT_MAX = 9e18;

const REQUEST_WORDS = layout.REQUEST_SIZE / 4;
const COMPLETION_WORDS = layout.COMPLETION_SIZE / 4;
const REQUESTS_AT = layout.TURN_REQUESTS_AT / 4;
const COMPLETIONS_AT = layout.TURN_COMPLETIONS_AT / 4;

/** Lanes in the order of `enum ioq_lane_kind`. */
const LANES = ["core", "ring", "worker"] as const satisfies (keyof LaneCounts)[];

/** Setup flags in words, from `<linux/io_uring.h>`. */
const SETUP_FLAGS: Readonly<Record<string, number>> = {
  R_DISABLED: 1 << 6,
  SUBMIT_ALL: 1 << 7,
  COOP_TASKRUN: 1 << 8,
  TASKRUN_FLAG: 1 << 9,
  SINGLE_ISSUER: 1 << 12,
  DEFER_TASKRUN: 1 << 13,
};

/** How to open a native backend. */
export interface NativeOptions {
  /** Bound on requests that are in flight. */
  readonly depth: number;
  /** Worker lanes; 0: turns run their requests themselves. */
  readonly threads: number;
  /** Whether to make a ring on this thread. */
  readonly ring: boolean;
  /** Whether the ring takes raw SQEs. */
  readonly rawSqe: boolean;
}

/** The core would not open. */
export class NativeOpenError extends Error {
  /** The class's name. */
  override readonly name = "NativeOpenError";
  /** The error number. */
  readonly errno: number;

  constructor(errno: number) {
    super(errnoText(errno));
    this.errno = errno;
  }
}

/** The largest payload for which memory is kept: fresh memory costs more than the copy. */
const SCRATCH_MAX = 1 << 20;

/** A payload in the output of a turn, or one that the core holds. */
class NativePayload implements Payload {
  readonly words: Int32Array;
  at = 0;
  length = 0;
  /** The slot whose payload the core holds, or -1. */
  held = -1;
  readonly #output: Uint8Array<ArrayBuffer>;
  /** Where they are taken to if they are only to be decoded. */
  #scratch = new Uint8Array(0);
  readonly #ioq: Deno.PointerValue;
  readonly #symbols: Symbols;

  constructor(output: Uint8Array<ArrayBuffer>, ioq: Deno.PointerValue, symbols: Symbols) {
    this.words = new Int32Array(output.buffer);
    this.#output = output;
    this.#ioq = ioq;
    this.#symbols = symbols;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    if (this.held < 0) {
      return this.#output.subarray(this.at, this.at + this.length);
    }
    const length = this.length;
    if (length > SCRATCH_MAX) {
      const bytes = new Uint8Array(length);
      this.take(bytes);
      return bytes;
    }
    if (length > this.#scratch.length) {
      this.#scratch = new Uint8Array(Math.min(2 * length, SCRATCH_MAX));
    }
    const bytes = this.#scratch.subarray(0, length);
    this.take(bytes);
    return bytes;
  }

  take(target: Uint8Array<ArrayBuffer>): void {
    if (this.held < 0) {
      // It is where it belongs already
      return;
    }
    this.#symbols.ioq_take(this.#ioq, this.held, target, byteLengthOf(target));
    this.held = -1;
  }

  takePart(at: number, target: Uint8Array<ArrayBuffer>): void {
    if (this.held < 0) {
      return;
    }
    this.#symbols.ioq_take_part(this.#ioq, this.held, at, target, byteLengthOf(target));
  }

  /** Drop what nobody took. */
  release(): void {
    if (this.held >= 0) {
      this.#symbols.ioq_release(this.#ioq, this.held);
      this.held = -1;
    }
  }
}

/** Whether it was asked for a permission broker. */
let askedForBroker = false;

/**
 * Have a permission broker decide from now on, if there is one for this process. Deno's queries do
 * not say so, and its variable in the environment takes a permission to read, which the library
 * needs not.
 */
export function heedBroker(symbols: Symbols): void {
  if (askedForBroker) {
    return;
  }
  askedForBroker = true;
  // A queue without any depth: it is not opened, and what is told all the same will do
  const info = new Uint8Array(layout.INFO_SIZE);
  symbols.ioq_open(new Uint8Array(layout.OPTIONS_SIZE), info);
  if (new Uint32Array(info.buffer)[layout.INFO_BROKERED] !== 0) {
    obeyBroker();
  }
}

/** A queue of the core's that was opened: what becomes a backend. */
export interface NativeCore {
  readonly library: Library;
  readonly ioq: Deno.PointerValue;
  /** Whether it has a ring. */
  readonly ring: boolean;
  /** Tells what it is like. */
  readonly describe: () => BackendInfo;
}

/**
 * Open a queue of the core's.
 *
 * @throws {NativeOpenError} If the core cannot make its ring or its lanes.
 */
export function openNativeCore(library: Library, options: NativeOptions): NativeCore {
  const request = new Uint32Array(layout.OPTIONS_SIZE / 4);
  request[layout.OPTIONS_DEPTH] = options.depth;
  request[layout.OPTIONS_LANES] = Math.max(1, options.threads);
  request[layout.OPTIONS_FLAGS] = (options.ring ? layout.OPEN_RING : 0) |
    (options.threads === 0 ? layout.OPEN_SYNC | layout.OPEN_WAITS : 0) |
    (options.rawSqe ? layout.OPEN_RAW_SQE : 0);
  writeOps(request, layout.OPTIONS_OVERFLOW_OPS_LOW, codesOf("overflow"));
  const info = new Uint32Array(layout.INFO_SIZE / 4);
  heedBroker(library.symbols);
  const ioq = library.symbols.ioq_open(asBytes(request), asBytes(info));
  if (ioq === null) {
    throw new NativeOpenError(info[layout.INFO_ERROR]!);
  }
  return {
    library,
    ioq,
    ring: options.ring,
    // Few ask, and it takes as long as opening a ring
    describe: () => ({
      kind: options.ring ? "uring" : "threads",
      lanes: info[layout.INFO_LANES]! + (options.ring ? 1 : 0),
      ...(options.ring ? { ring: ringInfo(info) } : {}),
    }),
  };
}

/** The native backends. See {@linkcode Backend} for its methods. */
export class NativeBackend implements Backend {
  readonly hasLibrary = true;
  /** Without a ring a lane would read one after the other. */
  readsRanges: boolean;
  readonly parksOnThread = true;
  readonly #describe: () => BackendInfo;
  #info: BackendInfo | undefined;
  readonly completed: LaneCounts = { core: 0, ring: 0, worker: 0 };

  readonly #library: Library;
  readonly #symbols: Symbols;
  readonly #sink: Sink;
  readonly #ioq: Deno.PointerValue;

  /** The block of a turn, and its words. */
  readonly #turn = new Uint8Array(layout.TURN_SIZE);
  readonly #words = new Int32Array(this.#turn.buffer);
  readonly #input = new Uint8Array(INPUT_LENGTH);
  readonly #output = new Uint8Array(OUTPUT_LENGTH);
  readonly #payload: NativePayload;

  /** Requests in the batch, and bytes of their paths. */
  #batched = 0;
  #inputUsed = 0;
  /** Those that the batch has no room for. */
  readonly #backlog = new Backlog();
  /** What the core has in flight. */
  #submitted = 0;
  /** Slots and results of what failed when it was submitted, to be told by the next turn. */
  readonly #failed: number[] = [];
  /** Whether completions are being handed out. */
  #isTurning = false;
  /** What was allocated, with the core's numbers; `undefined` if nothing ever was. */
  #regions: Map<ArrayBufferLike, number> | undefined;
  /** The numbers of what was given back and the core was not told of. */
  readonly #givenBack: number[] = [];
  #synchronous: SynchronousCalls | undefined;
  #closed = false;

  constructor({ library, ioq, ring, describe }: NativeCore, sink: Sink) {
    this.readsRanges = ring;
    this.#library = library;
    this.#symbols = library.symbols;
    this.#sink = sink;
    this.#ioq = ioq;
    this.#describe = describe;
    this.#payload = new NativePayload(this.#output, ioq, this.#symbols);
  }

  get info(): BackendInfo {
    return this.#info ??= this.#describe();
  }

  get inFlight(): number {
    return this.#submitted + this.#batched + this.#backlog.size;
  }

  get backlog(): number {
    return this.#backlog.size;
  }

  push(slot: number, request: CoreRequest, timeoutMs?: number): void {
    const region = this.#regions === undefined ? undefined : this.#regionOf(request);
    if (region !== undefined) {
      // Nothing to be copied
    } else if (request.bytes !== undefined) {
      this.#stage(slot, request.bytes, request);
    } else if (request.sources !== undefined) {
      this.#stageParts(slot, request.sources, request);
    }
    if (this.#backlog.size > 0 || !this.#write(slot, request, region, timeoutMs)) {
      this.#backlog.add(slot, request, region, timeoutMs);
    }
  }

  /** Add a request to the batch. Whether there was room. */
  #write(
    slot: number,
    request: CoreRequest,
    region: number | undefined,
    timeoutMs: number | undefined,
  ): boolean {
    const { path, path2 } = request;
    if (this.#batched === layout.TURN_REQUESTS) {
      return false;
    }
    if (path !== undefined) {
      const bound = pathBound(path) + (path2 === undefined ? 0 : pathBound(path2));
      if (bound > INPUT_LENGTH - TIMEOUT_LENGTH - this.#inputUsed) {
        return false;
      }
    }
    if (timeoutMs !== undefined && this.#inputUsed + TIMEOUT_LENGTH > INPUT_LENGTH) {
      return false;
    }
    const words = this.#words;
    const at = REQUESTS_AT + this.#batched * REQUEST_WORDS;
    words[at + layout.REQUEST_SLOT] = slot;
    writeRecord(words, at, request);
    words[at + layout.REQUEST_PATH] = this.#inputUsed;
    words[at + layout.REQUEST_PATH_LENGTH] = path === undefined ? 0 : this.#encode(path);
    words[at + layout.REQUEST_PATH2_LENGTH] = path2 === undefined ? 0 : this.#encode(path2);
    if (region !== undefined) {
      words[at + layout.REQUEST_OP_AND_HINTS]! |= layout.HINT_REGION << 16;
      words[at + layout.REQUEST_ARGS] = region;
      words[at + layout.REQUEST_ARGS + 1] = byteOffsetOf((request.target ?? request.bytes)!);
    }
    if (timeoutMs !== undefined) {
      words[at + layout.REQUEST_OP_AND_HINTS]! |= layout.HINT_TIMEOUT << 16;
      this.#encodeTimeout(timeoutMs);
    }
    this.#batched++;
    return true;
  }

  /** Add a request that waited to the batch. Whether there was room. */
  readonly #takeBacklogged: TakeBacklogged = (slot, request, region, timeoutMs, cancelled) => {
    const at = REQUESTS_AT + this.#batched * REQUEST_WORDS;
    if (!this.#write(slot, request, region, timeoutMs)) {
      return false;
    }
    if (cancelled) {
      this.#words[at + layout.REQUEST_OP_AND_HINTS]! |= layout.HINT_CANCELLED << 16;
    }
    return true;
  };

  /** Add a path to the input; returns its length. */
  #encode(path: string | Uint8Array): number {
    const length = encodePath(path, this.#input, this.#inputUsed);
    this.#inputUsed += length > layout.PATH_MAX ? 0 : length;
    return length;
  }

  /** Copy what a request writes. */
  #stage(slot: number, bytes: Uint8Array, request: CoreRequest): void {
    // What they have become more by is not written
    checkThere(bytes, request.length);
    const result = this.#symbols.ioq_stage(
      this.#ioq,
      slot,
      bytes as Uint8Array<ArrayBuffer>,
      request.length,
    );
    if (result < 0) {
      throw osError(-result, request.context);
    }
  }

  /** The same for bytes that lie in several places. */
  #stageParts(slot: number, sources: readonly Uint8Array[], request: CoreRequest): void {
    const total = request.length;
    let at = 0;
    let result = 0;
    for (let i = 0; i < sources.length && result >= 0; i++) {
      const bytes = sources[i] as Uint8Array<ArrayBuffer>;
      const length = byteLengthOf(bytes);
      result = this.#symbols.ioq_stage_part(this.#ioq, slot, at, total, bytes, length);
      at += length;
    }
    if (result < 0 || at !== total) {
      this.#symbols.ioq_release(this.#ioq, slot);
      if (at !== total) {
        throw goneError();
      }
      throw osError(-result, request.context);
    }
  }

  /** Add a timeout to the input, behind the paths of its request. */
  #encodeTimeout(timeoutMs: number): void {
    const nanoseconds = Math.min(Math.ceil(timeoutMs * 1e6), TIMEOUT_MAX);
    const input = this.#input;
    let at = this.#inputUsed;
    for (let word of [nanoseconds >>> 0, Math.floor(nanoseconds / 0x1_0000_0000)]) {
      for (let i = 0; i < 4; i++, word >>>= 8) {
        input[at++] = word & 0xff;
      }
    }
    this.#inputUsed = at;
  }

  get id(): number {
    if (this.#closed) {
      throw closedError();
    }
    const id = this.#symbols.ioq_id(this.#ioq);
    if (id === 0) {
      throw osError(ERRNO.ENOMEM!, "mailbox");
    }
    return id;
  }

  readClock(code: number): ClockReading {
    return readClock(this.#symbols, code);
  }

  /**
   * A device idles while JavaScript answers a burst of what it completed, so it gets pairs
   * of requests at once; the kernel keeps more of a submission until the last of them.
   */
  hurry(): void {
    if (
      this.#batched < HURRY_FOR || !this.readsRanges || this.#isTurning || this.#backlog.size > 0
    ) {
      return;
    }
    const words = this.#words;
    this.#submit(layout.TURN_SUBMIT);
    const count = words[layout.TURN_COMPLETION_COUNT]!;
    for (let i = 0, at = COMPLETIONS_AT; i < count; i++, at += COMPLETION_WORDS) {
      this.#failed.push(
        words[at + layout.COMPLETION_SLOT]!,
        words[at + layout.COMPLETION_RESULT]!,
      );
    }
    this.#submitted = words[layout.TURN_IN_FLIGHT]! + this.#failed.length / 2;
  }

  /** Give the batch to the core. */
  #submit(flags: number): void {
    const words = this.#words;
    words[layout.TURN_REQUEST_COUNT] = this.#batched;
    words[layout.TURN_INPUT_LENGTH] = this.#inputUsed;
    words[layout.TURN_OUTPUT_LENGTH] = OUTPUT_LENGTH;
    words[layout.TURN_FLAGS] = flags;
    this.#batched = 0;
    this.#inputUsed = 0;
    const result = this.#symbols.ioq_turn(this.#ioq, this.#turn, this.#input, this.#output);
    if (result < 0) {
      // Our own block is at fault, not the user
      throw osError(-result, "turn");
    }
  }

  /** Tell of what failed when it was submitted by {@linkcode NativeBackend.hurry}. */
  #tellFailed(): void {
    const failed = this.#failed.splice(0);
    const payload = this.#payload;
    payload.length = 0;
    payload.held = -1;
    for (let i = 0; i < failed.length; i += 2) {
      this.completed.core++;
      this.#sink.complete(failed[i]!, failed[i + 1]!, payload);
    }
  }

  turn(arm: boolean, yields: boolean): boolean {
    if (this.#closed) {
      return false;
    }
    if (this.#failed.length > 0) {
      this.#tellFailed();
    }
    if (this.#backlog.size > 0) {
      this.#backlog.drain(this.#takeBacklogged);
      // What is left is to be submitted by another turn
      arm &&= this.#backlog.size === 0;
    }
    const words = this.#words;
    this.#submit((arm ? layout.TURN_ARM : 0) | (yields ? layout.TURN_YIELD : 0));
    if (words[layout.TURN_RING_ERROR] !== 0 && this.info.ring !== undefined) {
      this.#noteLostRing(words[layout.TURN_RING_ERROR]!);
    }
    const count = words[layout.TURN_COMPLETION_COUNT]!;
    this.#submitted = words[layout.TURN_IN_FLIGHT]!;
    if (this.#givenBack.length > 0) {
      this.#giveBack();
    }
    // Their records may not be written over meanwhile
    this.#isTurning = true;
    for (let i = 0, at = COMPLETIONS_AT; i < count; i++, at += COMPLETION_WORDS) {
      this.#complete(at);
    }
    this.#isTurning = false;
    return words[layout.TURN_ARMED] !== 0;
  }

  /** The ring has died: the lanes go on without. */
  #noteLostRing(errno: number): void {
    this.readsRanges = false;
    this.#info = {
      kind: "threads",
      lanes: this.info.lanes - 1,
      reason: `The ring stopped working: ${errnoText(errno)}: ${explainRingError(errno)}`,
      code: errnoCode(errno),
      errno,
    };
  }

  /** Hand the completion at a word to the sink. */
  #complete(at: number): void {
    const words = this.#words;
    const slot = words[at + layout.COMPLETION_SLOT]!;
    const flagsAndLane = words[at + layout.COMPLETION_FLAGS_AND_LANE]!;
    this.completed[LANES[flagsAndLane >>> 16]!]++;

    const payload = this.#payload;
    payload.at = words[at + layout.COMPLETION_PAYLOAD]!;
    payload.length = words[at + layout.COMPLETION_PAYLOAD_LENGTH]!;
    payload.held = flagsAndLane & layout.COMPLETION_HELD ? slot : -1;
    this.#sink.complete(slot, words[at + layout.COMPLETION_RESULT]!, payload);
    payload.release();
  }

  fileKind(fd: number): number | undefined {
    return this.#closed ? undefined : this.#symbols.ioq_is_cached(fd);
  }

  readCached(fd: number, target: Uint8Array<ArrayBuffer>, offset: number, length: number): number {
    const isShort = (offset | 0) === offset;
    const result = this.#symbols.ioq_read_cached(
      fd,
      target,
      length,
      isShort ? offset : offset % 0x1_0000_0000,
      isShort ? 0 : Math.floor(offset / 0x1_0000_0000),
    );
    if (result >= 0) {
      this.completed.core++;
    }
    return result;
  }

  readCachedRanges(
    fd: number,
    ranges: Uint32Array<ArrayBuffer>,
    bytes: Uint8Array<ArrayBuffer>,
  ): number {
    this.completed.core += (ranges.length * 4) / layout.RANGE_SIZE;
    return this.#symbols.ioq_read_ranges(
      fd,
      ranges,
      (ranges.length * 4) / layout.RANGE_SIZE,
      bytes,
      bytes.byteLength,
    );
  }

  writeCached(fd: number, kind: number, bytes: Uint8Array, offset: number, length: number): number {
    const appends = offset < 0;
    const from = appends ? 0 : offset;
    const isShort = (from | 0) === from;
    const result = this.#symbols.ioq_write_cached(
      this.#ioq,
      fd,
      kind,
      bytes as Uint8Array<ArrayBuffer>,
      length,
      isShort ? from : from % 0x1_0000_0000,
      appends ? layout.NO_OFFSET : isShort ? 0 : Math.floor(from / 0x1_0000_0000),
    );
    if (result > 0) {
      this.completed.core++;
    }
    return result;
  }

  async park(): Promise<void> {
    await this.#symbols.ioq_park(this.#ioq);
  }

  synchronous(): SynchronousCalls {
    return this.#synchronous ??= new SynchronousCalls(
      // Shared, as it is loaded: a core of its own, without lanes
      new LibraryExecutor(loadLibrary(this.#library.path)),
      () => 0,
    );
  }

  /** In which region a transfer's bytes are, if in any. */
  #regionOf(request: CoreRequest): number | undefined {
    const bytes = request.target ?? request.bytes;
    if (
      bytes === undefined || request.length === 0 || byteLengthOf(bytes) !== request.length ||
      (request.code !== layout.OP.read && request.code !== layout.OP.write)
    ) {
      return undefined;
    }
    return this.#regions!.get(bufferOf(bytes));
  }

  allocate(length: number): ArrayBuffer {
    checkFfi("allocate()");
    const index = new Uint32Array(1);
    const pointer = this.#symbols.ioq_allocate(this.#ioq, length, asBytes(index));
    if (pointer === null) {
      throw osError(index[0]!, "allocate");
    }
    const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, length);
    this.#regions ??= new Map();
    this.#regions.set(buffer, index[0]!);
    return buffer;
  }

  deallocate(buffer: ArrayBuffer): void {
    const index = this.#regions?.get(buffer);
    if (index === undefined) {
      return;
    }
    this.#regions!.delete(buffer);
    if (!buffer.detached) {
      buffer.transfer();
    }
    this.#givenBack.push(index);
    this.#giveBack();
  }

  /**
   * Give back the memory that JavaScript needs no more, unless there are requests that
   * the core has not seen: they may name it by its index, which might be another's by
   * then.
   */
  #giveBack(): void {
    if (this.#batched === 0 && this.#backlog.size === 0) {
      for (const index of this.#givenBack.splice(0)) {
        this.#symbols.ioq_deallocate(this.#ioq, index);
      }
    }
  }

  resize(depth: number): void {
    const result = this.#symbols.ioq_resize(this.#ioq, depth);
    if (result < 0) {
      throw osError(-result, "resize");
    }
  }

  wake(): void {
    // Nothing is parked in a closed backend, so nobody calls this then
    this.#symbols.ioq_wake(this.#ioq);
  }

  cancel(slot: number): boolean {
    const words = this.#words;
    for (let i = 0, at = REQUESTS_AT; i < this.#batched; i++, at += REQUEST_WORDS) {
      if (words[at + layout.REQUEST_SLOT] === slot) {
        const opAndHints = words[at + layout.REQUEST_OP_AND_HINTS]!;
        const cancelled = opAndHints | layout.HINT_CANCELLED << 16;
        const op = opAndHints & 0xffff;
        words[at + layout.REQUEST_OP_AND_HINTS] = cancelled;
        return cancelled !== opAndHints && op !== layout.OP.close && op !== layout.OP.closeDir;
      }
    }
    return this.#backlog.cancel(slot) ??
      (!this.#closed && this.#symbols.ioq_cancel(this.#ioq, slot) === 1);
  }

  cancelAll(): void {
    // Of what is idle nothing is cancelled, and the function need not be bound: each close ends here
    if (!this.#closed && this.inFlight > 0) {
      this.#symbols.ioq_cancel_all(this.#ioq);
    }
  }

  unload(): void {
    if (!this.#closed) {
      this.#closed = true;
      this.#symbols.ioq_abandon(this.#ioq);
      this.#synchronous?.close();
      this.#library.release();
    }
  }

  close(): void {
    if (this.#closed) {
      return;
    }
    for (const buffer of this.#regions?.keys() ?? []) {
      this.deallocate(buffer as ArrayBuffer);
    }
    const result = this.#symbols.ioq_close(this.#ioq);
    if (result < 0) {
      throw osError(-result, "close");
    }
    this.#closed = true;
    this.#synchronous?.close();
    this.#library.release();
  }
}

/** What a clock says, by the core's number of it. */
export function readClock(symbols: Symbols, code: number): ClockReading {
  const words = new Uint32Array(4);
  symbols.ioq_now(code, asBytes(words));
  const seconds = BigInt(words[1]!) << 32n | BigInt(words[0]!);
  return { now: seconds * 1_000_000_000n + BigInt(words[2]!), resolution: words[3]! };
}

function asBytes(words: Uint32Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(words.buffer as ArrayBuffer);
}

/** Write a set of operations: bit n of two words, the low one first, for operation n. */
function writeOps(words: Uint32Array, at: number, codes: readonly number[]): void {
  for (const code of codes) {
    words[at + (code >> 5)]! |= 1 << (code & 31);
  }
}

/** Whether an operation is in such a set. */
function hasOp(words: Uint32Array, at: number, code: number): boolean {
  return (words[at + (code >> 5)]! >>> (code & 31) & 1) === 1;
}

/** What the kernel gave, in words. */
function ringInfo(info: Uint32Array): RingInfo {
  const flags = info[layout.INFO_RING_FLAGS]!;
  return {
    entries: info[layout.INFO_SQ_ENTRIES]!,
    completionEntries: info[layout.INFO_CQ_ENTRIES]!,
    flags: Object.keys(SETUP_FLAGS).filter((name) => flags & SETUP_FLAGS[name]!),
    operations: Object.entries(layout.OP)
      .filter(([, code]) => hasOp(info, layout.INFO_RING_OPS_LOW, code))
      .map(([name]) => name),
    restricted: info[layout.INFO_RESTRICTED] !== 0,
  };
}

/** What is likely behind an error of opening a ring, in words. */
export function explainRingError(errno: number): string {
  switch (errno) {
    case ERRNO.EPERM:
      return "the sysctl kernel.io_uring_disabled or a container's seccomp profile forbids it";
    case ERRNO.EACCES:
      return "a security module forbids it";
    case ERRNO.ENOSYS:
      return "the kernel has no io_uring (before 5.6, or configured without), or a sandbox such as gVisor hides it";
    case ERRNO.ENOMEM:
      return "the limit of locked memory (RLIMIT_MEMLOCK) or memory itself is exhausted";
    case ERRNO.EMFILE:
      return "this process has as many descriptors open as it may (RLIMIT_NOFILE)";
    case ERRNO.ENFILE:
      return "the system has as many files open as it may";
    case ERRNO.EINVAL:
      return "the kernel accepts none of the setups that this library knows";
    case ERRNO.EAGAIN:
      return "no more threads may be started (RLIMIT_NPROC or the container's limit)";
    default:
      return "the kernel refused it";
  }
}
