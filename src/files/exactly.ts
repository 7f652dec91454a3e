// Copyright 2026 the ioq authors. MIT license.

/**
 * Reading no less than there is room for. One read may bring less: the rest is asked for
 * again, until the buffer is full or the file ends.
 *
 * @module
 */

/**
 * Fill a buffer.
 *
 * @param buffer What to fill.
 * @param read Reads into what is left, which begins at so many bytes from the first.
 * @param context What is being read, for the message.
 * @throws {Deno.errors.UnexpectedEof} If the file ends before.
 */
export async function readExactly(
  buffer: Uint8Array<ArrayBuffer>,
  read: (rest: Uint8Array<ArrayBuffer>, done: number) => Promise<number | null>,
  context: string,
): Promise<void> {
  for (let done = 0; done < buffer.length;) {
    const count = await read(buffer.subarray(done), done);
    if (count === null || count === 0) {
      throw new Deno.errors.UnexpectedEof(
        `Expected ${buffer.length} bytes, but the file ends after ${done}: ${context}`,
      );
    }
    done += count;
  }
}
