// Copyright 2026 the ioq authors. MIT license.

/**
 * The core of a queue: gives accepted requests slots, has the backend run them, and
 * settles promise forms. What completes for the stream it hands to that.
 *
 *     submit() ──▶ slot ──▶ backend ──▶ stream, until consumed: slot free again
 *     run()    ──▶ slot ──▶ backend ──▶ promise settled, slot free again
 *       └─ no slot free: waits in line
 *
 * so that what is in flight and what was not consumed together never exceed the
 * depth, and a consumer that stops consuming stops the producer.
 *
 * The public face of it is `Ioq`; files, trees and loops reach it by `coreOf()`.
 *
 * @module
 */

import { bufferOf } from "../byte_length.ts";
import { OWN } from "../construction.ts";
import { ownOption } from "../own_option.ts";
import { TRANSFER_MAX } from "../../ffi/layout.ts";
import type { Backend, Sink } from "../backends/backend.ts";
import type { SynchronousCalls } from "../backends/synchronous.ts";
import { checkInteger, checkTimeout } from "../integer.ts";
import { ERRNO, osError, timeoutError } from "../linux/errors.ts";
import type { Payload } from "../operations/payload.ts";
import { admit, type FindPath, withdraw } from "../operations/admission.ts";
import { addDescriptor, awaitedBy, type Descriptor } from "../operations/descriptors.ts";
import { type CoreRequest, type Request, toCoreRequest } from "../operations/request.ts";
import type { OpName } from "../operations/values.ts";
import { checkSignal } from "../signal.ts";
import { IoqBuffer } from "./buffer.ts";
import { NOT_NOW } from "./cached_transfers.ts";
import { drainedWithin } from "./closing.ts";
import { Deadline, Deadlines } from "./deadlines.ts";
import { asEnd, closedError } from "../end.ts";
import { KeptWrite } from "./kept_write.ts";
import { Line, Producer } from "./line.ts";
import { checkQueue, closeFilesOf, forgetOpenFile } from "./open_files.ts";
import { Pump } from "./pump.ts";
import { Scopes } from "./scopes.ts";
import { isPatient, Signals } from "./signals.ts";
import { LATE_CONSUMED, NOT_LATE, type Slot, Slots } from "./slots.ts";
import { forgetUnloaded, unloadWithProgram } from "./unload.ts";
import { inSteps } from "./steps.ts";
import { Ticket } from "./ticket.ts";

/**
 * Bytes from which on what is to be written is copied only if the event loop can
 * wait for that; otherwise the request waits in line.
 */
const LARGE_WRITE = 64 * 1024;
/** Milliseconds that a synchronous call waits while nothing completes. */
const PATIENCE_MS = 10_000;
/** Milliseconds of those in which it keeps asking. */
const SPIN_MS = 0.2;
/** What never changes, to wait for. */
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** What may end a promise form early. */
export interface Limits {
  /** Aborts it. */
  readonly signal?: AbortSignal | undefined;
  /** How long it may take. */
  readonly timeoutMs?: number | undefined;
}

/** Whoever wants to cancel a promise form without aborting it. */
export interface Canceller {
  /**
   * Set while the request is in progress: cancels it as `Ioq.cancel()` does. Unlike
   * after an abort, the promise rejects only when the request is over, and not if it
   * was too late.
   */
  cancel: (() => void) | undefined;
}

/** The other end of the stream. */
export interface StreamEnd {
  /** Completions that were not consumed. */
  readonly unconsumed: number;
  /** A request has completed; its slot is in use until the completion is consumed. */
  complete(slot: Slot, name: OpName, value: unknown, error: Error | undefined): void;
  /** Have those who wait for completions look again. */
  wake(): void;
  /** Give the slots of what was not consumed back before it is. */
  lend(): void;
}

