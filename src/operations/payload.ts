// Copyright 2026 the ioq authors. MIT license.

/**
 * What completions bring with them, between a backend and what reads it.
 *
 * @module
 */

/** What an operation produced, valid during `Sink.complete()` only. */
export interface Payload {
  /** For records: the buffer it is in, as 32-bit words. */
  readonly words: Int32Array;
  /** The byte of that buffer it begins at, a multiple of 8. */
  readonly at: number;
  /** How many bytes it has. */
  readonly length: number;
  /** For blocks: a view or a copy of the bytes, at a multiple of 8 in its buffer. */
  bytes(): Uint8Array<ArrayBuffer>;
  /** For what was read: copy the bytes to where they belong. */
  take(target: Uint8Array<ArrayBuffer>): void;
  /**
   * For what was read into several buffers: copy the bytes from a place on to where
   * they belong.
   */
  takePart(at: number, target: Uint8Array<ArrayBuffer>): void;
}
