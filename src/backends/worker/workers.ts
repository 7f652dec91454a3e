// Copyright 2026 the ioq authors. MIT license.

/**
 * Has Web Workers run requests. Each lane is a Worker that waits on the slot queue
 * `pending`, runs one request after the other synchronously, and puts messages into
 * `ready`; see `memory.ts` for what crosses and how, `lane.ts` for what a lane does.
 *
 * Lanes start when there is something to do: one, and more while requests wait that
 * no lane takes, since all are held up. What keeps the process alive while requests
 * are in flight is a timer, which also looks after the lanes.
 *
 * A lane that ends unexpectedly fails the request it was at, and another one takes
 * its place, a bounded number of times. If lanes cannot be started at all, or no
 * more, the requests that none of them has taken are given up, for another to run.
 *
 * @module
 */

import { NO_OWNER } from "../../../ffi/layout.ts";
import { type Library, loadLibrary } from "../../../ffi/library.ts";
import type { LaneCounts, Sink } from "../backend.ts";
import { ERRNO, WORKER_CRASHED } from "../../linux/errors.ts";
import { AT_FDCWD } from "../../linux/fcntl.ts";
import { CoreRequest } from "../../operations/request.ts";
import { pathBound } from "../../path.ts";
import type { Ioqq } from "./slot_queue.ts";
import { encodeRequest, writeInput, writtenLength } from "../synchronous.ts";
import { Interrupts } from "./interrupts.ts";
import { LanePool } from "./lane_pool.ts";
import * as shared from "./memory.ts";
import {
  HINT_RETRIED,
  keptBy,
  type LeftRequest,
  NONE_KEPT,
  type RequestRunner,
  withBytes,
} from "./request_runner.ts";
import { LongInputs, LongOutputs, release, SharedPayload } from "./transfers.ts";
import { LibraryExecutor } from "./with_library.ts";

/** Completions of one turn. */
const TURN_COMPLETIONS = 256;
/** Bytes of payloads from which on a turn ends: the event loop wants its share. */
const TURN_BYTES = 4 << 20;
/** How often the lanes are looked after while a call is parked, in milliseconds. */
const TICK_MS = 5;
/** Lanes that start as soon as there is enough to do; the others if those are held up. */
const PRIMARIES = Math.max(1, navigator.hardwareConcurrency - 1);
/** Lanes that may be replaced. */
const CRASHES_MAX = 8;

/** Whether requests of this kind result in a descriptor. */
function isOpen(request: CoreRequest): boolean {
  return request.isOpen;
}

/** Whether a request has to do with descriptors that are not only where a path begins. */
function usesDescriptor(request: CoreRequest): boolean {
  const { path } = request;
  return isOpen(request) || (path === undefined || path.length === 0) && request.fd !== AT_FDCWD;
}

/** Why no lane is started where none is. */
const NO_DESCRIPTORS = "too few descriptors are left (RLIMIT_NOFILE)";

/** How to run requests on Workers. */
export interface WorkersOptions {
  /** Bound on requests that are in flight. */
  readonly depth: number;
  /** The most Workers. */
  readonly threads: number;
  /** The native library, if there is one. Lanes load it themselves. */
  readonly library: Library | undefined;
  /** The module that lanes run. */
  readonly module: URL;
  /** Where requests are counted. */
  readonly completed: LaneCounts;
  /** Is told of completions. */
  readonly sink: Sink;
  /** Takes what has to wait for somebody else: a lane is not to sleep. */
  readonly wait: (left: LeftRequest) => void;
  /** Takes what no lane has begun: there can be none. */
  readonly giveUp: (reason: string, left: readonly LeftRequest[]) => void;
}

