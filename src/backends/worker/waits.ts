// Copyright 2026 the ioq authors. MIT license.

/**
 * Requests that need no lane, only time, a descriptor's readiness or a message: a
 * Worker that waited for one of those would be of no use to anyone else.
 *
 *     with the library:     timeout, poll, post, receive ──▶ a native queue without lanes
 *     without:              timeout ──▶ timers of the runtime's; the rest is refused
 *
 * @module
 */

import type { ClockName, ClockReading, CpuClockName } from "../../linux/clock.ts";
import type { Payload } from "../../operations/payload.ts";
import { OP } from "../../../ffi/layout.ts";
import type { CoreRequest } from "../../operations/request.ts";

/** Is told of completions, never from within a call other than {@linkcode Waits.turn}. */
export type CompleteWait = (slot: number, result: number, payload?: Payload) => void;

/** Runs requests that wait for time, readiness or a message, without a lane. */
export interface Waits {
  /** How many requests wait, or are complete and not told of. */
  readonly size: number;

  /**
   * What other queues of this process post to.
   *
   * @throws {Deno.errors.NotSupported} Without the library.
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

  /** Says why a request cannot wait here, as a number, or 0. */
  refuse(request: CoreRequest): number;

  /** Have a request wait. */
  add(slot: number, request: CoreRequest): void;

  /** Tell of what is over. Returns how many. */
  turn(): number;

  /** Have the backend woken when a turn has something to tell. Returns false if it has now. */
  arm(): boolean;

  /** Cancel a request: it is over soon. Returns whether it was waiting. */
  cancel(slot: number): boolean;

  /** Cancel all. */
  cancelAll(): void;

  /** Change the bound on how many there are; none waits. */
  resize(depth: number): void;

  /** Release what can be released at once: the program ends. */
  unload(): void;

  /** Release everything; none waits. */
  close(): Promise<void>;
}

/** Whether requests of this kind are for {@linkcode Waits}. */
export function isWait(code: number): boolean {
  return code === OP.timeout || code === OP.poll || code === OP.post || code === OP.receive;
}
