// Copyright 2026 the ioq authors. MIT license.

/**
 * A file as a stream that bytes are written to, at the file's position.
 *
 * @module
 */

/** What is to be known of a file to write it: `IoqFile` has all of it. */
interface WritableFile extends AsyncDisposable {
  write(bytes: Uint8Array): Promise<number>;
}

/** A chunk's bytes: its type says `Uint8Array`, and others are taken as Deno takes them. */
function bytesOf(chunk: unknown): Uint8Array {
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

/** Write all of a chunk. */
async function writeAll(file: WritableFile, chunk: unknown): Promise<void> {
  const bytes = bytesOf(chunk);
  for (let done = 0; done < bytes.length;) {
    const count = await file.write(bytes.subarray(done));
    if (count === 0) {
      throw new Deno.errors.WriteZero("failed to write whole buffer");
    }
    done += count;
  }
}

/** A stream to a file, which is closed with it. */
export function makeWritable(file: WritableFile): WritableStream<Uint8Array> {
  return new WritableStream({
    async write(chunk) {
      try {
        await writeAll(file, chunk);
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
