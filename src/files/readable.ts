// Copyright 2026 the ioq authors. MIT license.

/**
 * A file as a stream of bytes that is read ahead, in order.
 *
 *     pull ──▶ │ read at 0 │ read at 64 Ki │ read at 128 Ki │ … │   in flight
 *               ▼ awaited first
 *             enqueue
 *
 * READS_AHEAD reads are under way while someone wants the first of them, and none
 * beyond: at most READS_AHEAD × CHUNK_LENGTH bytes (512 KiB) are held.
 *
 * What comes next is known only if the read before it was not cut short: at the
 * end, by a file that changes, or by what only looks like a regular file. Then
 * the reads behind it are of no use; they are dropped and the reading goes on
 * where the short one ended. What is no regular file, or says that it is empty
 * (as those in `/proc` do), is read one piece at a time at its own position.
 *
 * @module
 */

/** Bytes of a read. */
const CHUNK_LENGTH = 64 * 1024;
/** Reads in flight. */
const READS_AHEAD = 8;
/** Ends of reads of a file opened with `direct` are multiples of it, but at the file's end. */
const SECTOR_LENGTH = 512;

/** What is to be known of a file to read it: `IoqFile` has all of it. */
interface ReadableFile extends AsyncDisposable {
  stat(): Promise<{ isFile: boolean; size: number }>;
  seek(offset: number, whence: Deno.SeekMode): Promise<number>;
  read(buffer: Uint8Array<ArrayBuffer>): Promise<number | null>;
  readAt(buffer: Uint8Array<ArrayBuffer>, offset: number): Promise<number | null>;
}

/** A read that is under way. */
interface Read {
  readonly offset: number;
  readonly chunk: Uint8Array<ArrayBuffer>;
  /** How many bytes there were, `null` at the end; or why there were none. */
  readonly count: Promise<number | null>;
}

/** Reads a file from its position on. */
class ReadAhead {
  readonly #file: ReadableFile;
  readonly #direct: boolean;
  /** Reads in flight, in order. */
  #reads: Read[] = [];
  /** Where the next read begins; `undefined` for the file's own position. */
  #offset: number | undefined;
  #started = false;
  #ended = false;

  constructor(file: ReadableFile, direct: boolean) {
    this.#file = file;
    this.#direct = direct;
  }

  /** Find out where and how to read. */
  async #start(): Promise<void> {
    const { isFile, size } = await this.#file.stat();
    if (isFile && size > 0) {
      this.#offset = await this.#file.seek(0, Deno.SeekMode.Current);
    }
    this.#started = true;
  }

  /** Have as many reads in flight as may be. */
  #fill(): void {
    while (this.#offset !== undefined && this.#reads.length < READS_AHEAD) {
      const chunk = new Uint8Array(CHUNK_LENGTH);
      const count = this.#file.readAt(chunk, this.#offset);
      // One that is dropped fails unseen
      count.catch(() => {});
      this.#reads.push({ offset: this.#offset, chunk, count });
      this.#offset += CHUNK_LENGTH;
    }
  }

  /** The next bytes; `null` at the end. */
  async next(): Promise<Uint8Array<ArrayBuffer> | null> {
    if (!this.#started) {
      await this.#start();
    }
    if (this.#ended) {
      return null;
    }
    if (this.#offset === undefined) {
      const chunk = new Uint8Array(CHUNK_LENGTH);
      const count = await this.#file.read(chunk);
      return count === null ? null : chunk.subarray(0, count);
    }
    this.#fill();
    const { offset, chunk, count } = this.#reads.shift()!;
    const length = await count;
    if (length === null) {
      return null;
    }
    if (length < CHUNK_LENGTH) {
      this.#reads = [];
      this.#offset = offset + length;
      // A direct read that is no multiple ended with the file, and another one
      // that begins there would be refused
      this.#ended = this.#direct && length % SECTOR_LENGTH !== 0;
    }
    return chunk.subarray(0, length);
  }
}

/** The rest of a file as a stream; it is closed at its end, on cancel, and if it fails. */
export function makeReadable(
  file: ReadableFile,
  direct: boolean,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const ahead = new ReadAhead(file, direct);
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      let bytes;
      try {
        bytes = await ahead.next();
      } catch (error) {
        await file[Symbol.asyncDispose]();
        throw error;
      }
      if (bytes !== null) {
        controller.enqueue(bytes);
        return;
      }
      await file[Symbol.asyncDispose]();
      controller.close();
      // Whoever waits with a buffer of his own gets it back
      controller.byobRequest?.respond(0);
    },
    cancel: () => file[Symbol.asyncDispose](),
  }, { highWaterMark: 0 }) as ReadableStream<Uint8Array<ArrayBuffer>>;
}
