// Copyright 2026 the ioq authors. MIT license.

/**
 * The main thread's side of what is too long for a cell: inputs that lanes ask for
 * part by part, and outputs that come in parts. See `memory.ts`.
 *
 * @module
 */

import { byteLengthOf, copyInto } from "../../byte_length.ts";
import type { Payload } from "../../operations/payload.ts";
import * as shared from "./memory.ts";

/** A payload in shared memory, or one whose parts were put together. */
export class SharedPayload implements Payload {
  readonly words: Int32Array;
  at = 0;
  length = 0;
  whole: Uint8Array<ArrayBuffer> | undefined;
  readonly #bytes: Uint8Array;

  /** @param memory Where it is. */
  constructor({ words, bytes }: shared.SharedMemory) {
    this.words = words;
    this.#bytes = bytes;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    // Decoders take no shared memory
    return this.whole ?? new Uint8Array(this.#bytes.subarray(this.at, this.at + this.length));
  }

  take(target: Uint8Array<ArrayBuffer>): void {
    const length = Math.min(byteLengthOf(target), this.length);
    copyInto(
      target,
      this.whole?.subarray(0, length) ?? this.#bytes.subarray(this.at, this.at + length),
    );
  }

  takePart(at: number, target: Uint8Array<ArrayBuffer>): void {
    const end = Math.min(at + byteLengthOf(target), this.length);
    copyInto(
      target,
      this.whole?.subarray(at, end) ?? this.#bytes.subarray(this.at + at, this.at + end),
    );
  }
}

/** Paths and bytes of requests that are too long for their cells. */
export class LongInputs {
  readonly #memory: shared.SharedMemory;
  /** By slot: the whole, and how much of it was given. */
  readonly #inputs = new Map<number, { readonly bytes: Uint8Array; given: number }>();

  /** @param memory Where they go. */
  constructor(memory: shared.SharedMemory) {
    this.#memory = memory;
  }

  /** Keep what a lane is going to ask for. */
  add(slot: number, bytes: Uint8Array): void {
    this.#inputs.set(slot, { bytes, given: 0 });
  }

  /** All of what a request has, if it is too long. */
  get(slot: number): Uint8Array | undefined {
    return this.#inputs.get(slot)?.bytes;
  }

  /** A request is over. */
  delete(slot: number): void {
    if (this.#inputs.size > 0) {
      this.#inputs.delete(slot);
    }
  }

  /** Give a lane the next part. */
  give(lane: number, slot: number): void {
    const { words, bytes } = this.#memory;
    const input = this.#inputs.get(slot)!;
    const part = Math.min(shared.PART_SIZE, input.bytes.length - input.given);
    // All of its window is free: its earlier messages have been taken in
    bytes.set(input.bytes.subarray(input.given, input.given + part), this.#memory.window(lane));
    input.given += part;
    words[(this.#memory.cell(slot) >> 2) + shared.CELL_PART] = part;
    const index = this.#memory.controls(lane) + shared.LANE_GRANTED;
    Atomics.add(words, index, 1);
    Atomics.notify(words, index);
  }
}

/** Payloads that come in parts. */
export class LongOutputs {
  readonly #memory: shared.SharedMemory;
  /** By slot: the whole, and how much of it is there. */
  readonly #outputs = new Map<number, { readonly bytes: Uint8Array<ArrayBuffer>; got: number }>();

  /** @param memory Where they come from. */
  constructor(memory: shared.SharedMemory) {
    this.#memory = memory;
  }

  /** Whether parts of a request's have come. */
  has(slot: number): boolean {
    return this.#outputs.size > 0 && this.#outputs.has(slot);
  }

  /** A request is over. */
  delete(slot: number): void {
    this.#outputs.delete(slot);
  }

  /** Take the next part in. Returns the whole. */
  collect(lane: number, slot: number): Uint8Array<ArrayBuffer> {
    const { words, bytes } = this.#memory;
    const cell = this.#memory.cell(slot) >> 2;
    let output = this.#outputs.get(slot);
    if (output === undefined) {
      output = { bytes: new Uint8Array(words[cell + shared.CELL_LENGTH]!), got: 0 };
      this.#outputs.set(slot, output);
    }
    const at = this.#memory.window(lane) + words[cell + shared.CELL_AT]!;
    const part = words[cell + shared.CELL_PART]!;
    output.bytes.set(bytes.subarray(at, at + part), output.got);
    output.got += part;
    release(this.#memory, lane, words[cell + shared.CELL_RELEASE]!);
    return output.bytes;
  }
}

/** Give a part of a lane's window back. */
export function release(memory: shared.SharedMemory, lane: number, to: number): void {
  const index = memory.controls(lane) + shared.LANE_RELEASED;
  Atomics.store(memory.words, index, to);
  Atomics.notify(memory.words, index);
}
