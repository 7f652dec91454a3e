// Copyright 2026 the ioq authors. MIT license.

/**
 * What a request writes that waits in line, as it was when it came there. The request
 * itself is not changed: its caller may have it run again.
 *
 * @module
 */

import { byteLengthOf, plainBytes } from "../byte_length.ts";
import { giveRoom, memoryFor, takeRoom } from "../kept_bytes.ts";
import type { CoreRequest } from "../operations/request.ts";

/** A copy of what a request writes. */
export class KeptWrite implements Disposable {
  #bytes: Uint8Array | undefined;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** What a request writes; `undefined` if that is nothing, or too much to be copied. */
  static of({ bytes, sources, length }: CoreRequest): KeptWrite | undefined {
    if (length === 0 || (bytes === undefined && sources === undefined)) {
      return undefined;
    }
    const parts = bytes === undefined ? sources! : [bytes];
    if (parts.reduce((sum, part) => sum + byteLengthOf(part), 0) < length || !takeRoom(length)) {
      return undefined;
    }
    try {
      const copy = memoryFor(length);
      let at = 0;
      for (const part of parts) {
        const rest = length - at;
        copy.set(byteLengthOf(part) > rest ? plainBytes(part).subarray(0, rest) : part, at);
        at += byteLengthOf(part);
      }
      return new KeptWrite(copy);
    } catch {
      // No memory: whether all is there is seen when the request has its turn
      giveRoom(length);
      return undefined;
    }
  }

  /** Have a request write the copy while something is done with it. */
  lend<V>(request: CoreRequest, work: () => V): V {
    const { bytes, sources } = request;
    request.bytes = this.#bytes;
    request.sources = undefined;
    try {
      return work();
    } finally {
      request.bytes = bytes;
      request.sources = sources;
    }
  }

  [Symbol.dispose](): void {
    giveRoom(this.#bytes?.length ?? 0);
    this.#bytes = undefined;
  }
}
