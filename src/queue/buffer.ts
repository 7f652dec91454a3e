// Copyright 2026 the ioq authors. MIT license.

/**
 * Memory of the library's that JavaScript sees.
 *
 * @module
 */

import { checkOwn } from "../construction.ts";

/**
 * Memory for transfers, made by {@linkcode Ioq.allocate}: what is read into
 * `bytes`, or any part of it, is not copied, and neither is what is written from it.
 *
 * It is freed by `using`, or when the queue closes. `bytes` is then detached: its length is
 * zero. Code that still sees the memory, because its buffer was transferred or because
 * another call is not over, finds zeros there: the memory is never unmapped, and its addresses
 * are never given out again. So allocate a buffer once and use it many times.
 *
 * @category Queue
 */
export class IoqBuffer implements Disposable {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #buffer: ArrayBuffer;
  readonly #release: (buffer: ArrayBuffer) => void;
  #released = false;

  /** Made by {@linkcode Ioq.allocate}, and by nobody else. */
  constructor(token: symbol, buffer: ArrayBuffer, release: (buffer: ArrayBuffer) => void) {
    checkOwn(token);
    this.#bytes = new Uint8Array(buffer);
    this.#buffer = buffer;
    this.#release = release;
  }

  /** The memory, which begins at a page. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** How many bytes it has; 0 once it was given back. */
  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  /**
   * Give it back; a second time does nothing. Requests that have to do with it end
   * as they would have, only that what they read is lost: they fail with a `TypeError`.
   */
  [Symbol.dispose](): void {
    // Also if it was transferred: what it holds ends with it, wherever it is seen
    if (!this.#released) {
      this.#released = true;
      this.#release(this.#buffer);
    }
  }

  /** How the runtime prints it: `IoqBuffer { byteLength: 4096, released: false }`. */
  [Symbol.for("Deno.customInspect")](): string {
    return `IoqBuffer { byteLength: ${this.#bytes.byteLength}, released: ${this.#released} }`;
  }
}
