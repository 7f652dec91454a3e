// Copyright 2026 the ioq authors. MIT license.

/**
 * The stream of a queue: requests that are submitted come out of it again, completed,
 * in the order in which they are.
 *
 * A request keeps its slot until its completion is consumed. One that takes too long,
 * or is aborted, completes early; the slot is then in use until the backend is done
 * with it as well.
 *
 * @module
 */

import { ownOption } from "../own_option.ts";
import { checkTimeout } from "../integer.ts";
import { ERRNO, osError, timeoutError } from "../linux/errors.ts";
import { withdraw } from "../operations/admission.ts";
import { type Request, toCoreRequest } from "../operations/request.ts";
import type { OpName } from "../operations/values.ts";
import { checkSignal } from "../signal.ts";
import type { Completion } from "./completion.ts";
import type { Core, StreamEnd } from "./core.ts";
import { Deadline } from "./deadlines.ts";
import type { SubmitOptions } from "./option_types.ts";
import { Signals } from "./signals.ts";
import { LATE, LATE_CONSUMED, type Slot } from "./slots.ts";
import { Consumers } from "./waiters.ts";

/**
 * Completions that nobody has consumed yet, in the order in which they came: a ring of as many
 * as the queue has slots, so that it is never full.
 */
class ReadyList<T> {
  readonly #ring: (Completion<T> | undefined)[];
  /** Where the first of them is. */
  #at = 0;
  #count = 0;

  /** @param depth How many there may be. */
  constructor(depth: number) {
    this.#ring = new Array(depth).fill(undefined);
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Put one behind the others. There must be room. */
  add(completion: Completion<T>): void {
    const at = this.#at + this.#count++;
    const depth = this.#ring.length;
    this.#ring[at < depth ? at : at - depth] = completion;
  }

  /** Take the first one out. There must be one. */
  take(): Completion<T> {
    const completion = this.#ring[this.#at]!;
    this.#ring[this.#at] = undefined;
    this.#at = this.#at + 1 === this.#ring.length ? 0 : this.#at + 1;
    this.#count--;
    return completion;
  }

  /** One of them, counted from the first. */
  peek(index: number): Completion<T> {
    return this.#ring[(this.#at + index) % this.#ring.length]!;
  }
}

/**
 * The stream of a queue: takes requests, hands out their completions as they come.
 *
 * @typeParam T What is passed to {@linkcode Stream.submit} beside each request.
 */
export class Stream<T> implements StreamEnd {
  /** The queue's core. */
  readonly core: Core;
  /** Completions that were not consumed. */
  #ready: ReadyList<T>;
  /** Requests that were accepted and not consumed. */
  #size = 0;
  /** How many completions that were not consumed gave their slot away already. */
  #lent = 0;
  /** What aborts requests. */
  readonly #signals = new Signals<Slot>((slot, reason) => this.#abort(slot, reason));
  /** Those who wait for a completion, or for the end. */
  readonly #consumers = new Consumers();

  /**
   * @param depth How many requests there may be.
   * @param makeCore Makes the core, which needs the stream.
   */
  constructor(depth: number, makeCore: (stream: StreamEnd) => Core) {
    this.#ready = new ReadyList(depth);
    this.core = makeCore(this);
  }

  get unconsumed(): number {
    return this.#ready.count;
  }

