// Copyright 2026 the ioq authors. MIT license.

/**
 * FIFOs without the library. They are opened with `O_NONBLOCK`, so that no call on them
 * waits: what would have to fails with `EWAITS`, and is tried again (`retries.ts`).
 *
 *     open to read    succeeds without a writer; it is kept until there is one
 *     open to write   fails without a reader; nothing is kept
 *     whole files     are kept, with what was transferred
 *
 * Whether there is a writer is told by a read: nothing without one, `EAGAIN` with one. It
 * may give a byte, which the next read begins with.
 *
 * @module
 */

import type NodeFs from "node:fs";
import { EWAITS } from "../../../ffi/layout.ts";
import { ERRNO } from "../../linux/errors.ts";
import { O_RDWR, O_WRONLY } from "../../linux/fcntl.ts";
import { errnoOf, Failure } from "./failure.ts";
import { keeps, NONE_KEPT } from "./request_runner.ts";

/** Bytes that a pipe takes at once or not at all: of a part Node would not tell. */
const PIPE_BUF = 4096;
/** Bytes of a read of a whole FIFO. */
const CHUNK_LENGTH = 64 * 1024;

/** A FIFO that is open. */
interface Fifo {
  /** Whether its other end has come. */
  met: boolean;
  /** A byte that was read to find that out. */
  peeked: number | undefined;
  /** What was read of it as a whole. */
  readonly chunks: Uint8Array[];
  /** How many bytes were written to it as a whole. */
  done: number;
}

/** Those that this thread has opened, by descriptor. */
const fifos = new Map<number, Fifo>();

/** Descriptors of those that requests keep while they wait. */
const waiting = new Set<number>();
/** From so many of these on, no more are opened to be read. */
const WAITING_MAX = 256;

/** Whether a descriptor is that of a FIFO that was opened here. */
export function isFifo(fd: number): boolean {
  return fifos.has(fd);
}

/** A descriptor is about to be closed. */
export function removeFifo(fd: number): void {
  fifos.delete(fd);
  waiting.delete(fd);
}

/** Whether a path leads to a FIFO. */
export function leadsToFifo(path: string): boolean {
  try {
    return Deno.statSync(path).isFifo === true;
  } catch {
    // Opening it tells what is wrong
    return false;
  }
}

/** Run a call that does not wait; if it would have to, that is what it fails with. */
function attempt(call: () => number): number {
  try {
    return call();
  } catch (error) {
    throw errnoOf(error) === ERRNO.EAGAIN ? new Failure(EWAITS) : error;
  }
}

/** Whether a call has failed because it would have to wait. */
function waits(error: unknown): boolean {
  return errnoOf(error) === EWAITS;
}

/** Calls on FIFOs. */
export class Fifos {
  readonly #fs: typeof NodeFs;
  readonly #patient: boolean;

  /**
   * @param fs Node's calls.
   * @param patient Whether they wait all the same: those of synchronous calls do.
   */
  constructor(fs: typeof NodeFs, patient: boolean) {
    this.#fs = fs;
    this.#patient = patient;
  }

  /**
   * Open a FIFO whose other end is open.
   *
   * @param retried Whether this is the thread that has all descriptors, as it is from the
   *        second time on.
   * @param kept What was opened by an earlier try, or `NONE_KEPT`.
   */
  open(path: string, flags: number, mode: number, retried: boolean, kept: number): number {
    if (this.#patient) {
      return this.#fs.openSync(path, flags, mode);
    }
    if (!retried) {
      throw new Failure(EWAITS);
    }
    let fd = kept;
    if (fd === NONE_KEPT) {
      const met = (flags & (O_WRONLY | O_RDWR)) !== 0;
      if (!met && waiting.size >= WAITING_MAX) {
        // Not opened to look: a writer would be let in and left alone
        throw new Failure(EWAITS);
      }
      try {
        fd = this.#fs.openSync(path, flags | this.#fs.constants.O_NONBLOCK, mode);
      } catch (error) {
        const errno = errnoOf(error);
        const isFull = errno === ERRNO.EMFILE && !met && waiting.size > 0;
        throw errno === ERRNO.ENXIO || isFull ? new Failure(EWAITS) : error;
      }
      fifos.set(fd, { met, peeked: undefined, chunks: [], done: 0 });
    }
    const fifo = fifos.get(fd)!;
    fifo.met ||= this.#hasWriter(fd, fifo);
    if (!fifo.met) {
      waiting.add(fd);
      throw new Failure(keeps(fd));
    }
    waiting.delete(fd);
    return fd;
  }

  #hasWriter(fd: number, fifo: Fifo): boolean {
    const byte = new Uint8Array(1);
    try {
      if (attempt(() => this.#fs.readSync(fd, byte, 0, 1, null)) === 0) {
        return false;
      }
      fifo.peeked = byte[0];
      return true;
    } catch (error) {
      if (waits(error)) {
        return true;
      }
      throw error;
    }
  }

  /** Run a call; a patient one again until it need not wait. */
  #call(call: () => number): number {
    while (true) {
      try {
        return attempt(call);
      } catch (error) {
        if (!this.#patient || !waits(error)) {
          throw error;
        }
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      }
    }
  }

  /** Read what there is. */
  read(fd: number, bytes: Uint8Array): number {
    const fifo = fifos.get(fd)!;
    if (bytes.length === 0) {
      return 0;
    }
    if (fifo.peeked !== undefined) {
      bytes[0] = fifo.peeked;
      fifo.peeked = undefined;
      return 1;
    }
    return this.#call(() => this.#fs.readSync(fd, bytes, 0, bytes.length, null));
  }

  /** Write what there is room for, at least a byte. */
  write(fd: number, bytes: Uint8Array): number {
    let done = 0;
    while (done < bytes.length) {
      const from = done;
      const length = Math.min(PIPE_BUF, bytes.length - from);
      try {
        done += this.#call(() => this.#fs.writeSync(fd, bytes, from, length, null));
      } catch (error) {
        if (done === 0) {
          throw error;
        }
        break;
      }
    }
    return done;
  }

  /** Read to the end, and close. */
  readWhole(fd: number): Uint8Array {
    const { chunks } = fifos.get(fd)!;
    this.#whole(fd, () => {
      for (let count = 1; count > 0;) {
        const chunk = new Uint8Array(CHUNK_LENGTH);
        count = this.read(fd, chunk);
        chunks.push(chunk.subarray(0, count));
      }
    });
    const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const chunk of chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  }

  /** Write all there is to write, and close. */
  writeWhole(fd: number, bytes: Uint8Array): void {
    const fifo = fifos.get(fd)!;
    this.#whole(fd, () => {
      while (fifo.done < bytes.length) {
        fifo.done += this.write(fd, bytes.subarray(fifo.done));
      }
    });
  }

  /** Transfer a whole, and close the FIFO unless it is kept for another try. */
  #whole(fd: number, transfer: () => void): void {
    try {
      transfer();
    } catch (error) {
      if (waits(error)) {
        waiting.add(fd);
        throw new Failure(keeps(fd));
      }
      removeFifo(fd);
      this.#fs.closeSync(fd);
      throw error;
    }
    removeFifo(fd);
    this.#fs.closeSync(fd);
  }
}
