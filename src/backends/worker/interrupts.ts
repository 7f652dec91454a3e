// Copyright 2026 the ioq authors. MIT license.

/**
 * Interrupting lanes that are at cancelled requests, by the native library. A signal
 * may come too early to count, so this goes on until they are over; what does not
 * mind, such as a disk, is bothered ever less.
 *
 * @module
 */

import type { Library } from "../../../ffi/library.ts";
import * as shared from "./memory.ts";

/** Milliseconds between the first interruptions of an operation, and at the most. */
const MIN_MS = 1;
const MAX_MS = 64;

/** Interrupts lanes whose requests were cancelled, until these are over. */
export class Interrupts {
  readonly #library: Library;
  readonly #laneOf: (slot: number) => number;
  /** By slot: when to interrupt its lane next, and how long after. */
  readonly #due = new Map<number, { at: number; after: number }>();

  /**
   * @param library The library.
   * @param laneOf The lane that is at a request, or -1.
   */
  constructor(library: Library, laneOf: (slot: number) => number) {
    this.#library = library;
    this.#laneOf = laneOf;
  }

  /** A request was cancelled that a lane may be at. */
  add(memory: shared.SharedMemory, slot: number): void {
    // A lane looks at the mark after it has told that it is at the request
    if (this.#laneOf(slot) >= 0) {
      this.#due.set(slot, { at: 0, after: MIN_MS });
      this.run(memory);
    }
  }

  /** A request is over. */
  delete(slot: number): void {
    if (this.#due.size > 0) {
      this.#due.delete(slot);
    }
  }

  /** Interrupt those whose time has come. */
  run(memory: shared.SharedMemory): void {
    if (this.#due.size === 0) {
      return;
    }
    const { words } = memory;
    const time = performance.now();
    for (const [slot, state] of this.#due) {
      const lane = this.#laneOf(slot);
      if (lane >= 0 && time >= state.at) {
        const at = memory.controls(lane);
        const turn = Atomics.load(words, at + shared.LANE_TURN) >>> 0;
        const caller = Atomics.load(words, at + shared.LANE_CALLER) >>> 0;
        if (this.#laneOf(slot) === lane) {
          // It was that turn's: if it is over by now, nothing is hit
          this.#library.symbols.ioq_interrupt(caller, turn);
        }
        state.at = time + state.after;
        state.after = Math.min(MAX_MS, state.after * 2);
      }
    }
  }
}