/** The core of a queue: slots for requests, promises for their results, and the end of both. */
export class Core {
  readonly backend: Backend;
  readonly pump: Pump;
  readonly deadlines: Deadlines = new Deadlines();
  /** What consists of several requests. */
  readonly scopes: Scopes = new Scopes(() => this.#onRest?.());
  slots: Slots;
  readonly #stream: StreamEnd;
  readonly #rawSqe: boolean;

  /** How many completions have come that nobody was told of yet. */
  #completed = 0;
  /** What was allocated and not given back. */
  readonly #buffers = new Set<IoqBuffer>();
  /** Those who wait for slots. */
  readonly #line = new Line(() => this.advance(this.backend.inFlight === 0));
  /** What aborts promise forms. */
  readonly #signals = new Signals<Ticket>((ticket, reason) => this.#abort(ticket, reason));
  /** Who waits for everything to come to rest. */
  #onRest: (() => void) | undefined;

  /** How many hold it, if it is shared. */
  #holders = 0;
  /** How many were in line when everything was cancelled, and have yet to be told. */
  #ending = 0;
  /** The slots of closes that wait for other requests. */
  readonly #behind = new Set<number>();
  #cancelled = false;
  #closing: Promise<void> | undefined;
  #closed = false;

  constructor(
    depth: number,
    rawSqe: boolean,
    stream: StreamEnd,
    makeBackend: (sink: Sink) => Backend,
  ) {
    this.slots = new Slots(depth);
    this.#rawSqe = rawSqe;
    this.#stream = stream;
    const backend = makeBackend({
      complete: (slot, result, payload) => this.#complete(slot, result, payload),
    });
    this.backend = backend;
    this.pump = new Pump({
      get inFlight() {
        return backend.inFlight;
      },
      parksOnThread: backend.parksOnThread,
      turn: (arm, yields) => this.turn(arm, yields),
      park: () => backend.park(),
      wake: () => backend.wake(),
      rest: () => this.#onRest?.(),
    });
    unloadWithProgram(this);
  }

  /** The program ends: {@linkcode Backend.unload}. */
  unload(): void {
    this.#closed = true;
    closeFilesOf(this);
    // Their closes are in the batch
    this.backend.turn(false, false);
    this.backend.unload();
  }

  /** Whether it accepts requests other than closes. */
  get accepts(): boolean {
    return this.#closing === undefined && !this.#cancelled;
  }

  /** Whether it is closing, or closed. */
  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Check that it is not closed, nor about to be.
   *
   * @throws {Deno.errors.BadResource} If it is.
   */
  checkOpen(): void {
    if (this.#closing !== undefined) {
      throw closedError();
    }
  }

  /** {@linkcode Ioq.flush}. */
  flush(): void {
    if (this.#closed) {
      throw closedError();
    }
    do {
      this.turn(false, false);
    } while (this.backend.backlog > 0);
    // Whoever waits for rest is told by the pump. So is a parked call: this turn took
    // back what would have woken it, the pump's prepares it again
    this.pump.kick();
  }

  /** {@linkcode Ioq.allocate}. */
  allocate(length: number): IoqBuffer {
    checkInteger(length, "length", 1, TRANSFER_MAX);
    this.checkOpen();
    const buffer = new IoqBuffer(OWN, this.backend.allocate(length), (memory) => {
      this.#buffers.delete(buffer);
      this.backend.deallocate(memory);
    });
    this.#buffers.add(buffer);
    return buffer;
  }

  /** {@linkcode Ioq.resize}. */
  resize(depth: number, size: number): void {
    this.checkOpen();
    if (size > 0 || this.#line.size > 0) {
      throw new Deno.errors.Busy(
        `Cannot resize a queue that has ${size} requests, and ${this.#line.size} waiting`,
      );
    }
    this.backend.resize(depth);
    this.slots = new Slots(depth);
  }

  /** {@linkcode Ioq.ready}. */
  ready(slots: number): Promise<void> {
    return new Promise((resolve, reject) => {
      checkInteger(slots, "slots", 1, this.slots.depth);
      this.checkOpen();
      const producer = new Producer(slots, resolve, reject);
      if (this.#line.size === 0 && this.#available >= slots) {
        this.#line.grant(producer);
      } else {
        this.#wait(producer);
      }
    });
  }

  /** Cancel what is in a slot. Whether there was anything to cancel. */
  cancel(slot: Slot): boolean {
    if (slot.request === undefined || slot.late !== NOT_LATE) {
      return false;
    }
    slot.isCancelled = true;
    this.pump.kick();
    return this.cancelSlot(slot.index);
  }

  /** Cancel what the backend is at, if it is. */
  cancelSlot(index: number): boolean {
    return !this.#behind.has(index) && this.backend.cancel(index);
  }

  /** {@linkcode Ioq.cancel} of all. */
  cancelAll(): boolean {
    const any = this.#cancelRequests();
    this.scopes.cancel(interruptedError);
    return any;
  }

  /** Cancel all requests, for good. Whether there was anything to cancel. */
  #cancelRequests(): boolean {
    const any = this.backend.inFlight > 0 || this.#line.size > 0 || this.scopes.size > 0;
    this.#cancelled = true;
    this.backend.cancelAll();
    const waiting = this.#line.takeTickets();
    this.#ending += waiting.length;
    inSteps(waiting.values(), (ticket) => {
      this.#ending--;
      if (!ticket.isSettled) {
        this.#fail(ticket, interruptedError(ticket.request.context));
      }
    }, () => this.#onRest?.());
    this.pump.kick();
    return any;
  }

  /** {@linkcode Ioq.close}. */
  close(timeoutMs: number | undefined): Promise<void> {
    return this.#closing ??= timeoutMs === undefined ? this.#drain() : drainedWithin(
      this.#drain(),
      timeoutMs,
      this.deadlines,
      () => [
        ...Array.from(this.slots.requests(), (request) => request.context),
        ...this.scopes.contexts,
      ],
      () => this.backend.abandon?.() ?? false,
    );
  }

