// Copyright 2026 the ioq authors. MIT license.

/**
 * The memory that the main thread and the lanes, which are Web Workers, share.
 *
 *     ┌──────────┬─────────┬─────────────┬───────┬────────────────┬──────────────────┐
 *     │ controls │ pending │ descriptors │ ready │ cells, by slot │ windows, by lane │
 *     └──────────┴─────────┴─────────────┴───────┴────────────────┴──────────────────┘
 *
 * Everything has a fixed size, so the whole is bounded whatever is transferred:
 *
 * - A request is a slot number in `pending`, its record and, if they are short, its
 *   paths and bytes are in the slot's cell. Longer ones stay with the main thread
 *   until the lane that got the request asks for them, and then come in parts.
 * - What has to do with descriptors goes by `descriptors` to the one lane that is
 *   {@linkcode DESCRIPTOR_LANE} if there is no native library: a descriptor of
 *   `node:fs` counts for nothing on another thread than the one that opened it.
 * - A completion is a message in `ready`. What it produced is in the cell if it is
 *   short, else in the lane's window. What is longer than half of that comes in
 *   parts, each of which the main thread has taken before the next is written.
 *
 *     main:  cell ──▶ pending ──▶ lane           push, then turn
 *     lane:  NEED ──▶ ready ──▶ main ──▶ window ──▶ lane     (input that is long)
 *     lane:  window ──▶ PART ──▶ ready ──▶ main              (output that is long)
 *     lane:  cell or window ──▶ DONE ──▶ ready ──▶ main      exactly once
 *
 * A lane's messages come in the order in which it sent them, so giving its window
 * back is the advance of one counter.
 *
 * @module
 */

import { REQUEST_SIZE } from "../../../ffi/layout.ts";
import type { MessagePort } from "node:worker_threads";
import { Ioqq } from "./slot_queue.ts";

/** Bytes of a cell. */
export const CELL_SIZE = 1024;
/** Words of a cell that its slot's parties write, after the record. */
export const CELL_CANCELLED: number = REQUEST_SIZE / 4;
/** The lane that runs it, plus 1. */
export const CELL_LANE: number = CELL_CANCELLED + 1;
/** The result. */
export const CELL_RESULT: number = CELL_CANCELLED + 2;
/** Bytes of the whole payload. */
export const CELL_LENGTH: number = CELL_CANCELLED + 3;
/** Where in the window the payload, or a part of it, is; -1: in the cell. */
export const CELL_AT: number = CELL_CANCELLED + 4;
/** Bytes of that part. */
export const CELL_PART: number = CELL_CANCELLED + 5;
/** What the window's counter is when the part was taken. */
export const CELL_RELEASE: number = CELL_CANCELLED + 6;
/** Bytes of the paths and of what is written. */
export const CELL_INPUT: number = CELL_CANCELLED + 7;
/** Where the data of a cell begins, in bytes. */
export const CELL_DATA = 128;
/** Bytes of it. */
export const DATA_SIZE: number = CELL_SIZE - CELL_DATA;

/** Bytes of a lane's window: a power of two. */
export const WINDOW_SIZE = 524288;
/** The longest part. */
export const PART_SIZE: number = WINDOW_SIZE / 2;

/** Words of a lane's controls: each lane's are on a cache line of their own. */
const LANE_WORDS = 16;
/** The slot that the lane is running, plus 1. */
export const LANE_CURRENT = 0;
/** Bytes of the window that were taken; wraps around. */
export const LANE_RELEASED = 1;
/** How many parts of input were given; wraps around. */
export const LANE_GRANTED = 2;
/** By what the library interrupts the lane, or 0. */
export const LANE_CALLER = 3;
/** Which turn of the library's the lane is at, or about to begin. */
export const LANE_TURN = 4;

/** In `ready`: the request is complete. */
export const DONE = 0;
/** In `ready`: a part of its output is in the window. */
export const PART = 1;
/** In `ready`: the lane waits for the next part of its input. */
export const NEED = 2;
/** In `ready`: the lane has started. */
export const STARTED = 3;

/** The lane of descriptors, if there is no native library. */
export const DESCRIPTOR_LANE = 0;

/** A message. */
export function message(kind: number, slot: number, lane: number): number {
  return kind | lane << 2 | slot << 8;
}

/** The memory that a lane is to go by. */
export interface LaneMemory {
  readonly buffer: SharedArrayBuffer;
  readonly depth: number;
}

/** What a lane is told when it starts. */
export interface LaneStart extends LaneMemory {
  readonly lanes: number;
  /** Which one it is. */
  readonly lane: number;
  /** Gives it a {@linkcode LaneMemory} when there is a larger one. */
  readonly port: MessagePort;
  /** The native library, if there is one. */
  readonly library: string | undefined;
  /** Whose descriptors it opens and closes, see `owner` in `native/ioq.h`. */
  readonly owner: number;
}

/** A view of the memory. Each thread has one of its own. */
export class SharedMemory {
  /** Slots. */
  readonly depth: number;
  /** Stands for a slot: the lane is to end. */
  readonly stop: number;
  /** The same: the lane is to go on in another memory. */
  readonly move: number;
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** Requests on their way to a lane. */
  readonly pending: Ioqq;
  /** Those that have to do with descriptors, if there is no native library. */
  readonly descriptors: Ioqq;
  /** Messages on their way to the main thread. */
  readonly ready: Ioqq;
  readonly #cellsAt: number;
  readonly #windowsAt: number;

  /**
   * @param depth Slots.
   * @param lanes The most lanes.
   * @param buffer The memory, if another thread made it.
   */
  constructor(depth: number, lanes: number, buffer?: SharedArrayBuffer) {
    this.depth = depth;
    this.stop = depth;
    this.move = depth + 1;
    // One more for STOP or MOVE; of each lane a few messages beside DONE
    const pendingSize = depth + 1;
    const readySize = depth + 4 * lanes;
    const pendingAt = lanes * LANE_WORDS * 4;
    const descriptorsAt = pendingAt + Ioqq.byteLength(pendingSize);
    const readyAt = descriptorsAt + Ioqq.byteLength(pendingSize);
    this.#cellsAt = readyAt + Ioqq.byteLength(readySize);
    this.#windowsAt = this.#cellsAt + depth * CELL_SIZE;
    // Zeroed by the system when it is first touched: what is not used costs nothing
    this.buffer = buffer ?? new SharedArrayBuffer(this.#windowsAt + lanes * WINDOW_SIZE);
    this.words = new Int32Array(this.buffer);
    this.bytes = new Uint8Array(this.buffer);
    this.pending = new Ioqq(this.buffer, pendingAt, pendingSize);
    this.descriptors = new Ioqq(this.buffer, descriptorsAt, pendingSize);
    this.ready = new Ioqq(this.buffer, readyAt, readySize);
  }

  /** Where a slot's cell begins, in bytes. */
  cell(slot: number): number {
    return this.#cellsAt + slot * CELL_SIZE;
  }

  /** Where a lane's window begins, in bytes. */
  window(lane: number): number {
    return this.#windowsAt + lane * WINDOW_SIZE;
  }

  /** The word where a lane's controls begin. */
  controls(lane: number): number {
    return lane * LANE_WORDS;
  }
}
