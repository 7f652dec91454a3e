// Copyright 2026 the ioq authors. MIT license.

/**
 * Transfers that are too long for one request, in pieces.
 *
 *     │ piece │ piece │ piece │ piece │ …    reads at an offset: some at a time
 *         │ piece │ │ piece │ │ piece │ …    all others: one after the other
 *
 * As for one system call, what ends a transfer early counts only if nothing came
 * before; an abort always counts.
 *
 * @module
 */

/**
 * Bytes that are transferred by one request, at the most: to copy more at once
 * would keep the event loop waiting.
 */
export const PIECE_LENGTH = 2 * 1024 * 1024;
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
 * Read in pieces.
 *
 * @param buffer Where to.
 * @param concurrently Whether several may be read at the same time.
 * @param read Reads a piece, which begins at so many bytes from the first.
 * @param signal Aborts it.
 * @returns How many bytes were read, `null` at the end.
 */
export async function readInPieces(
  buffer: Uint8Array<ArrayBuffer>,
  concurrently: boolean,
  read: (piece: Uint8Array<ArrayBuffer>, at: number) => Promise<number | null>,
  signal: AbortSignal | undefined,
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
  const most = concurrently ? PIECES_AT_ONCE : 1;
  let next = 0;
  for (let done = 0;;) {
    for (; next < length && pieces.length < most; next += PIECE_LENGTH) {
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
      if (done === 0 || signal?.aborted) {
        throw error;
      }
      return done;
    }
  }
}

/**
 * Write in pieces.
 *
 * @param bytes What to write.
 * @param write Writes a piece, which begins at so many bytes from the first.
 * @param signal Aborts it.
 * @returns How many bytes were written.
 */
export async function writeInPieces(
  bytes: Uint8Array,
  write: (piece: Uint8Array, at: number) => Promise<number>,
  signal: AbortSignal | undefined,
): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    const piece = bytes.subarray(done, done + PIECE_LENGTH);
    try {
      const count = await write(piece, done);
      done += count;
      if (count < piece.length) {
        break;
      }
    } catch (error) {
      if (done === 0 || signal?.aborted) {
        throw error;
      }
      break;
    }
  }
  return done;
}

/** Transfer in pieces on this thread. */
export function transferInPiecesSync<B extends ArrayBufferLike>(
  bytes: Uint8Array<B>,
  transfer: (piece: Uint8Array<B>) => number,
): number {
  let done = 0;
  try {
    while (true) {
      const piece = bytes.subarray(done, done + SYNCHRONOUS_LENGTH);
      const count = transfer(piece);
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
