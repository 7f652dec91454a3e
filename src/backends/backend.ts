// Copyright 2026 the ioq authors. MIT license.

/**
 * The seam between the queue and what runs its requests.
 *
 * @module
 */

import type { SynchronousCalls } from "./synchronous.ts";
import type { ClockName, ClockReading, CpuClockName } from "../linux/clock.ts";
import type { CoreRequest } from "../operations/request.ts";
import type { Payload } from "../operations/payload.ts";

/**
 * Which kind of backend runs the requests.
 *
 * @category Queue
 */
export type BackendKind = "uring" | "threads" | "worker";

/**
 * What the kernel gave to a ring.
 *
 * @category Queue
 */
export interface RingInfo {
  /** Entries of the submission queue. */
  readonly entries: number;
  /** Entries of the completion queue. */
  readonly completionEntries: number;
  /** Setup flags that the kernel accepted, such as `DEFER_TASKRUN`. */
  readonly flags: readonly string[];
  /** Operations that run on the ring; the others run on worker lanes. */
  readonly operations: readonly string[];
  /** Whether the ring refuses all opcodes but those in use. */
  readonly restricted: boolean;
}

/**
 * How many requests each kind of lane has completed.
 *
 * @category Queue
 */
export interface LaneCounts {
  /** Those that never left the queue's thread, such as reads of what is cached. */
  core: number;
  /** The ring of the JavaScript thread. */
  ring: number;
  /** Worker lanes, by system calls; or Web Workers. */
  worker: number;
}

/**
 * Which backend runs, and why.
 *
 * @category Queue
 */
export interface BackendInfo {
  /** Which kind. */
  readonly kind: BackendKind;
  /** Lanes that can run requests: worker lanes, and the ring if there is one. */
  readonly lanes: number;
  /** If it is not the one that was preferred: why, in words. */
  readonly reason?: string;
  /** The code of the error behind that, such as `EPERM`. */
  readonly code?: string;
  /** Its number. */
  readonly errno?: number;
  /** The ring, if there is one. */
  readonly ring?: RingInfo;
}

/** Receives completions. */
export interface Sink {
  /**
   * A request has completed. Must not throw, and must not call the backend but
   * for {@linkcode Payload.take}.
   *
   * @param slot Its slot, which is free again.
   * @param result A value, or a negative error number.
   * @param payload What it produced, if the result is no error.
   */
  complete(slot: number, result: number, payload: Payload): void;
}

/**
 * Runs requests. A slot identifies a request from {@linkcode Backend.push} to
 * {@linkcode Sink.complete}, which comes exactly once for each.
 */
export interface Backend {
  /** Which one this is. */
  readonly info: BackendInfo;
  /** Whether requests are run by the library, and not by the runtime's own calls. */
  readonly hasLibrary: boolean;
  /** Whether a single request, of `readRanges`, reads many ranges at the same time. */
  readonly readsRanges: boolean;
  /** Whether it waits on a thread of the runtime's, so that the event loop goes round meanwhile. */
  readonly parksOnThread: boolean;
  /** How many requests each kind of lane has completed. */
  readonly completed: Readonly<LaneCounts>;
  /** Accepted requests whose completion has yet to come. */
  readonly inFlight: number;
  /**
   * What other queues of this process post to. Made when it is first asked for.
   *
   * @throws {Deno.errors.NotSupported} If this backend cannot be posted to.
   */
  readonly id: number;

  /**
   * What a clock says.
   *
   * @param code The core's number of it.
   * @param name Its name.
   * @throws {Deno.errors.NotSupported} If nobody tells.
   */
  readClock(code: number, name: ClockName | CpuClockName): ClockReading;

  /**
   * Take a request, to be submitted by a turn to come: by the next one, unless there
   * are more than it has room for. Everything is copied: the request's bytes may change
   * afterwards.
   *
   * @param timeoutMs After which the request is of no more interest: a hint, for a
   *        backend that can end it by itself, with ETIMEDOUT. The queue cancels it
   *        anyway.
   * @throws {Error} If the request's bytes cannot be copied; it is then not taken.
   */
  push(slot: number, request: CoreRequest, timeoutMs?: number): void;

