// Copyright 2026 the ioq authors. MIT license.

/**
 * Open files.
 *
 * @module
 */

import type { BigIntFileInfo, FileInfo } from "./file_info.ts";
import { op, type OpenRequestOptions } from "./op.ts";
import { ON_END, type Request } from "./operation.ts";
import type { OperationOptions, PromiseForms } from "./promise_forms.ts";
import type { Path } from "./path.ts";

/** How to open a file: `Deno.OpenOptions`, and where the path begins. */
export type OpenFileOptions = OpenRequestOptions;

/** Bytes that the streams of a file transfer at once. */
const CHUNK_LENGTH = 64 * 1024;

/**
 * An open file: `Deno.FsFile`'s members, and reading and writing at an offset,
 * which any number of calls may do at the same time.
 *
 * @example
 * ```ts
 * import { Ioq } from "@ioq/ioq";
 *
 * await using ioq = await Ioq.open();
 * await using file = await ioq.openFile("/etc/hostname");
 * const buffer = new Uint8Array(64);
 * const count = await file.readAt(buffer, 0);
 * console.log(count);
 * ```
 */
export class IoqFile implements AsyncDisposable {
  readonly #ioq: PromiseForms;
  readonly #path: Path;
  #fd: number;
  /** Requests in flight, and what to call when there are none left. */
  #inFlight = 0;
  #onIdle: (() => void) | undefined;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;

  /** Made by {@linkcode Ioq.openFile}. */
  constructor(ioq: PromiseForms, fd: number, path: Path) {
    this.#ioq = ioq;
    this.#fd = fd;
    this.#path = path;
  }

  /**
   * The descriptor, for requests made with `op`.
   *
   * @throws {Deno.errors.BadResource} If the file is closed.
   */
  get fd(): number {
    if (this.#fd < 0) {
      throw new Deno.errors.BadResource("Bad resource ID");
    }
    return this.#fd;
  }

