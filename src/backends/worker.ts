// Copyright 2026 the ioq authors. MIT license.

/**
 * The worker backend: Web Workers run the requests, where there can be no ring.
 *
 * Each lane is a Worker that waits on the slot queue `pending`, runs one request
 * after the other synchronously, and puts messages into `ready`; see
 * `worker/memory.ts` for what crosses and how, `worker/lane.ts` for what a lane does.
 *
 * Lanes start when there is something to do: one, and more while requests wait that
 * no lane takes, since all are held up. They do not keep the process alive; what
 * does while requests are in flight is a timer, which also looks after the lanes.
 *
 * A lane that ends unexpectedly fails the request it was at, and another one takes
 * its place, a bounded number of times. If lanes cannot be started at all, or no
 * more, the requests that none of them has taken go to this very thread.
 *
 * @module
 */

import { NOT_NOW } from "../cached_reads.ts";
import { Worker } from "node:worker_threads";
import * as layout from "../../ffi/layout.ts";
import { type Library, loadLibrary } from "../../ffi/library.ts";
import type { Backend, BackendInfo, LaneCounts, Sink } from "../backend.ts";
import type { ClockName } from "../clock.ts";
import type { Payload } from "../payload.ts";
import { ERRNO, osError, UNSUPPORTED, WORKER_CRASHED } from "../errors.ts";
import { AT_FDCWD } from "../fcntl.ts";
import { CoreRequest } from "../operation/request.ts";
import type { Ioqq } from "../queue/ioqq.ts";
import { pathBound } from "../path.ts";
import {
  encodeRequest,
  type Refuse,
  SynchronousCalls,
  writeInput,
  writtenLength,
} from "./synchronous.ts";
import { now, Timers } from "./timers.ts";
import * as shared from "./worker/memory.ts";
import { LibraryExecutor } from "./worker/with_library.ts";

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
/** Milliseconds between the first interruptions of an operation, and at the most. */
const INTERRUPT_MIN_MS = 1;
const INTERRUPT_MAX_MS = 64;
/** How long lanes may take to end, in milliseconds, before they are ended. */
const END_MS = 2000;

/** Whether requests of this kind result in a descriptor. */
function isOpen(request: CoreRequest): boolean {
  return request.code === layout.OP.open || request.code === layout.OP.openDir;
}

/** Whether a request has to do with descriptors that are not only where a path begins. */
function usesDescriptor(request: CoreRequest): boolean {
  const { path } = request;
  return isOpen(request) || (path === undefined || path.length === 0) && request.fd !== AT_FDCWD;
}

/** How to open the backend. */
export interface WorkerOptions {
  /** Bound on requests that are in flight. */
  readonly depth: number;
  /** The most Workers. */
  readonly threads: number;
  /** The native library, if there is one, which is let go of at the end. */
  readonly library: Library | undefined;
  /** The module that lanes run. */
  readonly module: URL;
  /** Says why a request cannot be run, as a number, or 0. */
  readonly refuse: Refuse;
  /** Opens what runs requests on this thread. */
  readonly openMainThread: (reason: string) => Backend;
}

/** A lane that was started. */
interface Lane {
  readonly worker: Worker;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  started: boolean;
  gone: boolean;
}

/** A payload in shared memory, or one whose parts were put together. */
class SharedPayload implements Payload {
  readonly words: Int32Array;
  at = 0;
  length = 0;
  whole: Uint8Array<ArrayBuffer> | undefined;
  readonly #bytes: Uint8Array;