/** Runs requests in Web Workers, which start when they are needed. */
export class Workers implements RequestRunner {
  readonly #library: Library | undefined;
  readonly #completed: LaneCounts;
  readonly #sink: Sink;
  readonly #waitBy: WorkersOptions["wait"];
  readonly #giveUpTo: WorkersOptions["giveUp"];
  readonly #pool: LanePool;
  readonly #interrupts: Interrupts | undefined;
  #memory: shared.SharedMemory;
  #payload: SharedPayload;
  #inputs: LongInputs;
  #outputs: LongOutputs;
  #executor: LibraryExecutor | undefined;
  /** By slot: the request while it is in flight. */
  readonly #requests: (CoreRequest | undefined)[];
  /** Slots whose descriptor is being closed because they were cancelled. */
  readonly #discarded = new Set<number>();
  /** Slots to be submitted by the next turn. */
  #batch: number[] = [];
  /** Requests that no lane is going to end, and what is told of them. */
  #lostRequests: { readonly slot: number; readonly result: number }[] = [];
  #inFlight = 0;
  /** Bytes that this turn has handed over. */
  #bytes = 0;
  #crashes = 0;
  /** Completions at the last tick: without any since then the lanes are held up. */
  #completedAtTick = -1;
  #gaveUp = false;

  constructor({ depth, threads, library, module, completed, sink, wait, giveUp }: WorkersOptions) {
    this.#library = library;
    this.#completed = completed;
    this.#sink = sink;
    this.#waitBy = wait;
    this.#giveUpTo = giveUp;
    this.#memory = new shared.SharedMemory(depth, threads);
    this.#payload = new SharedPayload(this.#memory);
    this.#inputs = new LongInputs(this.#memory);
    this.#outputs = new LongOutputs(this.#memory);
    this.#requests = new Array(depth).fill(undefined);
    this.#pool = new LanePool(
      threads,
      module,
      library?.shared ?? library?.path,
      () => this.#owner,
      {
        lost: (at, hasStarted, error) => this.#lost(at, hasStarted, error),
        failed: (error) => this.#giveUp(error),
      },
    );
    this.#interrupts = library && new Interrupts(library, (slot) => this.#laneOf(slot));
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get executor(): LibraryExecutor | undefined {
    if (this.#library !== undefined) {
      this.#executor ??= new LibraryExecutor(loadLibrary(this.#library.path));
    }
    return this.#executor;
  }