  /** How many requests can be accepted. */
  get capacity(): number {
    return Math.max(0, this.core.slots.freeCount - this.#lent);
  }

  /** The queue has another depth now; nothing is in the stream. */
  resize(depth: number): void {
    this.#ready = new ReadyList(depth);
  }

  /** {@linkcode Ioq.submit}. */
  submit(request: Request, data: T | undefined, options: SubmitOptions | undefined): number {
    const { core } = this;
    const timeoutMs = options === undefined
      ? undefined
      : checkTimeout(ownOption(options, "timeoutMs"));
    const signal = checkSignal(ownOption(options, "signal"));
    signal?.throwIfAborted();
    const coreRequest = core.admit(toCoreRequest(request));
    const { depth, freeCount } = core.slots;
    if (freeCount === 0 || core.isWaitedFor(coreRequest)) {
      withdraw(coreRequest);
      throw new Deno.errors.WouldBlock(
        `Cannot accept a request while all ${depth} are in use, consume completions first`,
      );
    }
    let slot;
    try {
      slot = core.accept(coreRequest, timeoutMs);
    } catch (error) {
      withdraw(coreRequest);
      throw error;
    }
    core.submitted();
    slot.data = data;
    if (timeoutMs !== undefined) {
      slot.deadline = new Deadline(timeoutMs, () => this.#expire(slot));
      core.deadlines.add(slot.deadline);
    }
    if (signal !== undefined) {
      slot.signal = signal;
      this.#signals.add(signal, slot);
    }
    this.#size++;
    return slot.id;
  }

  /** {@linkcode Ioq.poll}. */
  poll(): Completion<T> | undefined {
    if (this.#ready.count === 0) {
      const { backend, pump } = this.core;
      if (this.#size === 0 || backend.inFlight === 0) {
        return undefined;
      }
      this.core.turn(false, false);
      if (backend.inFlight === 0 || pump.parked) {
        // Whoever waits for rest is told by the pump. So is a parked call: this
        // turn took back what would have woken it, the pump's prepares it again
        pump.kick();
      }
      if (this.#ready.count === 0) {
        return undefined;
      }
    }
    return this.#consume();
  }

  /** {@linkcode Stream.poll}, but leaves the event loop its share of time. */
  #next(): Completion<T> | undefined {
    if (this.#ready.count > 0) {
      return this.#consume();
    }
    const { pump } = this.core;
    if (pump.hasBudget) {
      return this.poll();
    }
    if (this.#size > 0) {
      pump.kickLater();
    }
    return undefined;
  }

  /** All completions that are there. */
  #nextBatch(): Completion<T>[] | undefined {
    const first = this.#next();
    if (first === undefined) {
      return undefined;
    }
    const batch = [first];
    while (this.#ready.count > 0) {
      batch.push(this.#consume());
    }
    return batch;
  }

  /** Completions one by one. */
  values(): AsyncIterableIterator<Completion<T>> {
    return this.#iterate(() => this.#next());
  }

  /** {@linkcode Ioq.batches}. */
  batches(): AsyncIterableIterator<Completion<T>[]> {
    return this.#iterate(() => this.#nextBatch());
  }

  /** An iterator over what `take` finds, until there is nothing left to come. */
  #iterate<V>(take: () => V | undefined): AsyncIterableIterator<V> {
    return this.#consumers.iterate({ take, hasMore: () => this.#size > 0 });
  }

  /** A request takes too long. */
  #expire(slot: Slot): void {
    const { timeoutMs } = slot.deadline!;
    this.#endEarly(slot, timeoutError(timeoutMs, slot.request!.context));
  }

  /** A request is aborted. */
  #abort(slot: Slot, reason: unknown): void {
    const { context } = slot.request!;
    const error = reason instanceof Error
      ? reason
      : Object.assign(osError(ERRNO.EINTR!, context), { cause: reason });
    this.#endEarly(slot, error);
  }

  /** Complete a request that the backend is still at. */
  #endEarly(slot: Slot, error: Error): void {
    const { core } = this;
    const name = slot.request!.op;
    // Its slot stays in use until the backend is done with it
    slot.late = LATE;
    core.cancelSlot(slot.index);
    core.pump.kick();
    this.complete(slot, name, undefined, error);
    this.wake();
  }

  complete(slot: Slot, name: OpName, value: unknown, error: Error | undefined): void {
    if (slot.deadline !== undefined) {
      this.core.deadlines.remove(slot.deadline);
      slot.deadline = undefined;
    }
    if (slot.signal !== undefined) {
      this.#signals.remove(slot.signal, slot);
      slot.signal = undefined;
    }
    const { id } = slot;
    const data = slot.data as T;
    slot.data = undefined;
    const completion = error === undefined
      ? { id, op: name, data, ok: true, value }
      : { id, op: name, data, ok: false, error };
    this.#ready.add(completion as Completion<T>);
  }

  wake(): void {
    this.#consumers.wake();
  }

  lend(): void {
    const { slots } = this.core;
    for (; this.#lent < this.#ready.count; this.#lent++) {
      slots.release(slots.at(this.#ready.peek(this.#lent).id % slots.depth));
    }
  }

  /** Take the first completion out. There must be one. */
  #consume(): Completion<T> {
    const completion = this.#ready.take();
    const { slots } = this.core;
    if (this.#lent > 0) {
      this.#lent--;
    } else {
      const slot = slots.at(completion.id % slots.depth);
      if (slot.late === LATE) {
        slot.late = LATE_CONSUMED;
      } else {
        slots.release(slot);
      }
    }
    if (--this.#size === 0) {
      this.#consumers.wake();
    }
    this.core.consumed();
    return completion;
  }
}