  constructor({ words, bytes }: shared.SharedMemory) {
    this.words = words;
    this.#bytes = bytes;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    // Decoders take no shared memory
    return this.whole ?? new Uint8Array(this.#bytes.subarray(this.at, this.at + this.length));
  }

  take(target: Uint8Array<ArrayBuffer>): void {
    const length = Math.min(target.length, this.length);
    target.set(this.whole?.subarray(0, length) ?? this.#bytes.subarray(this.at, this.at + length));
  }

  takePart(at: number, target: Uint8Array<ArrayBuffer>): void {
    const end = Math.min(at + target.length, this.length);
    target.set(
      this.whole?.subarray(at, end) ?? this.#bytes.subarray(this.at + at, this.at + end),
    );
  }
}

/** See the module. */
export class WorkerBackend implements Backend {
  readonly completed: LaneCounts = { core: 0, ring: 0, worker: 0, workerRing: 0 };

  readonly #options: WorkerOptions;
  readonly #info: BackendInfo;
  readonly #sink: Sink;
  readonly #memory: shared.SharedMemory;
  readonly #payload: SharedPayload;
  readonly #lanes: (Lane | undefined)[];
  /** By slot: the request while it is in flight. */
  readonly #requests: (CoreRequest | undefined)[];
  /** By slot: paths and bytes that are too long for the cell, and how much was given. */
  readonly #inputs = new Map<number, { readonly bytes: Uint8Array; given: number }>();
  /** By slot: the parts of a long payload. */
  readonly #outputs = new Map<number, { readonly bytes: Uint8Array<ArrayBuffer>; got: number }>();

  /** Cancelled while a lane was at it: when to interrupt that next, and how long after. */
  readonly #interrupts = new Map<number, { at: number; after: number }>();
  /** Slots whose descriptor is being closed because they were cancelled. */
  readonly #discarded = new Set<number>();

  /** Slots to be submitted by the next turn. */
  #batch: number[] = [];
  /** Completions that no lane had a part in. */
  #local: { readonly slot: number; readonly result: number }[] = [];
  /** What waits for its time. */
  readonly #timers = new Timers((slot) => {
    this.#local.push({ slot, result: this.#timers.resultOf(slot) });
    this.wake();
  });
  #inFlight = 0;
  /** With the lanes, or on the way there or back. */
  #submitted = 0;
  /** Bytes that this turn has handed over. */
  #bytes = 0;
  #crashes = 0;
  /** Completions at the last tick: without any since then the lanes are held up. */
  #completedAtTick = -1;
  #cancelled = false;
  #closing: Promise<void> | undefined;
  /** What runs the requests if there can be no lanes. */
  #mainThread: Backend | undefined;
  #synchronous: SynchronousCalls | undefined;

  constructor(options: WorkerOptions, info: BackendInfo, sink: Sink) {
    const { depth, threads } = options;
    this.#options = options;
    this.#info = info;
    this.#sink = sink;
    this.#memory = new shared.SharedMemory(depth, threads);
    this.#payload = new SharedPayload(this.#memory);
    this.#lanes = new Array(threads).fill(undefined);
    this.#requests = new Array(depth).fill(undefined);
  }

  get info(): BackendInfo {
    return this.#mainThread?.info ?? this.#info;
  }

  get id(): number {
    throw new Deno.errors.NotSupported("Cannot post to a queue of the worker backend");
  }

  now(clock: ClockName): bigint {
    return now(clock);
  }

