// Copyright 2026 the ioq authors. MIT license.

/**
 * What the worker backend has its requests run by: Workers, or its own thread.
 *
 * @module
 */

import { CoreRequest } from "../../operations/request.ts";
import type { Executor } from "./executor.ts";

/** A request that was accepted, but that nobody has begun, or that was tried in vain. */
export interface LeftRequest {
  readonly slot: number;
  /** With bytes of its own: the caller's may have changed. */
  readonly request: CoreRequest;
  readonly cancelled: boolean;
}

/** A request with the bytes that it had when it was made: the caller's may have changed. */
export function withBytes(request: CoreRequest, input: Uint8Array): CoreRequest {
  return request.bytes === undefined && request.sources === undefined
    ? request
    : Object.assign(new CoreRequest(request.op), request, {
      sources: undefined,
      bytes: input.slice(input.length - request.length),
    });
}

/** Runs the requests of the worker backend. `Backend` describes the methods. */
export interface RequestRunner {
  /** Accepted requests whose completion has yet to come. */
  readonly inFlight: number;
  /** What runs requests at once on the queue's thread, if it may use the same descriptors. */
  readonly executor: Executor | undefined;

  /** Take a request in. Everything is copied. */
  push(slot: number, request: CoreRequest): void;
  /** Submit what was taken in, and hand completions out. Returns how many. */
  turn(): number;
  /** After a turn that completed nothing: whether {@linkcode RequestRunner.park} may be called. */
  arm(): boolean;
  /** Resolves when a turn has something to do, or at {@linkcode RequestRunner.wake}. */
  park(): Promise<void>;
  /** Make {@linkcode RequestRunner.park} resolve. */
  wake(): void;
  /** Cancel a request. Returns whether there was something to cancel. */
  cancel(slot: number): boolean;
  /** Cancel all that is there. */
  cancelAll(): void;
  /**
   * Complete what does not end, if whatever is at it can be left to itself. Whether there
   * was any.
   */
  abandon(): boolean;
  /** Change the bound on requests in flight; there are none. */
  resize(depth: number): void;
  /** Release everything; nothing is in flight. */
  close(): Promise<void>;
}
