// Copyright 2026 the ioq authors. MIT license.

/**
 * Transfers that are too long for one request, in pieces.
 *
 *     │ piece │ piece │ piece │ piece │ …    reads: some at a time
 *         │ piece │ │ piece │ │ piece │ …    writes: one after the other
 *
 * As for one system call, an error of the file's counts only if nothing came before: the
 * next transfer will tell. An abort, a time limit and a cancellation always count.
 *
 * @module
 */

import { plainBytes } from "../byte_length.ts";
import { ownOption } from "../own_option.ts";
import { hasCode } from "../linux/errors.ts";
import { KeptBytes } from "../kept_bytes.ts";
import { isEnd } from "../end.ts";
import type { OperationOptions } from "../queue/runner.ts";

/**
 * Bytes that are transferred by one request, at the most: to copy more at once
 * would keep the event loop waiting.
 */
export const PIECE_LENGTH = 2 * 1024 * 1024;
/** Bytes of a write in pieces of which those to come are copied: of more it would take too long. */
export const KEPT_PIECES_MAX: number = 2 * PIECE_LENGTH;
/** Pieces of a read that are in flight. */
const PIECES_AT_ONCE = 4;

/** Bytes that one of several synchronous system calls transfers. */
const SYNCHRONOUS_LENGTH = 2 * 1024 * 1024;

/** Part of a read that is under way. */
interface Piece {
  readonly length: number;
  readonly count: Promise<number | null>;
}

/**
 * Whether an error is one of those that end all that its caller has begun, and not what
 * became of one transfer: an abort, a time limit, a cancellation, the end of the queue.
 */
export function endsEverything(error: unknown, options: OperationOptions | undefined): boolean {
  // What comes of a file has a code, unlike what is wrong with the call
  return isEnd(error, ownOption(options, "signal")) || !("code" in (error as Error)) ||
    hasCode(error, "ETIMEDOUT");
}

/**
 * Read in pieces.
 *
 * @param buffer Where to.
 * @param read Reads a piece, which begins at so many bytes from the first.
 * @param options What ends it.
 * @returns How many bytes were read, `null` at the end.
 */
export async function readInPieces(
  buffer: Uint8Array<ArrayBuffer>,
  read: (piece: Uint8Array<ArrayBuffer>, at: number) => Promise<number | null>,
  options: OperationOptions | undefined,
): Promise<number | null> {
  const { length } = buffer;
  const begin = (at: number): Piece => {
    const piece = buffer.subarray(at, at + PIECE_LENGTH);
    const count = read(piece, at);
    // One that comes after the end of another fails unseen
    count.catch(() => {});
    return { length: piece.length, count };
  };
  const pieces: Piece[] = [];
  let next = 0;
  for (let done = 0;;) {
    for (; next < length && pieces.length < PIECES_AT_ONCE; next += PIECE_LENGTH) {
      pieces.push(begin(next));
    }
    const first = pieces.shift();
    if (first === undefined) {
      return done;
    }
    try {
      const count = await first.count ?? 0;
      done += count;
      if (count < first.length) {
        // The buffer is written to until all are over
        await Promise.allSettled(pieces.map(({ count }) => count));
        return done === 0 ? null : done;
      }
    } catch (error) {
      await Promise.allSettled(pieces.map(({ count }) => count));
      if (done === 0 || endsEverything(error, options)) {
        throw error;
      }
      return done;
    }
  }
}

/**
 * Write in pieces.
 *
 * @param bytes What to write, of a plain `Uint8Array`; it may go when this has returned.
 * @param write Writes a piece, which begins at so many bytes from the first.
 * @param options What ends it.
 * @returns How many bytes were written.
 * @throws {TypeError} If what is yet to be written has gone.
 */
export async function writeInPieces(
  bytes: Uint8Array,
  write: (piece: Uint8Array, at: number) => Promise<number>,
  options: OperationOptions | undefined,
): Promise<number> {
  // The first piece is taken over by its request at once
  const { length } = bytes;
  let writing = write(bytes.subarray(0, PIECE_LENGTH), 0);
  using rest = new KeptBytes(bytes.subarray(PIECE_LENGTH), length <= KEPT_PIECES_MAX);
  for (let done = 0, end = Math.min(length, PIECE_LENGTH);;) {
    try {
      done += await writing;
    } catch (error) {
      if (done === 0 || endsEverything(error, options)) {
        throw error;
      }
      return done;
    }
    if (done < end || done === length) {
      return done;
    }
    end = Math.min(length, done + PIECE_LENGTH);
    writing = write(rest.part(done - PIECE_LENGTH, end - PIECE_LENGTH), done);
  }
}

/** Transfer in pieces on this thread; each is told how many bytes came before. */
export function transferInPiecesSync<B extends ArrayBufferLike>(
  given: Uint8Array<B>,
  transfer: (piece: Uint8Array<B>, done: number) => number,
): number {
  const bytes = plainBytes(given);
  let done = 0;
  try {
    while (true) {
      const piece = bytes.subarray(done, done + SYNCHRONOUS_LENGTH);
      const count = transfer(piece, done);
      done += count;
      if (count < piece.length || done === bytes.length) {
        return done;
      }
    }
  } catch (error) {
    if (done === 0) {
      throw error;
    }
    return done;
  }
}

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