  /** Somebody more holds it, until {@linkcode Core.letGo}. */
  hold(): void {
    this.#holders++;
  }

  /** A holder is done with it. Whether it was the last one. */
  letGo(): boolean {
    this.#holders--;
    return this.#holders <= 0;
  }

  /** Cancel everything, wait until it is over, and release all. */
  async #drain(): Promise<void> {
    this.#cancelRequests();
    this.#line.refuseProducers(closedError());
    this.scopes.cancel(closedError);
    // An idle queue is closed at once
    if (!this.#isAtRest) {
      await this.#rest();
    }
    closeFilesOf(this);
    if (!this.#isAtRest) {
      await this.#rest();
    }
    this.#closed = true;
    for (const buffer of this.#buffers) {
      buffer[Symbol.dispose]();
    }
    await this.backend.close();
    forgetUnloaded(this);
    this.#stream.wake();
  }

  /** Whether nothing is in progress. */
  get #isAtRest(): boolean {
    return this.backend.inFlight === 0 && this.#line.size === 0 && this.#ending === 0 &&
      this.scopes.size === 0 &&
      !this.pump.parked;
  }

  /** Wait until nothing is in progress. */
  async #rest(): Promise<void> {
    while (!this.#isAtRest) {
      if (this.backend.inFlight === 0 && this.#line.size > 0) {
        // Closes: who waits for the queue to close may never consume its completions
        this.#stream.lend();
        this.advance(true);
      }
      await new Promise<void>((resolve) => this.#onRest = resolve);
    }
  }

  /**
   * {@linkcode Ioq.run}.
   *
   * @param canceller Who wants to cancel it otherwise, if anybody does.
   */
  run<V>(
    request: Request<OpName, V>,
    options?: Limits,
    canceller?: Canceller,
  ): Promise<V> {
    let signal: AbortSignal | undefined;
    let timeoutMs: number | undefined;
    let core;
    try {
      core = toCoreRequest(request);
      signal = checkSignal(ownOption(options, "signal"));
      timeoutMs = options === undefined ? undefined : checkTimeout(ownOption(options, "timeoutMs"));
      signal?.throwIfAborted();
      core = this.admit(core);
    } catch (error) {
      core?.leaveHolder();
      return Promise.reject(error);
    }
    const ticket = new Ticket(core, signal);
    if (timeoutMs !== undefined) {
      this.#limit(ticket, timeoutMs);
    }
    if (signal !== undefined) {
      this.#signals.add(signal, ticket);
    }
    if (canceller !== undefined) {
      canceller.cancel = () => this.#interrupt(ticket);
    }
    if (this.#line.size === 0 && this.#available > 0 && this.#mayCopy(core)) {
      this.#start(ticket);
    } else {
      this.#wait(ticket);
    }
    return ticket.promise as Promise<V>;
  }

  /** Whether something may be done past the queue: nobody is overtaken, and there is time. */
  get #isFree(): boolean {
    return this.accepts && this.slots.freeCount > 0 && this.#line.size === 0 &&
      this.pump.hasBudget;
  }

  /**
   * Read what is cached, at once and past the queue, unless others wait for their turn
   * or the event loop for its.
   *
   * @returns How many bytes; a negative number if that cannot be.
   */
  readCached(fd: number, target: Uint8Array<ArrayBuffer>, offset: number, length: number): number {
    if (!this.#isFree) {
      return NOT_NOW;
    }
    const count = this.backend.readCached(fd, target, offset, length);
    if (count >= 0) {
      this.pump.spendOne(count);
    }
    return count;
  }

  /** Read ranges of what is cached; likewise. */
  readCachedRanges(
    fd: number,
    ranges: Uint32Array<ArrayBuffer>,
    bytes: Uint8Array<ArrayBuffer>,
  ): number {
    if (!this.#isFree) {
      return NOT_NOW;
    }
    const count = this.backend.readCachedRanges(fd, ranges, bytes);
    if (count >= 0) {
      this.pump.spendOne(count);
    }
    return count;
  }

  /** Write into the cache, at once and past the queue; likewise. */
  writeCached(fd: number, kind: number, bytes: Uint8Array, offset: number, length: number): number {
    if (!this.#isFree) {
      return NOT_NOW;
    }
    const count = this.backend.writeCached(fd, kind, bytes, offset, length);
    if (count > 0) {
      this.pump.spendOne(count);
    }
    return count;
  }

  /** What kind of file a descriptor is, see {@linkcode Backend.fileKind}. */
  fileKind(fd: number): number | undefined {
    return this.accepts ? this.backend.fileKind(fd) : undefined;
  }

  /**
   * What runs requests for a descriptor at once, past the queue.
   *
   * @throws {Deno.errors.BadResource} If the queue is closed.
   * @throws {Deno.errors.NotSupported} If this thread cannot use the queue's files.
   */
  synchronous(): SynchronousCalls {
    if (this.#closed) {
      throw closedError();
    }
    return this.backend.synchronous();
  }

  /** Abort the promise forms of requests: cheaper than a signal for each of many. */
  abort(requests: ReadonlySet<CoreRequest>, reason: unknown): void {
    const tickets = Array.from(this.slots, ({ ticket }) => ticket);
    for (const ticket of [...tickets, ...this.#line.tickets()]) {
      if (ticket !== undefined && !ticket.isSettled && requests.has(ticket.request.origin)) {
        this.#abort(ticket, reason);
      }
    }
  }

  /** Give a promise form so much time and no more. */
  #limit(ticket: Ticket, timeoutMs: number): void {
    ticket.deadline = new Deadline(
      timeoutMs,
      () => this.#abort(ticket, timeoutError(timeoutMs, ticket.request.context), true),
    );
    this.deadlines.add(ticket.deadline);
  }

  /** Refuse what may not be queued; returns what is to be run. */
  admit<K extends OpName>(request: CoreRequest<K>): CoreRequest<K> {
    if (this.#closing && (this.#closed || !request.isClose)) {
      throw closedError();
    }
    if (this.#cancelled && !request.isClose) {
      throw interruptedError(request.context);
    }
    if (request.holder === undefined) {
      if (request.fd >= 0) {
        checkQueue(request.fd, this, request);
      }
      if (request.fd2 >= 0) {
        checkQueue(request.fd2, this, request);
      }
    }
    if (request.op === "rawSqe" && !this.#rawSqe) {
      throw new TypeError("Cannot submit a raw SQE to a queue opened without unsafeRawSqe");
    }
    return admit(request, this.#findPath);
  }

  /** Where a descriptor leads, if that can be found out. */
  readonly #findPath: FindPath = (fd, last) => {
    try {
      return this.backend.synchronous().findPath(fd, last);
    } catch {
      // Nothing here that could tell
      return undefined;
    }
  };

  /** Whether there is time to copy what a request writes; if not, there soon is. */
  #mayCopy(request: CoreRequest): boolean {
    const copies = request.bytes !== undefined || request.sources !== undefined;
    if (!copies || request.length < LARGE_WRITE || this.pump.hasBudget) {
      return true;
    }
    this.pump.kickLater();
    return false;
  }

  /** Give a request a slot and have a turn to come submit it. There must be a slot. */
  accept(request: CoreRequest, timeoutMs?: number): Slot {
    const slot = this.slots.next;
    const awaited = request.isClose ? awaitedBy(request) : undefined;
    if (awaited !== undefined) {
      this.slots.take(request);
      this.#pushBehind(slot, request, awaited);
      return slot;
    }
    this.backend.push(slot.index, request, timeoutMs);
    this.slots.take(request);
    if (request.bytes !== undefined || request.sources !== undefined) {
      this.pump.spendCopy(request.length);
    }
    if (this.#stream.unconsumed > 0) {
      // Whoever consumes those will find the batch when there are no more
      this.pump.kickLater();
    } else {
      this.pump.kick();
    }
    return slot;
  }

  /** Push a close when the requests are over that go by its descriptor. */
  #pushBehind(slot: Slot, request: CoreRequest, awaited: Descriptor): void {
    const { context } = request;
    const scope = { context };
    const { index } = slot;
    this.#behind.add(index);
    // Some of those may be in flight on other queues
    this.scopes.hold(scope);
    awaited.unused().then(() => {
      this.#behind.delete(index);
      if (!this.#closed) {
        this.backend.push(index, request, undefined);
      }
      this.scopes.leave(scope);
      this.pump.kick();
    });
  }

  /** Whether a close would take a slot from those it waits for. */
  isWaitedFor(request: CoreRequest): boolean {
    return this.#line.size > 0 && request.isClose && awaitedBy(request) !== undefined;
  }

  /** Start a promise form. There must be a slot. */
  #start(ticket: Ticket): void {
    try {
      const { request, kept } = ticket;
      const timeoutMs = ticket.deadline?.leftMs;
      const slot = kept === undefined
        ? this.accept(request, timeoutMs)
        : kept.lend(request, () => this.accept(request, timeoutMs));
      ticket.forgetKept();
      slot.ticket = ticket;
      ticket.slot = slot.index;
    } catch (error) {
      this.#fail(ticket, error);
    }
  }

  /** A promise form that has no slot fails. */
  #fail(ticket: Ticket, reason: unknown): void {
    this.#settle(ticket);
    withdraw(ticket.request);
    ticket.reject(reason);
  }

  /** A promise form is over: its signal is of no more interest. */
  #settle(ticket: Ticket): void {
    ticket.settle();
    if (ticket.deadline !== undefined) {
      this.deadlines.remove(ticket.deadline);
    }
    if (ticket.signal !== undefined) {
      this.#signals.remove(ticket.signal, ticket);
    }
  }

  /**
   * A promise form is aborted while it is waiting or in flight.
   *
   * @param isOurs Whether the reason was made for it, and is to show its caller.
   */
  #abort(ticket: Ticket, reason: unknown, isOurs = false): void {
    if (ticket.isWaiting) {
      this.#line.delete(ticket);
      withdraw(ticket.request);
    } else {
      // Its slot stays in use until the completion comes
      this.cancelSlot(ticket.slot);
      this.pump.kick();
      if (!isOurs && isPatient(ticket.signal)) {
        return;
      }
    }
    this.#settle(ticket);
    if (isOurs) {
      ticket.fail(reason as Error);
    } else {
      ticket.reject(reason);
    }
  }

  /** The task that a promise form belongs to is to stop. */
  #interrupt(ticket: Ticket): void {
    if (ticket.isWaiting) {
      this.#line.delete(ticket);
      this.#fail(ticket, interruptedError(ticket.request.context));
    } else if (!ticket.isSettled) {
      this.slots.at(ticket.slot).isCancelled = true;
      this.cancelSlot(ticket.slot);
      this.pump.kick();
    }
  }

  /**
   * Submit the batch, take completions in, and tell those who wait for them.
   *
   * @returns What {@linkcode PumpSource.turn} returns.
   */
  turn(arm: boolean, yields: boolean): number {
    if (this.#line.size > 0) {
      // Large writes that waited for their turn
      this.advance(false);
    }
    const armed = this.backend.turn(arm, yields);
    const completed = this.#completed;
    this.#completed = 0;
    this.pump.spend(completed);
    if (this.#line.size > 0) {
      this.advance(completed === 0 && arm || this.backend.inFlight === 0);
    }
    if (completed > 0) {
      if (this.#stream.unconsumed > 0) {
        this.#stream.wake();
      }
    }
    return completed || (armed ? -1 : 0);
  }

  /**
   * Hold up this thread until something is over, taking completions in. For synchronous
   * calls, which come after what is in progress.
   *
   * @returns Whether it is over; not if it may never be, since nothing completes.
   */
  waitFor(isOver: () => boolean): boolean {
    for (let idleSince = performance.now(); !isOver();) {
      const now = performance.now();
      if (this.turn(false, true) > 0) {
        idleSince = now;
      } else if (now - idleSince > PATIENCE_MS) {
        break;
      } else if (now - idleSince > SPIN_MS) {
        Atomics.wait(NEVER, 0, 0, 1);
      }
    }
    // Others may have completed as well, and the pump has yet to learn of it
    this.pump.kick();
    return isOver();
  }

  /** A request has completed. */
  #complete(index: number, result: number, payload: Payload): void {
    this.#completed++;
    this.pump.spendCopy(payload.length);
    const slot = this.slots.at(index);
    const request = slot.request!;
    const ticket = slot.ticket;
    slot.request = undefined;
    if (slot.late !== NOT_LATE) {
      if (slot.late === LATE_CONSUMED) {
        this.slots.release(slot);
      }
      slot.late = NOT_LATE;
      request.leaveHolder();
      return;
    }
    const deadline = ticket === undefined ? slot.deadline : ticket.deadline;

    let value: unknown;
    let error: Error | undefined;
    if (ticket === undefined || !ticket.isSettled) {
      if (result < 0) {
        error = deadline !== undefined && result === -ERRNO.ETIMEDOUT!
          ? timeoutError(deadline.timeoutMs, request.context)
          : result === -ERRNO.EINTR! && (this.#cancelled || slot.isCancelled)
          ? interruptedError(request.context)
          : osError(-result, request.context);
      } else {
        if (request.isOpen) {
          forgetOpenFile(result);
          addDescriptor(result, request);
        }
        try {
          value = request.decode(result, payload, request);
        } catch (cause) {
          // A number that does not fit, or no memory for what was read
          error = cause instanceof Error ? cause : new Error(String(cause));
        }
      }
    }

    if (ticket === undefined) {
      request.leaveHolder();
      this.#stream.complete(slot, request.op, value, error);
      return;
    }
    slot.ticket = undefined;
    this.slots.release(slot);
    request.leaveHolder();
    if (!ticket.isSettled) {
      this.#settle(ticket);
      if (error === undefined) {
        ticket.resolve(value as never);
      } else if (result === -ERRNO.EINTR! && ticket.signal?.aborted) {
        ticket.reject(ticket.signal.reason);
      } else {
        ticket.fail(error);
      }
    }
  }

  /** The stream has taken a slot. */
  submitted(): void {
    this.#line.takeReserved();
  }

  /** A completion of the stream was consumed: let those go on who wait for a slot. */
  consumed(): void {
    if (this.#line.size > 0) {
      this.advance(this.backend.inFlight === 0);
    }
  }

  /** Slots that are free and promised to nobody. */
  get #available(): number {
    return this.slots.freeCount - this.#line.reserved;
  }

  /** Have somebody wait for slots. */
  #wait(waiter: Ticket | Producer): void {
    this.#line.add(waiter);
    if (this.backend.inFlight === 0 || this.pump.parked) {
      // No turn is going to let those in line go on
      this.advance(true);
      if (this.isClosing) {
        // Whoever waits for rest sees to it that there are slots for closes
        this.#onRest?.();
      }
    }
    if (waiter instanceof Ticket && waiter.isWaiting && !this.#isOwn(waiter.request)) {
      waiter.kept = KeptWrite.of(waiter.request);
    }
  }

  /** Whether a request writes memory of the queue's, which nobody resizes or transfers. */
  #isOwn({ bytes }: CoreRequest): boolean {
    if (bytes !== undefined && this.#buffers.size > 0) {
      const memory = bufferOf(bytes);
      for (const buffer of this.#buffers) {
        if (bufferOf(buffer.bytes) === memory) {
          return true;
        }
      }
    }
    return false;
  }

  /**
   * Let those go on who waited for a slot.
   *
   * @param passes Whether promise forms may go before those who wait for more slots
   *        than there are. They may if nothing completes: what is in flight may wait for
   *        something, and those who do not consume completions for what is in line.
   */
  advance(passes: boolean): void {
    for (const waiter of this.#line) {
      if (waiter instanceof Ticket) {
        if (this.#available <= 0 || !this.#mayCopy(waiter.request)) {
          return;
        }
        this.#line.delete(waiter);
        this.#start(waiter);
      } else if (this.#available >= waiter.slots) {
        this.#line.delete(waiter);
        this.#line.grant(waiter);
      } else if (!passes) {
        return;
      }
    }
  }
}

/**
 * What was cancelled fails with this, and what is asked of a queue whose requests all
 * were. A file system that tells EINTR of its own accord ends nothing.
 */
function interruptedError(context: string): Error {
  return asEnd(osError(ERRNO.EINTR!, context));
}
