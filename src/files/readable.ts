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
 * where the short one ended. They are dropped as well if the position is moved, or the
 * file written to, by somebody else between two chunks: the next chunk begins at the
 * position, and the position is behind it when it has been handed out. What is no
 * regular file, or says that it is empty (as those in `/proc` do), is read one piece at
 * a time.
 *
 * @module
 */

/** Bytes of a read. */
const CHUNK_LENGTH = 64 * 1024;
/** Reads in flight. */
const READS_AHEAD = 8;
/** Ends of reads of a file opened with `direct` are multiples of it, but at the file's end. */
const SECTOR_LENGTH = 512;

/** What a stream needs of a file to read it. */
interface ReadableFile extends AsyncDisposable {
  stat(): Promise<{ isFile: boolean; size: number }>;
  /**
   * Have the position to itself: nothing else reads or writes there until
   * {@linkcode ReadableFile.leave} is called.
   *
   * @returns Where it is; `undefined` if it is no file but a stream, which nobody has
   *          to itself.
   */
  enter(): number | Promise<number | undefined>;
  /** Move the position by so many bytes, and let others have it. */
  leave(count: number): void;
  /** A number that changes when something else than a read is done to the file. */
  changes(): number;
  /** Read from a stream; the signal ends the waiting for others who do so. */
  read(buffer: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<number | null>;
  readAt(buffer: Uint8Array<ArrayBuffer>, offset: number): Promise<number | null>;
  /** Abort the read of a stream that is in progress. */
  abort(reason: unknown): void;
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
  /** Where the next read begins. */
  #offset = 0;
  /** Whether to read ahead, once that is known. */
  #isAhead: boolean | undefined;
  /** What the file's changes were when the first of the reads began. */
  #changes = 0;
  #ended = false;
  readonly #abort = new AbortController();

  constructor(file: ReadableFile, direct: boolean) {
    this.#file = file;
    this.#direct = direct;
  }

  /** Nobody wants more. */
  cancel(reason: unknown): void {
    this.#abort.abort(reason);
    this.#file.abort(reason);
  }

  /** The next bytes; `null` at the end. */
  async next(): Promise<Uint8Array<ArrayBuffer> | null> {
    this.#abort.signal.throwIfAborted();
    const file = this.#file;
    const entered = file.enter();
    const at = entered instanceof Promise ? await entered : entered;
    if (at === undefined) {
      const chunk = new Uint8Array(CHUNK_LENGTH);
      const count = await file.read(chunk, this.#abort.signal);
      return count === null ? null : chunk.subarray(0, count);
    }
    let length = 0;
    try {
      const bytes = await this.#readAt(at);
      length = bytes?.length ?? 0;
      return bytes;
    } finally {
      file.leave(length);
    }
  }

  /** The bytes at an offset; `null` at the end. */
  async #readAt(at: number): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#isAhead === undefined) {
      const { isFile, size } = await this.#file.stat();
      this.#isAhead = isFile && size > 0;
    }
    if (this.#ended && at === this.#offset) {
      return null;
    }
    if (!this.#isAhead) {
      const chunk = new Uint8Array(CHUNK_LENGTH);
      const count = await this.#file.readAt(chunk, at);
      return count === null ? null : chunk.subarray(0, count);
    }
    const changes = this.#file.changes();
    if (this.#reads[0]?.offset !== at || this.#changes !== changes) {
      // The beginning, or somebody has moved the position or written meanwhile
      this.#reads = [];
      this.#offset = at;
      this.#changes = changes;
    }
    this.#fill();
    const { chunk, count } = this.#reads.shift()!;
    const length = await count;
    if (length === null) {
      return null;
    }
    if (length < CHUNK_LENGTH) {
      this.#reads = [];
      this.#offset = at + length;
      // A direct read that is no multiple ended with the file, and another one
      // that begins there would be refused
      this.#ended = this.#direct && length % SECTOR_LENGTH !== 0;
    }
    return chunk.subarray(0, length);
  }

  /** Have as many reads in flight as may be. */
  #fill(): void {
    while (this.#reads.length < READS_AHEAD) {
      const chunk = new Uint8Array(CHUNK_LENGTH);
      const count = this.#file.readAt(chunk, this.#offset);
      // One that is dropped fails unseen
      count.catch(() => {});
      this.#reads.push({ offset: this.#offset, chunk, count });
      this.#offset += CHUNK_LENGTH;
    }
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
      // A reader that waits with its own buffer gets it back
      controller.byobRequest?.respond(0);
    },
    cancel: (reason) => {
      ahead.cancel(reason);
      return file[Symbol.asyncDispose]();
    },
  }, { highWaterMark: 0 }) as ReadableStream<Uint8Array<ArrayBuffer>>;
}