  synchronous(): SynchronousCalls {
    if (this.#mainThread !== undefined) {
      return this.#mainThread.synchronous();
    }
    const { library, refuse } = this.#options;
    if (library === undefined) {
      throw osError(UNSUPPORTED.synchronous, "synchronous call");
    }
    return this.#synchronous ??= new SynchronousCalls(
      new LibraryExecutor(loadLibrary(library.path)),
      refuse,
    );
  }

  allocate(length: number): ArrayBuffer {
    // Ordinary memory: what the library has, it cannot share with other threads' calls
    return new ArrayBuffer(length);
  }

  deallocate(buffer: ArrayBuffer): void {
    if (!buffer.detached) {
      buffer.transfer();
    }
  }

  resize(): void {
    throw new Deno.errors.NotSupported("Cannot resize a queue of the worker backend");
  }

  get inFlight(): number {
    return this.#inFlight + (this.#mainThread?.inFlight ?? 0);
  }

  push(slot: number, request: CoreRequest): boolean {
    if (this.#mainThread !== undefined) {
      return this.#mainThread.push(slot, request);
    }
    const refusal = this.#options.refuse(request);
    if (request.code === layout.OP.timeout && !this.#cancelled && refusal === 0) {
      // It needs no lane, and keeps none busy
      this.#timers.add(slot, request);
    } else if (
      request.code !== layout.OP.nop && request.code !== layout.OP.timeout && refusal === 0
    ) {
      this.#write(slot, request);
      this.#batch.push(slot);
      if (this.#cancelled) {
        this.#memory.words[(this.#memory.cell(slot) >> 2) + shared.CELL_CANCELLED] = 1;
      }
    } else {
      const cancelled = this.#cancelled && !request.isClose;
      this.#local.push({
        slot,
        result: cancelled ? -ERRNO.EINTR! : request.code === layout.OP.nop ? 0 : -refusal,
      });
    }
    this.#requests[slot] = request;
    this.#inFlight++;
    return true;
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
        this.#inputs.set(slot, { bytes: input, given: 0 });
      }
    }
    words[cell + shared.CELL_CANCELLED] = 0;
    words[cell + shared.CELL_LANE] = 0;
  }

  turn(arm: boolean): boolean {
    if (this.#closing) {
      return false;
    }
    if (this.#mainThread !== undefined) {
      this.#completeLocal();
      return this.#turnMainThread(this.#mainThread);
    }
    const { ready } = this.#memory;
    const batch = this.#batch;
    if (batch.length > 0) {
      this.#batch = [];
      this.#submitted += batch.length;
      for (const slot of batch) {
        this.#queueOf(this.#requests[slot]!).push(slot);
      }
      this.#startPrimaries();
      if (this.#mainThread !== undefined) {
        return false;
      }
    }

    let count = this.#completeLocal();
    this.#bytes = 0;
    while (count < TURN_COMPLETIONS && this.#bytes < TURN_BYTES) {
      const message = ready.try();
      if (message < 0) {
        break;
      }
      count += Number(this.#receive(message));
    }
    return count === 0 && arm && this.#inFlight > 0 && ready.arm();
  }

  /** Whether descriptors have a lane of their own. */
  get #hasDescriptorLane(): boolean {
    return this.#options.library === undefined;
  }

  /** Where a request waits for its lane. */
  #queueOf(request: CoreRequest): Ioqq {
    const { threads } = this.#options;
    return this.#hasDescriptorLane && (threads === 1 || usesDescriptor(request))
      ? this.#memory.descriptors
      : this.#memory.pending;
  }

  /** Start the lanes that there should be at once. */
  #startPrimaries(): void {
    const { pending, descriptors } = this.#memory;
    const first = this.#hasDescriptorLane ? 1 : 0;
    const owner = this.#lanes[shared.DESCRIPTOR_LANE];
    if (first === 1 && descriptors.count > 0 && (owner === undefined || owner.gone)) {
      this.#start(shared.DESCRIPTOR_LANE);
    }
    const running = this.#runningFrom(first);
    if (
      pending.count > 0 && (running === 0 || (running < PRIMARIES && pending.count > running))
    ) {
      this.#startFrom(first);
    }
  }

  /** This thread's turn, while lanes may still be at what they had taken. */
  #turnMainThread(mainThread: Backend): boolean {
    const before = mainThread.completed.core;
    mainThread.turn(false, false);
    this.completed.core += mainThread.completed.core - before;
    for (let message = this.#memory.ready.try(); message >= 0;) {
      this.#receive(message);
      message = this.#memory.ready.try();
    }
    return false;
  }

  /** Hand over what needed no lane. */
  #completeLocal(): number {
    const local = this.#local;
    if (local.length > 0) {
      this.#local = [];
      for (const { slot, result } of local) {
        this.completed.core++;
        this.#complete(slot, result, 0);
      }
    }
    return local.length;
  }

  /** Take a message in. Returns whether a request is complete. */
  #receive(message: number): boolean {
    const { words } = this.#memory;
    const lane = message >> 2 & 63;
    const slot = message >>> 8;
    const cell = this.#memory.cell(slot) >> 2;
    switch (message & 3) {
      case shared.STARTED: {
        const started = this.#lanes[lane];
        if (started !== undefined) {
          started.started = true;
        }
        return false;
      }
      case shared.NEED:
        this.#give(lane, slot);
        return false;
      case shared.PART:
        this.#collect(lane, slot);
        return false;
      default: {
        const result = this.#resultOf(slot);
        if (result === undefined) {
          return false;
        }
        this.#submitted--;
        this.completed.worker++;
        const length = result < 0 ? 0 : words[cell + shared.CELL_LENGTH]!;
        const inWindow = length > 0 && words[cell + shared.CELL_AT]! >= 0;
        if (this.#outputs.size > 0 && this.#outputs.has(slot)) {
          this.#payload.whole = this.#collect(lane, slot);
          this.#outputs.delete(slot);
        } else if (inWindow) {
          this.#payload.at = this.#memory.window(lane) + words[cell + shared.CELL_AT]!;
        } else {
          this.#payload.at = (cell << 2) + shared.CELL_DATA;
        }
        const isWhole = this.#payload.whole !== undefined;
        this.#complete(slot, result, length);
        this.#payload.whole = undefined;
        if (inWindow && !isWhole) {
          this.#release(lane, words[cell + shared.CELL_RELEASE]!);
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

  /** Give a lane the next part of a request's input. */
  #give(lane: number, slot: number): void {
    const { words, bytes } = this.#memory;
    const input = this.#inputs.get(slot)!;
    const part = Math.min(shared.PART_SIZE, input.bytes.length - input.given);
    // All of its window is free: its earlier messages have been taken in
    bytes.set(input.bytes.subarray(input.given, input.given + part), this.#memory.window(lane));
    input.given += part;
    words[(this.#memory.cell(slot) >> 2) + shared.CELL_PART] = part;
    const index = this.#memory.controls(lane) + shared.LANE_GRANTED;
    Atomics.add(words, index, 1);
    Atomics.notify(words, index);
  }

  /** Take a part of a payload. */
  #collect(lane: number, slot: number): Uint8Array<ArrayBuffer> {
    const { words, bytes } = this.#memory;
    const cell = this.#memory.cell(slot) >> 2;
    let output = this.#outputs.get(slot);
    if (output === undefined) {
      output = { bytes: new Uint8Array(words[cell + shared.CELL_LENGTH]!), got: 0 };
      this.#outputs.set(slot, output);
    }
    const at = this.#memory.window(lane) + words[cell + shared.CELL_AT]!;
    const part = words[cell + shared.CELL_PART]!;
    output.bytes.set(bytes.subarray(at, at + part), output.got);
    output.got += part;
    this.#release(lane, words[cell + shared.CELL_RELEASE]!);
    return output.bytes;
  }

  /** Give a part of a lane's window back. */
  #release(lane: number, to: number): void {
    const { words } = this.#memory;
    const index = this.#memory.controls(lane) + shared.LANE_RELEASED;
    Atomics.store(words, index, to);
    Atomics.notify(words, index);
  }

  /** Hand a completion over. */
  #complete(slot: number, result: number, length: number): void {
    this.#requests[slot] = undefined;
    if (this.#inputs.size > 0) {
      this.#inputs.delete(slot);
    }
    if (this.#interrupts.size > 0) {
      this.#interrupts.delete(slot);
    }
    this.#inFlight--;
    this.#bytes += length;
    this.#payload.length = length;
    this.#sink.complete(slot, result, this.#payload);
  }

  isCached(): boolean {
    return false;
  }

  readCached(): number {
    return NOT_NOW;
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
    if (this.#interrupts.size > 0) {
      this.#interrupt(performance.now());
    }
    const { worker } = this.completed;
    const heldUp = worker === this.#completedAtTick;
    this.#completedAtTick = worker;
    const starting = this.#lanes.some((lane) => lane !== undefined && !lane.gone && !lane.started);
    if (heldUp && !starting && this.#memory.pending.count > 0) {
      this.#startFrom(this.#hasDescriptorLane ? 1 : 0);
    }
  }

  /** How many lanes there are, from one on. */
  #runningFrom(first: number): number {
    let count = 0;
    for (let at = first; at < this.#lanes.length; at++) {
      const lane = this.#lanes[at];
      count += Number(lane !== undefined && !lane.gone);
    }
    return count;
  }

  /** Start a lane if there is a place for one. */
  #startFrom(first: number): void {
    const at = this.#lanes.findIndex((lane, i) => i >= first && (lane === undefined || lane.gone));
    if (at >= 0) {
      this.#start(at);
    }
  }

  #start(at: number): void {
    const { depth, threads, library, module } = this.#options;
    const start: shared.LaneStart = {
      buffer: this.#memory.buffer,
      depth,
      lanes: threads,
      lane: at,
      library: library?.path,
    };
    // Only files and data are taken for the module itself
    const entry = module.protocol === "file:"
      ? module
      : new URL(`data:text/javascript,import ${JSON.stringify(module.href)}`);
    let worker: Worker;
    try {
      worker = new Worker(entry, { workerData: start });
    } catch (error) {
      this.#giveUp(error);
      return;
    }
    worker.unref();
    let failure: unknown;
    const ended = new Promise<void>((resolve) => {
      worker.once("error", (error: unknown) => failure = error);
      worker.once("exit", () => {
        if (!lane.gone) {
          lane.gone = true;
          this.#lost(at, lane, failure);
        }
        resolve();
      });
    });
    const lane: Lane = { worker, ended, started: false, gone: false };
    this.#lanes[at] = lane;
  }

  /** A lane has ended. */
  #lost(at: number, lane: Lane, error: unknown): void {
    if (this.#closing !== undefined || this.#mainThread !== undefined) {
      return;
    }
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
      this.#submitted--;
      // Told by the next turn, as all completions
      this.#local.push({ slot, result: -WORKER_CRASHED });
    }
    this.#crashes++;
    if (this.#crashes > CRASHES_MAX || (!lane.started && this.#runningFrom(0) === 0)) {
      this.#giveUp(error);
    } else {
      this.#startPrimaries();
    }
    this.wake();
  }

  /** There can be no lanes: this thread takes what none of them has taken. */
  #giveUp(error: unknown): void {
    const message = error === undefined
      ? "they ended unexpectedly"
      : error instanceof Error
      ? error.message.split("\n")[0]
      : String(error);
    const mainThread = this.#options.openMainThread(`no Worker can be started: ${message}`);
    const slots = this.#batch;
    this.#batch = [];
    for (const queue of [this.#memory.pending, this.#memory.descriptors]) {
      while (queue.count > 0) {
        const slot = queue.popNow();
        if (slot >= 0) {
          slots.push(slot);
        }
      }
    }
    for (const slot of slots) {
      this.#move(slot, mainThread);
    }
    if (this.#cancelled) {
      mainThread.cancelAll();
    }
    this.#mainThread = mainThread;
    this.wake();
  }

  /** Move a request that no lane has seen to this thread. */
  #move(slot: number, mainThread: Backend): void {
    const { words, bytes } = this.#memory;
    const at = this.#memory.cell(slot);
    const cell = at >> 2;
    const request = this.#requests[slot]!;
    const cancelled = words[cell + shared.CELL_CANCELLED] !== 0;
    let copy = request;
    if (request.bytes !== undefined || request.sources !== undefined) {
      // The caller's may have changed since
      const length = words[cell + shared.CELL_INPUT]!;
      const input = this.#inputs.get(slot)?.bytes ??
        bytes.subarray(at + shared.CELL_DATA, at + shared.CELL_DATA + length);
      copy = Object.assign(new CoreRequest(request.op), request, {
        sources: undefined,
        bytes: input.slice(input.length - request.length),
      });
    }
    this.#requests[slot] = undefined;
    this.#inputs.delete(slot);
    this.#inFlight--;
    mainThread.push(slot, copy);
    if (cancelled) {
      mainThread.cancel(slot);
    }
  }

  cancel(slot: number): boolean {
    if (this.#mainThread !== undefined) {
      return this.#mainThread.cancel(slot);
    }
    const request = this.#requests[slot];
    if (request === undefined || request.isClose) {
      return false;
    }
    if (request.code === layout.OP.timeout) {
      return this.#timers.cancel(slot);
    }
    const local = this.#local.findIndex((completion) => completion.slot === slot);
    if (local >= 0) {
      const { result } = this.#local[local]!;
      this.#local[local] = { slot, result: -ERRNO.EINTR! };
      return result !== -ERRNO.EINTR!;
    }
    const index = (this.#memory.cell(slot) >> 2) + shared.CELL_CANCELLED;
    if (Atomics.exchange(this.#memory.words, index, 1) !== 0) {
      return false;
    }
    // A lane looks at the mark after it has told that it is at the request
    if (this.#options.library !== undefined && this.#laneOf(slot) >= 0) {
      this.#interrupts.set(slot, { at: 0, after: INTERRUPT_MIN_MS });
      this.#interrupt(performance.now());
    }
    return true;
  }

  /** The lane that is at a request, or -1. */
  #laneOf(slot: number): number {
    const { words } = this.#memory;
    return this.#lanes.findIndex((lane, at) =>
      lane !== undefined && !lane.gone &&
      Atomics.load(words, this.#memory.controls(at) + shared.LANE_CURRENT) === slot + 1
    );
  }

  /**
   * Interrupt lanes that are at cancelled requests. A signal may come too early, so
   * this goes on until they are over; what does not mind, such as a disk, is bothered
   * ever less.
   */
  #interrupt(time: number): void {
    const { words } = this.#memory;
    for (const [slot, state] of this.#interrupts) {
      const lane = this.#laneOf(slot);
      if (lane >= 0 && time >= state.at) {
        const controls = this.#memory.controls(lane);
        const turn = Atomics.load(words, controls + shared.LANE_TURN) >>> 0;
        const caller = Atomics.load(words, controls + shared.LANE_CALLER) >>> 0;
        if (this.#laneOf(slot) === lane) {
          // It was that turn's: if it is over by now, nothing is hit
          this.#options.library!.symbols.ioq_interrupt(caller, turn);
        }
        state.at = time + state.after;
        state.after = Math.min(INTERRUPT_MAX_MS, state.after * 2);
      }
    }
  }

  cancelAll(): void {
    this.#cancelled = true;
    this.#mainThread?.cancelAll();
    for (const [slot, request] of this.#requests.entries()) {
      if (request !== undefined) {
        this.cancel(slot);
      }
    }
  }

  /**
   * End lanes that are held up and that nothing can interrupt: those without the
   * library. A thread of such a lane may stay in the kernel for as long as that takes,
   * but has nothing left to come back to, and keeps no process alive. With the library
   * it comes to its end as soon as the kernel lets go, and says what came of it.
   */
  abandon(): void {
    if (this.#options.library !== undefined || this.#mainThread !== undefined) {
      return;
    }
    const { words } = this.#memory;
    for (const [at, lane] of this.#lanes.entries()) {
      const current = Atomics.load(words, this.#memory.controls(at) + shared.LANE_CURRENT);
      if (lane !== undefined && !lane.gone && current !== 0) {
        lane.gone = true;
        lane.worker.terminate();
        this.#lost(at, lane, undefined);
      }
    }
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#mainThread?.close();
    this.#synchronous?.close();
    this.#memory.pending.push(this.#options.depth);
    this.#memory.descriptors.push(this.#options.depth);
    const lanes = this.#lanes.filter((lane) => lane !== undefined && !lane.gone) as Lane[];
    let timer;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, END_MS));
    // Keeps the process alive until they have ended, so that nothing is left behind
    await Promise.race([Promise.all(lanes.map(({ ended }) => ended)), late]);
    clearTimeout(timer);
    await Promise.all(lanes.filter(({ gone }) => !gone).map(({ worker }) => worker.terminate()));
    this.#options.library?.release();
  }
}