  /**
   * Whose descriptors lanes open: this thread's, so that they are closed with it. A copy of the
   * library that is not this thread's knows nothing of it.
   */
  get #owner(): number {
    return this.#library?.shared === undefined ? NO_OWNER : this.executor!.owner;
  }

  push(slot: number, request: CoreRequest): void {
    this.#write(slot, request);
    this.#batch.push(slot);
    this.#requests[slot] = request;
    this.#inFlight++;
  }

  /** Write a request into its slot's cell. */
  #write(slot: number, request: CoreRequest): void {
    const { words, bytes } = this.#memory;
    const at = this.#memory.cell(slot);
    const cell = at >> 2;
    const { path, path2 } = request;
    const bound = (path === undefined ? 0 : pathBound(path)) +
      (path2 === undefined ? 0 : pathBound(path2)) + writtenLength(request);
    if (bound <= shared.DATA_SIZE) {
      words[cell + shared.CELL_INPUT] = writeInput(
        words,
        cell,
        request,
        bytes,
        at + shared.CELL_DATA,
      );
    } else {
      const { record, input } = encodeRequest(request);
      words.set(record, cell);
      words[cell + shared.CELL_INPUT] = input.length;
      if (input.length <= shared.DATA_SIZE) {
        bytes.set(input, at + shared.CELL_DATA);
      } else {
        this.#inputs.add(slot, input);
      }
    }
    words[cell + shared.CELL_CANCELLED] = 0;
    words[cell + shared.CELL_LANE] = 0;
  }

  turn(): number {
    const batch = this.#batch;
    if (batch.length > 0) {
      this.#batch = [];
      for (const slot of batch) {
        this.#queueOf(this.#requests[slot]!).push(slot);
      }
      this.#startPrimaries();
    }
    let count = 0;
    const lost = this.#lostRequests;
    if (lost.length > 0) {
      this.#lostRequests = [];
      for (const { slot, result } of lost) {
        this.#completed.core++;
        this.#complete(slot, result, 0);
        count++;
      }
    }
    const { ready } = this.#memory;
    this.#bytes = 0;
    while (count < TURN_COMPLETIONS && this.#bytes < TURN_BYTES) {
      const message = ready.try();
      if (message < 0) {
        break;
      }
      count += Number(this.#receive(message));
    }
    return count;
  }

  arm(): boolean {
    return this.#batch.length === 0 && this.#lostRequests.length === 0 && this.#memory.ready.arm();
  }

  /** The first lane that is not for descriptors, which have one of their own. */
  get #first(): number {
    return this.#library === undefined ? 1 : 0;
  }

  /** Where a request waits for its lane. */
  #queueOf(request: CoreRequest): Ioqq {
    return this.#library === undefined &&
        (this.#pool.size === 1 || usesDescriptor(request) || (request.hints & HINT_RETRIED) !== 0)
      ? this.#memory.descriptors
      : this.#memory.pending;
  }

  /** Start the lanes that there should be at once. */
  #startPrimaries(): void {
    const { pending, descriptors } = this.#memory;
    const first = this.#first;
    if (first === 1 && descriptors.count > 0 && !this.#pool.has(shared.DESCRIPTOR_LANE)) {
      if (!this.#pool.canStart) {
        this.#giveUp(NO_DESCRIPTORS);
        return;
      }
      this.#pool.start(shared.DESCRIPTOR_LANE, this.#memory);
    }
    const running = this.#pool.countFrom(first);
    if (pending.count > 0 && running === 0 && !this.#pool.canStart) {
      if (!this.#pool.has(shared.DESCRIPTOR_LANE)) {
        this.#giveUp(NO_DESCRIPTORS);
        return;
      }
      // The lane that has the files does all of it
      while (pending.count > 0) {
        const slot = pending.popNow();
        if (slot >= 0) {
          descriptors.push(slot);
        }
      }
    } else if (
      pending.count > 0 && (running === 0 || (running < PRIMARIES && pending.count > running))
    ) {
      this.#pool.startFrom(first, this.#memory);
    }
  }

  /** Take a message in. Returns whether a request is complete. */
  #receive(message: number): boolean {
    const { words } = this.#memory;
    const lane = message >> 2 & 63;
    const slot = message >>> 8;
    const cell = this.#memory.cell(slot) >> 2;
    switch (message & 3) {
      case shared.STARTED:
        this.#pool.noteStarted(lane);
        return false;
      case shared.NEED:
        this.#inputs.give(lane, slot);
        return false;
      case shared.PART:
        this.#outputs.collect(lane, slot);
        return false;
      default: {
        const result = this.#resultOf(slot);
        if (result === undefined) {
          return false;
        }
        const kept = keptBy(result);
        if (kept !== undefined) {
          this.#interrupts?.delete(slot);
          this.#waitBy({ ...this.#leave(slot), kept });
          return false;
        }
        this.#completed.worker++;
        const length = result < 0 ? 0 : words[cell + shared.CELL_LENGTH]!;
        const inWindow = length > 0 && words[cell + shared.CELL_AT]! >= 0;
        const payload = this.#payload;
        if (this.#outputs.has(slot)) {
          payload.whole = this.#outputs.collect(lane, slot);
          this.#outputs.delete(slot);
        } else if (inWindow) {
          payload.at = this.#memory.window(lane) + words[cell + shared.CELL_AT]!;
        } else {
          payload.at = (cell << 2) + shared.CELL_DATA;
        }
        const isWhole = payload.whole !== undefined;
        this.#complete(slot, result, length);
        payload.whole = undefined;
        if (inWindow && !isWhole) {
          release(this.#memory, lane, words[cell + shared.CELL_RELEASE]!);
        }
        return true;
      }
    }
  }

  /**
   * The result of a request, unless it was cancelled when its lane was past looking
   * and has a descriptor now that nobody is going to close: then it is closed first.
   */
  #resultOf(slot: number): number | undefined {
    const { words } = this.#memory;
    const cell = this.#memory.cell(slot) >> 2;
    const result = words[cell + shared.CELL_RESULT]!;
    if (this.#discarded.size > 0 && this.#discarded.delete(slot)) {
      return -ERRNO.EINTR!;
    }
    const request = this.#requests[slot]!;
    if (result < 0 || !isOpen(request) || words[cell + shared.CELL_CANCELLED] === 0) {
      return result;
    }
    this.#discarded.add(slot);
    writeInput(words, cell, new CoreRequest("close", { fd: result }), this.#memory.bytes, 0);
    words[cell + shared.CELL_INPUT] = 0;
    words[cell + shared.CELL_LANE] = 0;
    this.#queueOf(request).push(slot);
    return undefined;
  }

  /** Hand a completion over. */
  #complete(slot: number, result: number, length: number): void {
    this.#requests[slot] = undefined;
    this.#inputs.delete(slot);
    this.#interrupts?.delete(slot);
    this.#inFlight--;
    this.#bytes += length;
    this.#payload.length = length;
    this.#sink.complete(slot, result, this.#payload);
  }

  async park(): Promise<void> {
    // Neither lanes nor the wait for them keep the process alive: this does
    const timer = setInterval(() => this.#tick(), TICK_MS);
    try {
      await this.#memory.ready.armed();
    } finally {
      clearInterval(timer);
    }
  }

  wake(): void {
    this.#memory.ready.wake();
  }

  /** Look after the lanes. */
  #tick(): void {
    this.#interrupts?.run(this.#memory);
    const { worker } = this.#completed;
    const heldUp = worker === this.#completedAtTick;
    this.#completedAtTick = worker;
    if (heldUp && !this.#gaveUp && this.#pool.starting === 0 && this.#memory.pending.count > 0) {
      this.#pool.startFrom(this.#first, this.#memory);
    }
  }

  /** A lane has ended. */
  #lost(at: number, hasStarted: () => boolean, error: unknown): void {
    const { words, ready } = this.#memory;
    // What it said before comes first
    for (let message = ready.try(); message >= 0; message = ready.try()) {
      this.#receive(message);
    }
    const slot = Atomics.load(words, this.#memory.controls(at) + shared.LANE_CURRENT) - 1;
    Atomics.store(words, this.#memory.controls(at) + shared.LANE_CURRENT, 0);
    if (
      slot >= 0 && this.#requests[slot] !== undefined &&
      words[(this.#memory.cell(slot) >> 2) + shared.CELL_LANE] === at + 1
    ) {
      this.#outputs.delete(slot);
      this.#discarded.delete(slot);
      // Told by the next turn, as all completions
      this.#lostRequests.push({ slot, result: -WORKER_CRASHED });
    }
    this.#crashes++;
    if (!this.#gaveUp) {
      if (this.#crashes > CRASHES_MAX || (!hasStarted() && this.#pool.countFrom(0) === 0)) {
        this.#giveUp(error);
      } else {
        this.#startPrimaries();
      }
    }
    this.wake();
  }

  /** There can be no lanes: another is to take what none of them has taken. */
  #giveUp(error: unknown): void {
    const message = error === undefined
      ? "they ended unexpectedly"
      : error instanceof Error
      ? error.message.split("\n")[0]
      : String(error);
    this.#gaveUp = true;
    const left = this.#takeWaiting().map((slot) => this.#leave(slot));
    this.#giveUpTo(`no Worker can be started: ${message}`, left);
  }

  /** Take back what no lane has taken. */
  #takeWaiting(): number[] {
    const slots = this.#batch;
    this.#batch = [];
    for (const queue of [this.#memory.pending, this.#memory.descriptors]) {
      const messages: number[] = [];
      while (queue.count > 0) {
        const slot = queue.popNow();
        if (slot >= this.#memory.stop) {
          // For the lanes: to stop, or to go on elsewhere
          messages.push(slot);
        } else if (slot >= 0) {
          slots.push(slot);
        }
      }
      messages.forEach((message) => queue.push(message));
    }
    return slots;
  }

  /** What another needs to run a request that no lane has seen, or that was tried in vain. */
  #leave(slot: number): LeftRequest {
    const { words, bytes } = this.#memory;
    const at = this.#memory.cell(slot);
    const cell = at >> 2;
    const cancelled = words[cell + shared.CELL_CANCELLED] !== 0;
    const length = words[cell + shared.CELL_INPUT]!;
    const input = this.#inputs.get(slot) ??
      bytes.subarray(at + shared.CELL_DATA, at + shared.CELL_DATA + length);
    const request = withBytes(this.#requests[slot]!, input);
    this.#requests[slot] = undefined;
    this.#inputs.delete(slot);
    this.#inFlight--;
    return { slot, request, cancelled, kept: NONE_KEPT };
  }

  cancel(slot: number): boolean {
    const request = this.#requests[slot];
    if (request === undefined || request.isClose) {
      return false;
    }
    const index = (this.#memory.cell(slot) >> 2) + shared.CELL_CANCELLED;
    if (Atomics.exchange(this.#memory.words, index, 1) !== 0) {
      return false;
    }
    this.#interrupts?.add(this.#memory, slot);
    return true;
  }

  /** The lane that is at a request, or -1. */
  #laneOf(slot: number): number {
    const { words } = this.#memory;
    for (let at = 0; at < this.#pool.size; at++) {
      const index = this.#memory.controls(at) + shared.LANE_CURRENT;
      if (this.#pool.has(at) && Atomics.load(words, index) === slot + 1) {
        return at;
      }
    }
    return -1;
  }

  cancelAll(): void {
    for (const [slot, request] of this.#requests.entries()) {
      if (request !== undefined) {
        this.cancel(slot);
      }
    }
  }

  /**
   * End lanes that are held up and that nothing can interrupt: those without the
   * library. A thread of such a lane may stay in the kernel for as long as that takes,
   * but has nothing left to come back to, and keeps no process alive. So do lanes that are yet
   * to start: nobody waits for those. With the library a lane comes to its end as soon as the
   * kernel lets go, and says what came of it.
   */
  abandon(): boolean {
    if (this.#library !== undefined) {
      return false;
    }
    // One that is yet to start, or that is held up, may take none of them for long
    for (const slot of this.#takeWaiting()) {
      const request = this.#requests[slot]!;
      if (request.isClose) {
        this.#queueOf(request).push(slot);
      } else {
        this.#lostRequests.push({ slot, result: -ERRNO.EINTR! });
      }
    }
    let any = this.#inFlight > 0;
    for (let at = 0; at < this.#pool.size; at++) {
      const index = this.#memory.controls(at) + shared.LANE_CURRENT;
      if (
        this.#pool.isStarting(at) ||
        this.#pool.has(at) && Atomics.load(this.#memory.words, index) !== 0
      ) {
        this.#pool.abandon(at);
        any = true;
      }
    }
    this.wake();
    return any;
  }

  resize(depth: number): void {
    const old = this.#memory;
    if (depth <= old.depth) {
      return;
    }
    // What has room for more of them is another memory. Lanes stay: without the
    // library one of them owns all descriptors
    const memory = new shared.SharedMemory(depth, this.#pool.size);
    this.#pool.move(memory);
    old.pending.push(old.move);
    old.descriptors.push(old.move);
    old.ready.wake();
    this.#memory = memory;
    this.#payload = new SharedPayload(memory);
    this.#inputs = new LongInputs(memory);
    this.#outputs = new LongOutputs(memory);
    while (this.#requests.length < depth) {
      this.#requests.push(undefined);
    }
  }

  async close(): Promise<void> {
    this.#executor?.close();
    this.#memory.pending.push(this.#memory.stop);
    this.#memory.descriptors.push(this.#memory.stop);
    await this.#pool.end();
  }
}