  /** How many requests were taken beyond what the next turn has room for. */
  readonly backlog: number;

  /**
   * A request for a device was pushed: submit what there is, if that pays. Nothing is handed
   * out before the next turn.
   */
  hurry?(): void;

  /**
   * Submit the batch and hand completions to the sink. Never waits.
   *
   * @param arm Whether to prepare for {@linkcode Backend.park} if nothing completes.
   * @param yields Whether to let other threads run if nothing completes.
   *        A {@linkcode Backend.wake} before it may be lost to the parked call.
   * @returns Whether {@linkcode Backend.park} may be called.
   */
  turn(arm: boolean, yields: boolean): boolean;

  /**
   * What kind of file a descriptor is, as far as can be told without asking the device:
   * `IS_CACHED` if {@linkcode Backend.readCached} is for it, `WRITES_CACHED` if
   * {@linkcode Backend.writeCached} is, `HAS_POSITION` if it is no stream; `undefined` if that
   * takes requests.
   */
  fileKind(fd: number): number | undefined;

  /**
   * Read what is in the page cache, at once and without a slot.
   *
   * @param offset Where, in bytes from the start.
   * @returns How many bytes: as many as there is room for, or fewer at the end of the
   *          file. Or a negative error number, and nothing was read.
   */
  readCached(fd: number, target: Uint8Array<ArrayBuffer>, offset: number, length: number): number;

  /**
   * Write into the page cache, at once and without a slot.
   *
   * @param kind What {@linkcode Backend.fileKind} says, and `WRITE_CONTINUES` if it begins where
   *        the file's last write ended.
   * @param offset Where, in bytes from the start; a negative number for the file's end.
   * @returns How many bytes, possibly fewer. Or a negative number, and nothing was written.
   */
  writeCached(fd: number, kind: number, bytes: Uint8Array, offset: number, length: number): number;

  /**
   * Read ranges of what is in the page cache, at once and without a slot.
   *
   * @param ranges Of each the words of `struct ioq_range`; the last one tells how many bytes, or
   *               a negative error number.
   * @param bytes Where to, one range after the other.
   * @returns How many bytes, or a negative number if nothing was tried.
   */
  readCachedRanges(
    fd: number,
    ranges: Uint32Array<ArrayBuffer>,
    bytes: Uint8Array<ArrayBuffer>,
  ): number;

  /** Resolves when a turn has something to do, or at {@linkcode Backend.wake}. */
  park(): Promise<void>;

  /**
   * What runs requests at once on this thread, past the queue; made when it is first
   * asked for, closed with the backend.
   *
   * @throws {Deno.errors.NotSupported} If this thread cannot use the files of others.
   */
  synchronous(): SynchronousCalls;

  /**
   * Allocate memory that transfers go straight to and from.
   *
   * @throws {Error} If there is none.
   */
  allocate(length: number): ArrayBuffer;

  /** Give memory back, detaching it; anything else is left alone. */
  deallocate(buffer: ArrayBuffer): void;

  /**
   * Change the bound on requests in flight; there are none.
   *
   * @throws {Error} If that cannot be; it is then as it was.
   */
  resize(depth: number): void;

  /** Make {@linkcode Backend.park} resolve. */
  wake(): void;

  /**
   * Ask for a request to be cancelled. Its completion still comes: with EINTR,
   * or with its result if it was too late; an open whose cancellation was
   * accepted never completes with a descriptor.
   *
   * @returns Whether there was something to cancel.
   */
  cancel(slot: number): boolean;

  /** Cancel all requests, and those to come, but closes. */
  cancelAll(): void;

  /**
   * Complete what does not end although it was cancelled, if whatever is at it can be
   * left to itself. Called when a close has waited long enough.
   *
   * @returns Whether there was any: the turns to come tell of it.
   */
  abandon?(): boolean;

  /**
   * The program ends, or is loaded anew: give up what is in flight, and release what can
   * be released without waiting for long. Nothing is told any more.
   */
  unload(): void;

  /**
   * Release everything. Nothing may be in flight or parked. Turns and
   * cancellations of a closed backend do nothing.
   *
   * @returns Resolves when all of it is gone, if that takes time.
   */
  close(): void | Promise<void>;
}
