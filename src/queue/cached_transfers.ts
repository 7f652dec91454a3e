// Copyright 2026 the ioq authors. MIT license.

/**
 * Transfers between the page cache and us, which need no turn.
 *
 *     readAt() ──▶ cached? ──▶ copied by this very call, the promise is resolved
 *                    │ no
 *                    └──────▶ a request like any other
 *
 *     writeAt() ─▶ short, and nothing to wait for? ──▶ likewise
 *
 * A turn costs such a transfer a second copy, a slot, and a way through the kernel's
 * queues. Alone, that is nearly half of the processor time that a read takes; with many
 * in flight, who share a turn, it is what the system call for each costs. Whether
 * everything is cached the kernel tells by reading it (`RWF_NOWAIT`), see
 * `native/calls/cached.c`. A write alone takes four times as long by way of a lane. What
 * it might wait for is known less exactly, see `native/calls/cached_write.c`.
 *
 * Nothing is told apart from the outside but by the time that it takes: a transfer goes
 * that way only if the queue accepts requests and has room, if there is nothing else
 * in flight on the file that it might overtake, and if what the event loop grants to
 * one iteration is not used up. With a signal or a timeout it never does: it would be
 * over before either could mean anything. Where reads and writes are at cancellation points,
 * as those of tasks are, none does.
 *
 * Where reads have to wait for a device, trying costs a system call each: after a
 * miss some are not tried, and after more misses in a row more of them. A write that was
 * not done for what it might wait for has not even been tried.
 *
 * @module
 */

import { IS_CACHED, WRITE_CACHED_MAX, WRITE_CONTINUES, WRITES_CACHED } from "../../ffi/layout.ts";
import { ERRNO } from "../linux/errors.ts";

/** It cannot be done at once; whether it is cached was not even looked at. */
export const NOT_NOW = -1_000_000;

/** Reads that are not tried after misses, at the most. */
const SKIPPED_MAX = 63;

/** Stands for an offset: the end of the file, to which it was opened to append. */
export const APPENDS = -1;

/** What can transfer what the page cache takes part in. */
export interface CacheAccess {
  /** Read `length` bytes, all of `target`; a negative number if that cannot be. */
  readCached(fd: number, target: Uint8Array<ArrayBuffer>, offset: number, length: number): number;
  /** Read ranges, each with its result; a negative number if none was tried. */
  readCachedRanges(
    fd: number,
    ranges: Uint32Array<ArrayBuffer>,
    bytes: Uint8Array<ArrayBuffer>,
  ): number;
  /**
   * Write into the cache, if that waits for nothing.
   *
   * @param kind What {@linkcode CacheAccess.fileKind} says of the descriptor, and whether the
   *        write continues the one before.
   * @param offset Where, in bytes from the start, or {@linkcode APPENDS}.
   * @returns How many bytes, possibly fewer; a negative number if that cannot be, and nothing
   *          was written.
   */
  writeCached(fd: number, kind: number, bytes: Uint8Array, offset: number, length: number): number;
  /**
   * What kind of file a descriptor is: `IS_CACHED` if reading is worth trying,
   * `WRITES_CACHED` if writing is, `HAS_POSITION` if it is no stream; `undefined` if nobody can
   * tell at once.
   */
  fileKind(fd: number): number | undefined;
}

/** Transfers nothing past the queue: each transfer of a task's is a cancellation point. */
export const NO_CACHE_ACCESS: CacheAccess = {
  readCached: () => NOT_NOW,
  readCachedRanges: () => NOT_NOW,
  writeCached: () => NOT_NOW,
  fileKind: () => undefined,
};

/** What is known about the cached transfers of one file. */
export class CachedTransfers {
  readonly #access: CacheAccess;
  /** What kind of file it is, once someone asked. */
  #kind: number | undefined;
  /** Whether it is the kind for this. */
  #possible: boolean | undefined;
  /** How many reads are not to be tried after the next miss. */
  #backoff = 1;
  /** How many are not to be tried now. */
  #skip = 0;
  /** Where the last one of those writes ended, what is before which is cached. */
  #writtenTo: number | undefined;

  constructor(access: CacheAccess) {
    this.#access = access;
  }

  /** What kind of file a descriptor is, if that can be told at once. */
  kind(fd: number): number | undefined {
    return this.#kind ??= this.#access.fileKind(fd);
  }

  /** Whether what is read of a file may be cached, and it is worth trying. */
  #isWorthTrying(fd: number): boolean {
    return this.#possible ??= ((this.kind(fd) ?? 0) & IS_CACHED) !== 0;
  }

  /**
   * Read ranges of what is cached. Those that are not keep a negative result.
   *
   * @param ranges See `Backend.readCachedRanges()`.
   * @param bytes Where to, one after the other.
   * @returns Whether that was tried; `undefined` if it will never be.
   */
  readRanges(
    fd: number,
    ranges: Uint32Array<ArrayBuffer>,
    bytes: Uint8Array<ArrayBuffer>,
  ): boolean | undefined {
    return this.#isWorthTrying(fd)
      ? this.#access.readCachedRanges(fd, ranges, bytes) >= 0
      : undefined;
  }

  /**
   * Read what is cached.
   *
   * @param target Where to.
   * @param offset Where, in bytes from the start.
   * @param length How many bytes `target` has.
   * @returns How many bytes, 0 at the end; or a negative number if that cannot be.
   */
  read(fd: number, target: Uint8Array<ArrayBuffer>, offset: number, length: number): number {
    if (!this.#isWorthTrying(fd)) {
      return NOT_NOW;
    }
    if (this.#skip > 0) {
      this.#skip--;
      return NOT_NOW;
    }
    const count = this.#access.readCached(fd, target, offset, length);
    if (count >= 0) {
      this.#backoff = 1;
    } else if (count === -ERRNO.EAGAIN!) {
      this.#skip = this.#backoff;
      this.#backoff = Math.min(2 * this.#backoff + 1, SKIPPED_MAX);
    } else if (count !== NOT_NOW) {
      // The file system cannot tell, or there is an error: the usual way tells which
      this.#possible = false;
    }
    return count;
  }

  /**
   * Write into the cache.
   *
   * @param offset Where, in bytes from the start, or {@linkcode APPENDS}.
   * @param length How many bytes there are.
   * @returns How many bytes, at least one; or a negative number if that cannot be.
   */
  write(fd: number, bytes: Uint8Array, offset: number, length: number): number {
    if (length > WRITE_CACHED_MAX || length === 0) {
      return NOT_NOW;
    }
    const kind = this.kind(fd) ?? 0;
    if ((kind & WRITES_CACHED) === 0) {
      return NOT_NOW;
    }
    const flags = this.#writtenTo === offset ? kind | WRITE_CONTINUES : kind;
    const count = this.#access.writeCached(fd, flags, bytes, offset, length);
    if (count > 0) {
      this.#writtenTo = offset === APPENDS ? APPENDS : offset + count;
    }
    // Nothing was written: the usual way tells why
    return count === 0 ? NOT_NOW : count;
  }
}
