// Copyright 2026 the ioq authors. MIT license.

/**
 * Bytes that are written later than they were given: by a call that waits in line or for
 * its turn, by a piece that is yet to come, or as one of many files. Their buffer may be
 * transferred or resized meanwhile. So their length is taken once, at the call, and
 *
 *     up to KEPT_MAX, as long as there is room ──▶ a copy of their own, made at the call
 *     more                                     ──▶ checked before each use: TypeError
 *
 * The room is what all copies of a thread may take together, so that thousands of calls
 * that wait with the same buffer do not fill the memory.
 *
 * @module
 */

import { checkThere, plainBytes } from "./byte_length.ts";

/** Bytes that a call writes at most to have a copy of its own: 0.3 ms for each MiB. */
export const KEPT_MAX: number = 16 * 1024 * 1024;
/** Bytes of all copies of this thread. */
const ROOM = 64 * 1024 * 1024;

/** Copies that are shorter share their memory with others: to allocate takes longer than to copy. */
const SHORT = 4096;
const SHARED = 64 * 1024;

let taken = 0;
/** What short copies are made in, and how much of it is in use. */
let shared = new Uint8Array();
let used = 0;

/** Memory for a copy. */
export function memoryFor(length: number): Uint8Array {
  if (length > SHORT) {
    return new Uint8Array(length);
  }
  if (length > shared.length - used) {
    shared = new Uint8Array(SHARED);
    used = 0;
  }
  const start = used;
  used += length;
  return shared.subarray(start, used);
}

/** Take room for a copy. Whether it may be made; then {@linkcode giveRoom} must follow. */
export function takeRoom(length: number): boolean {
  if (length > KEPT_MAX || length > ROOM - taken) {
    return false;
  }
  taken += length;
  return true;
}

/** A copy is of no more use. */
export function giveRoom(length: number): void {
  taken -= length;
}

/** What a call was given to write. Dispose of it when all is written. */
export class KeptBytes implements Disposable {
  /** How many bytes there were at the call. */
  readonly length: number;
  #bytes: Uint8Array;
  /** How much room the copy takes. */
  #room = 0;

  /** @param copies Whether they are copied, if they may be. */
  constructor(bytes: Uint8Array, copies = true) {
    // Of a fixed length: it has all of its bytes, or none any more
    this.#bytes = plainBytes(bytes);
    this.length = this.#bytes.length;
    if (copies && this.length > 0 && takeRoom(this.length)) {
      this.#room = this.length;
      try {
        const copy = memoryFor(this.length);
        copy.set(this.#bytes);
        this.#bytes = copy;
      } catch {
        // No memory: they are checked instead
        this[Symbol.dispose]();
      }
    }
  }

  /**
   * Some of them, all unless told otherwise.
   *
   * @throws {TypeError} If their buffer was detached, or is too short by now.
   */
  part(begin = 0, end = this.length): Uint8Array {
    checkThere(this.#bytes, this.length);
    return begin === 0 && end >= this.length ? this.#bytes : this.#bytes.subarray(begin, end);
  }

  [Symbol.dispose](): void {
    giveRoom(this.#room);
    this.#room = 0;
  }
}
