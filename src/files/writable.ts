// Copyright 2026 the ioq authors. MIT license.

/**
 * A file as a stream that bytes are written to, at the file's position.
 *
 * @module
 */

import { areGone, goneError, plainBytes } from "../byte_length.ts";
import { KeptBytes } from "../kept_bytes.ts";
import { onAbort } from "../signal.ts";
import { KEPT_PIECES_MAX, PIECE_LENGTH } from "./pieces.ts";

/** What a stream needs of a file to write it. */
interface WritableFile extends AsyncDisposable {
  /** Write at the position; the signal ends the waiting for it. */
  write(bytes: Uint8Array, signal: AbortSignal): Promise<number>;
  /** Abort the write that is in progress. */
  abort(reason: unknown): void;
}

/** A chunk's bytes: its type says `Uint8Array`, and others are taken as Deno takes them. */
export function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) {
    return chunk;
  }
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (chunk instanceof ArrayBuffer) {
    return new Uint8Array(chunk);
  }
  throw new TypeError("Expected ArrayBuffer or ArrayBufferView for write chunk");
}

/**
 * Write all of a chunk, whatever each write takes of it.
 *
 * @param bytes What to write; it may go when this has returned.
 * @param piecewise Whether each write takes no more than a piece; others see to the rest of
 *        what they were given themselves.
 * @throws {TypeError} If what is yet to be written has gone.
 */
export async function writeChunk(
  bytes: Uint8Array,
  write: (rest: Uint8Array) => Promise<number>,
  piecewise = false,
): Promise<void> {
  if (areGone(bytes)) {
    // While it waited in the stream
    throw goneError();
  }
  const plain = plainBytes(bytes);
  const { length } = plain;
  if (length === 0) {
    return;
  }
  const writing = write(plain);
  // Its first piece was taken over by a request, and most chunks are not longer
  using kept = new KeptBytes(
    plain,
    piecewise && length > PIECE_LENGTH && length <= KEPT_PIECES_MAX,
  );
  for (let done = progress(await writing); done < length;) {
    done += progress(await write(kept.part(done)));
  }
}

/** Check that a write took something. */
function progress(count: number): number {
  if (count === 0) {
    throw new Deno.errors.WriteZero("failed to write whole buffer");
  }
  return count;
}

/** A stream to a file, which is closed with it. */
export function makeWritable(file: WritableFile): WritableStream<Uint8Array> {
  return new WritableStream({
    start({ signal }) {
      // At once: abort() itself waits for the write that is in progress
      onAbort(signal, () => file.abort(signal.reason));
    },
    async write(chunk, { signal }) {
      try {
        await writeChunk(bytesOf(chunk), (rest) => file.write(rest, signal));
      } catch (error) {
        // A stream that fails is over: nobody could close the file by it any more
        await file[Symbol.asyncDispose]();
        throw error;
      }
    },
    close: () => file[Symbol.asyncDispose](),
    abort: () => file[Symbol.asyncDispose](),
  });
}