  /** Run a request on the descriptor, which must be open. */
  async #run<V>(
    build: (fd: number) => Request,
    options?: OperationOptions,
  ): Promise<V> {
    const request = build(this.fd);
    this.#inFlight++;
    if (options?.signal !== undefined) {
      const onEnd = () => this.#leave();
      return await this.#ioq.run(request, { ...options, [ON_END]: onEnd } as OperationOptions) as V;
    }
    try {
      return await this.#ioq.run(request) as V;
    } finally {
      this.#leave();
    }
  }

  /** A request is over. */
  #leave(): void {
    if (--this.#inFlight === 0) {
      this.#onIdle?.();
    }
  }

  /**
   * Read at the file's position.
   *
   * @param buffer Where to.
   * @returns How many bytes were read, `null` at the end; 0 if the buffer is empty.
   */
  async read(buffer: Uint8Array<ArrayBuffer>, options?: OperationOptions): Promise<number | null> {
    const count = await this.#run<number>((fd) => op.readInto(fd, buffer), options);
    return count === 0 && buffer.byteLength > 0 ? null : count;
  }

  /**
   * Read at an offset, leaving the file's position alone.
   *
   * @param buffer Where to.
   * @param offset Bytes from the start.
   * @returns How many bytes were read, `null` at the end; 0 if the buffer is empty.
   */
  async readAt(
    buffer: Uint8Array<ArrayBuffer>,
    offset: number,
    options?: OperationOptions,
  ): Promise<number | null> {
    const count = await this.#run<number>((fd) => op.readInto(fd, buffer, offset), options);
    return count === 0 && buffer.byteLength > 0 ? null : count;
  }

  /**
   * Write at the file's position.
   *
   * @param bytes What to write; not to be changed before the promise settles.
   * @returns How many bytes were written, possibly fewer.
   */
  write(bytes: Uint8Array, options?: OperationOptions): Promise<number> {
    return this.#run((fd) => op.write(fd, bytes), options);
  }

  /**
   * Write at an offset, leaving the file's position alone.
   *
   * @param bytes What to write; not to be changed before the promise settles.
   * @param offset Bytes from the start.
   * @returns How many bytes were written, possibly fewer.
   */
  writeAt(bytes: Uint8Array, offset: number, options?: OperationOptions): Promise<number> {
    return this.#run((fd) => op.write(fd, bytes, offset), options);
  }

  /**
   * Move the file's position.
   *
   * @param offset Bytes, possibly negative.
   * @param whence From the start, the current position or the end.
   * @returns The new position, in bytes from the start.
   */
  seek(offset: number, whence: Deno.SeekMode, options?: OperationOptions): Promise<number> {
    return this.#run((fd) => op.seek(fd, offset, whence), options);
  }

  /** Shorten or lengthen the file to a number of bytes, 0 by default. */
  truncate(length?: number, options?: OperationOptions): Promise<void> {
    return this.#run((fd) => op.truncate(fd, length), options);
  }

  /** The file's attributes. */
  stat(options?: OperationOptions & { bigint?: false }): Promise<FileInfo>;
  /** The file's exact attributes. */
  stat(options: OperationOptions & { bigint: true }): Promise<BigIntFileInfo>;
  stat(options?: OperationOptions & { bigint?: boolean }): Promise<FileInfo | BigIntFileInfo> {
    return this.#run((fd) => op.fstat(fd, options as { bigint?: false }), options);
  }

  /** Have data and attributes written to the device. */
  sync(options?: OperationOptions): Promise<void> {
    return this.#run((fd) => op.sync(fd), options);
  }

  /** Have the data written to the device. */
  syncData(options?: OperationOptions): Promise<void> {
    return this.#run((fd) => op.syncData(fd), options);
  }

  /** Set the times of the last read and the last write. */
  utime(atime: Date | number, mtime: Date | number, options?: OperationOptions): Promise<void> {
    return this.#run((fd) => op.utime(fd, atime, mtime), options);
  }

  /** Wait for a lock on the file; shared unless `exclusive`. */
  lock(exclusive?: boolean, options?: OperationOptions): Promise<void> {
    return this.#run(
      (fd) => op.lock(fd, exclusive ? "exclusive" : "shared", { wait: true }),
      options,
    );
  }

  /** Take a lock on the file if nobody else's is in the way; tells whether it did. */
  async tryLock(exclusive?: boolean, options?: OperationOptions): Promise<boolean> {
    try {
      await this.#run((fd) => op.lock(fd, exclusive ? "exclusive" : "shared"), options);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.WouldBlock) {
        return false;
      }
      throw error;
    }
  }

  /** Release the lock. */
  unlock(options?: OperationOptions): Promise<void> {
    return this.#run((fd) => op.lock(fd, "unlock"), options);
  }

  /** The rest of the file as a stream; the file is closed at its end, or on cancel. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= new ReadableStream({
      pull: async (controller) => {
        const chunk = new Uint8Array(CHUNK_LENGTH);
        const count = await this.#orClose(this.read(chunk));
        if (count === null) {
          await this[Symbol.asyncDispose]();
          controller.close();
        } else {
          controller.enqueue(chunk.subarray(0, count));
        }
      },
      cancel: () => this[Symbol.asyncDispose](),
    }, { highWaterMark: 0 });
  }

  /** A stream that writes at the file's position; the file is closed with it. */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= new WritableStream({
      write: async (chunk) => {
        for (let done = 0; done < chunk.length;) {
          done += await this.#orClose(this.write(chunk.subarray(done)));
        }
      },
      close: () => this[Symbol.asyncDispose](),
      abort: () => this[Symbol.asyncDispose](),
    });
  }

  /** A stream that fails is over: nobody could close the file by it any more. */
  async #orClose<V>(transfer: Promise<V>): Promise<V> {
    try {
      return await transfer;
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Close the file. From now on it refuses all else; what is in flight ends first,
   * because the descriptor's number may mean another file as soon as it is closed.
   *
   * @throws {Deno.errors.BadResource} If it is closed already.
   */
  async close(): Promise<void> {
    const fd = this.fd;
    this.#fd = -1;
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => this.#onIdle = resolve);
    }
    await this.#ioq.run(op.close(fd));
  }

  /** {@linkcode IoqFile.close}, for `await using`; a closed file is fine. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#fd >= 0) {
      await this.close();
    }
  }

  /** How the runtime prints it. */
  [Symbol.for("Deno.customInspect")](): string {
    return `IoqFile { path: ${JSON.stringify(String(this.#path))}, fd: ${this.#fd} }`;
  }
}

/** Open a file on a queue. */
export async function openFile(
  ioq: PromiseForms,
  path: Path,
  options: OpenFileOptions & OperationOptions = { read: true },
): Promise<IoqFile> {
  const { signal, ...open } = options;
  const request = op.open(path, Object.keys(open).length === 0 ? { read: true } : open);
  return new IoqFile(ioq, await ioq.run(request, signal === undefined ? {} : { signal }), path);
}
