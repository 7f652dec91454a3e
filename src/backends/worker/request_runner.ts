// Copyright 2026 the ioq authors. MIT license.

/**
 * What the worker backend has its requests run by: Workers, or its own thread.
 *
 * @module
 */

import { EWAITS } from "../../../ffi/layout.ts";
import { CoreRequest } from "../../operations/request.ts";
import type { Executor } from "./executor.ts";

/** A request that was accepted, but that nobody has begun, or that was tried in vain. */
export interface LeftRequest {
  readonly slot: number;
  /** With bytes of its own: the caller's may have changed. */
  readonly request: CoreRequest;
  readonly cancelled: boolean;
  /** A descriptor that is kept open for it, or `NONE_KEPT`. */
  readonly kept: number;
}

/** The descriptor of a request that keeps none. */
export const NONE_KEPT = -1;
/** In `hints`: it was tried in vain before. What is kept for it is its second descriptor. */
export const HINT_RETRIED = 1 << 14;
/** From minus this on downwards, results say which descriptor is kept while a request waits. */
const KEEPS = 1 << 24;

/** The error number of a request that keeps a descriptor while it waits. */
export function keeps(fd: number): number {
  return KEEPS + fd;
}

/** The descriptor that a result says is kept; `undefined` if the request does not wait. */
export function keptBy(result: number): number | undefined {
  return result === -EWAITS ? NONE_KEPT : result <= -KEEPS ? -result - KEEPS : undefined;
}

/** A request that is tried again. */
export function retried(request: CoreRequest, kept: number): CoreRequest {
  return Object.assign(new CoreRequest(request.op), request, {
    fd2: kept,
    hints: request.hints | HINT_RETRIED,
  });
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
