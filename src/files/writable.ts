// Copyright 2026 the ioq authors. MIT license.

/**
 * A file as a stream that bytes are written to, at the file's position.
 *
 * @module
 */

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

/** Write all of a chunk, whatever each write takes of it. */
export async function writeChunk(
  bytes: Uint8Array,
  write: (rest: Uint8Array) => Promise<number>,
): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const count = await write(bytes.subarray(done));
    if (count === 0) {
      throw new Deno.errors.WriteZero("failed to write whole buffer");
    }
    done += count;
  }
}

/** A stream to a file, which is closed with it. */
export function makeWritable(file: WritableFile): WritableStream<Uint8Array> {
  return new WritableStream({
    start({ signal }) {
      // At once: abort() itself waits for the write that is in progress
      signal.addEventListener("abort", () => file.abort(signal.reason));
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
