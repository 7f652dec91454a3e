// Copyright 2026 the ioq authors. MIT license.

/**
 * The queue: accepts requests up to its depth, hands their completions out as a
 * stream or as promises.
 *
 * Each accepted request has a slot until its completion is consumed:
 *
 *     submit() ──▶ slot ──▶ backend ──▶ ready list ──▶ stream: slot free again
 *     run()    ──▶ slot ──▶ backend ──▶ promise settled, slot free again
 *       └─ no slot free: waits in line
 *
 * so that what is in flight and what was not consumed together never exceed the
 * depth, and a consumer that stops consuming stops the producer.
 *
 * @module
 */

import { DEPTH_MAX, TRANSFER_MAX } from "../ffi/layout.ts";
import { prepareLibrary } from "../ffi/library.ts";
import type { Backend, BackendInfo, LaneCounts, Sink } from "./backends/backend.ts";
import { checkClock, type ClockName } from "./linux/clock.ts";
import type { Payload } from "./operations/payload.ts";
import { IoqBuffer } from "./queue/buffer.ts";
import { openBackend } from "./backends/open_backend.ts";
import { FILE_KIND, NOT_NOW, READ_CACHED } from "./queue/cached_reads.ts";
import type { Completion } from "./queue/completion.ts";
import { Deadline, Deadlines } from "./queue/deadlines.ts";
import { ERRNO, osError, timeoutError } from "./linux/errors.ts";
import { checkInteger, checkTimeout } from "./integer.ts";
import { closedError, DEFAULT_CLOSE_TIMEOUT_MS, drainedWithin } from "./queue/closing.ts";
import { Consumers } from "./queue/consumers.ts";
import {
  checkOptions,
  type CloseOptions,
  type IoqOptions,
  type SubmitOptions,
} from "./queue/queue_options.ts";
import { Producers } from "./queue/producers.ts";
import { ReadyList } from "./queue/ready_list.ts";
import { Ticket } from "./queue/ticket.ts";
import { checkQueue, closeFilesOf } from "./queue/open_files.ts";
import { ABORT, ON_CANCEL, type OperationOptions, SYNCHRONOUS } from "./queue/runner.ts";
import { type CoreRequest, type Request, toCoreRequest } from "./operations/request.ts";
import type { OpName, OpValues } from "./operations/values.ts";
import { PromiseForms } from "./forms.ts";
import { Pump } from "./queue/pump.ts";
import { checkSignal } from "./signal.ts";

/**
 * Bytes from which on what is to be written is copied only if the event loop can
 * wait for that; otherwise the request waits in line.
 */
const LARGE_WRITE = 64 * 1024;

/** Request ids are unique among this many. */
const SEQUENCE_MAX = 2 ** 36;

/** In `#late`: the completion is there, and was not consumed. */
const LATE = 1;
/** In `#late`: it was consumed. */
const LATE_CONSUMED = 2;

/**
 * An asynchronous I/O queue.
 *
 * Put requests in with {@linkcode Ioq.submit} and take completions out as they
 * come, in any order, by iterating over the queue; or call the promise forms of
 * the operations, which are kept apart from that stream.
 *
 * A queue belongs to the thread (the main one, or a Worker) that opened it.
 *
 * @typeParam T What is passed to `submit()` beside each request, and comes back
 * with its completion.
 *
 * @example Stat many files
 * ```ts
 * import { Ioq, op } from "@ioq/ioq";
 *
 * await using ioq = await Ioq.open<string>();
 * for (const path of ["/etc/hostname", "/etc/hosts"]) {
 *   ioq.submit(op.stat(path), path);
 * }
 * for await (const { data: path, ...result } of ioq) {
 *   console.log(path, result.ok ? "exists" : result.error.message);
 * }
 * ```
 *
 * @example One operation as a promise
 * ```ts
 * import { Ioq } from "@ioq/ioq";
 *
 * await using ioq = await Ioq.open();
 * const info = await ioq.stat("/");
 * console.log(info.isDirectory, ioq.backend.kind);
 * ```
 */
export class Ioq<T = unknown> extends PromiseForms implements AsyncDisposable {
  readonly #backend: Backend;
  readonly #pump: Pump;
  readonly #rawSqe: boolean;
  #depth: number;

  /** Free slots: the first `#freeCount` of a stack. */
  #free: Int32Array = new Int32Array();
  #freeCount = 0;
  /** How many completions that were not consumed gave their slot away already. */
  #lent = 0;
  /** By slot: the id, -1 if it is free. */
  #ids: Float64Array = new Float64Array();
  /** By slot: the request while it is in flight. */
  #requests: (CoreRequest | undefined)[] = [];
  /** By slot: the promise form it belongs to, if it is not the stream's. */
  #tickets: (Ticket | undefined)[] = [];
  /** By slot: what the caller passed beside it. */
  #data: (T | undefined)[] = [];
  #sequence = 0;
  /** By slot: until when a request of the stream must have completed. */
  #deadlineOf: (Deadline | undefined)[] = [];
  /** By slot: whether it completed before the backend was done with it. */
  #late: Uint8Array = new Uint8Array();
  readonly #deadlines = new Deadlines();

  /** The stream's completions that were not consumed. */
  #ready: ReadyList<T>;
  /** The stream's requests that were accepted and not consumed. */
  #streamSize = 0;
  /** How many completions have come that nobody was told of yet. */
  #completed = 0;

  /** What was allocated and not given back. */
  readonly #buffers = new Set<IoqBuffer>();
  /** Promise forms that wait for a slot, in order. */
  readonly #line = new Set<Ticket>();
  /** Those who wait for a completion of the stream, or for its end. */
  readonly #consumers = new Consumers();
  /** Those who wait for capacity. */
  readonly #producers = new Producers();
  /** Who waits for everything to come to rest. */
  #onRest: (() => void) | undefined;

  #cancelled = false;
  #closing: Promise<void> | undefined;
  #closed = false;

  private constructor(depth: number, rawSqe: boolean, makeBackend: (sink: Sink) => Backend) {
    super();
    this.#depth = depth;
    this.#ready = new ReadyList(depth);
    this.#slots(depth);
    this.#rawSqe = rawSqe;
    const backend = makeBackend({
      complete: (slot, result, payload) => this.#complete(slot, result, payload),
    });
    this.#backend = backend;
    this.#pump = new Pump({
      get inFlight() {
        return backend.inFlight;
      },
      turn: (arm, yields) => this.#turn(arm, yields),
      park: () => backend.park(),
      wake: () => backend.wake(),
      rest: () => this.#onRest?.(),
    });
  }

  /** Make as many slots, all free. */
  #slots(depth: number): void {
    this.#freeCount = depth;
    this.#free = Int32Array.from({ length: depth }, (_, i) => depth - 1 - i);
    this.#ids = new Float64Array(depth).fill(-1);
    this.#requests = new Array(depth).fill(undefined);
    this.#tickets = new Array(depth).fill(undefined);
    this.#data = new Array(depth).fill(undefined);
    this.#deadlineOf = new Array(depth).fill(undefined);
    this.#late = new Uint8Array(depth);
  }

  /**
   * Open a queue.
   *
   * @param options Its depth, threads and backend.
   * @throws {TypeError} If an option is of a wrong type.
   * @throws {RangeError} If a number is out of its range.
   * @throws {Deno.errors.NotSupported} If the backend cannot be had; the message
   *         says why in words, `code` and `errno` what the system said.
   */
  static async open<T = unknown>(options: IoqOptions = {}): Promise<Ioq<T>> {
    const choice = checkOptions(options);
    await prepareLibrary(choice.library);
    return new Ioq<T>(choice.depth, choice.rawSqe, (sink) => openBackend(choice, sink));
  }

  /** Which backend runs the requests, on how many lanes, and why that one. */
  get backend(): BackendInfo {
    return this.#backend.info;
  }

  /** How many requests each kind of lane has completed so far. */
  get completed(): LaneCounts {
    return { ...this.#backend.completed };
  }

  /**
   * What other queues of this process, also those of other Workers, post to. See
   * {@linkcode Ioq.post}.
   *
   * @throws {Deno.errors.BadResource} If the queue is closed.
   */
  get id(): number {
    return this.#backend.id;
  }

  /**
   * What a clock says, for absolute times of `op.timeout()`.
   *
   * @returns Nanoseconds: since 1970 for `realtime`, else since some point in time.
   */
  now(clock: ClockName = "monotonic"): bigint {
    checkClock(clock);
    return this.#backend.now(clock);
  }

  /** Whether it accepts requests: not after {@linkcode Ioq.close} or `cancel()` of all. */
  get accepts(): boolean {
    return this.#closing === undefined && !this.#cancelled;
  }

  /** How many requests may be accepted and not yet consumed. */
  get depth(): number {
    return this.#depth;
  }

  /** How many requests are accepted and not yet consumed. */
  get size(): number {
    return this.#depth - this.capacity;
  }

  /** How many requests can be accepted now: `depth - size`. */
  get capacity(): number {
    return Math.max(0, this.#freeCount - this.#lent);
  }

  /**
   * Put a request into the queue. Its completion comes out of the stream.
   *
   * @param request What to do, made by {@linkcode op}.
   * @param data Anything: it comes back with the completion.
   * @param options How long it may take.
   * @returns The request's id, unique among those that are not yet consumed.
   * @throws {Deno.errors.WouldBlock} If the queue is full: consume completions, or
   *         wait for {@linkcode Ioq.ready}.
   * @throws {Deno.errors.NotCapable} If the path may not be accessed.
   * @throws {Deno.errors.Interrupted} After {@linkcode Ioq.cancel} of everything,
   *         unless it is a close.
   * @throws {Deno.errors.BadResource} After {@linkcode Ioq.close}.
   * @throws {TypeError} If it is no request.
   * @throws {RangeError} If `timeoutMs` is negative.
   */
  submit(request: Request, data?: T, options?: SubmitOptions): number {
    const core = toCoreRequest(request);
    const timeoutMs = options === undefined ? undefined : checkTimeout(options.timeoutMs);
    this.#checkAcceptable(core);
    if (this.#freeCount === 0) {
      throw new Deno.errors.WouldBlock(
        `Cannot accept a request while all ${this.#depth} are in use, consume completions first`,
      );
    }
    const slot = this.#accept(core, timeoutMs);
    this.#data[slot] = data;
    if (timeoutMs !== undefined) {
      const deadline = new Deadline(timeoutMs, () => this.#expire(slot));
      this.#deadlineOf[slot] = deadline;
      this.#deadlines.add(deadline);
    }
    this.#streamSize++;
    return this.#ids[slot]!;
  }

  /**
   * The completions of the stream, one by one as they come. Ends when nothing that
   * was submitted is left to consume; it may then be iterated again. Leaving the
   * loop early leaves the queue as it is.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Completion<T>> {
    return this.#iterate(() => this.#next());
  }

  /**
   * The completions of the stream in arrays of all that are there, at least one.
   * Cheaper than one by one. Ends as the stream does.
   *
   * @example
   * ```ts
   * import { Ioq, op } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * for (let i = 0; i < 100; i++) ioq.submit(op.nop());
   * let count = 0;
   * for await (const completions of ioq.batches()) count += completions.length;
   * console.log(count); // 100
   * ```
   */
  batches(): AsyncIterableIterator<Completion<T>[]> {
    return this.#iterate(() => {
      const first = this.#next();
      if (first === undefined) {
        return undefined;
      }
      const batch = [first];
      while (this.#ready.count > 0) {
        batch.push(this.#consume());
      }
      return batch;
    });
  }

  /**
   * Take a completion out of the stream if there is one; never waits.
   *
   * @returns The completion, or `undefined`.
   */
  poll(): Completion<T> | undefined {
    if (this.#ready.count === 0) {
      if (this.#streamSize === 0 || this.#backend.inFlight === 0) {
        return undefined;
      }
      this.#turn(false, false);
      if (this.#backend.inFlight === 0 || this.#pump.parked) {
        // Whoever waits for rest is told by the pump. So is a parked call: this
        // turn took back what would have woken it, the pump's prepares it again
        this.#pump.kick();
      }
      if (this.#ready.count === 0) {
        return undefined;
      }
    }
    return this.#consume();
  }

  /** {@linkcode Ioq.poll}, but leaves the event loop its share of time. */
  #next(): Completion<T> | undefined {
    if (this.#ready.count > 0) {
      return this.#consume();
    }
    if (this.#pump.hasBudget) {
      return this.poll();
    }
    if (this.#streamSize > 0) {
      this.#pump.kickLater();
    }
    return undefined;
  }

  /**
   * Hand over what was submitted to the kernel and the worker threads now, instead of
   * after the code that is running. What is complete by then may be polled at once.
   *
   * @throws {Deno.errors.BadResource} If the queue is closed.
   */
  flush(): void {
    if (this.#closed) {
      throw closedError();
    }
    this.#turn(false, false);
    // As after a poll: who waits for rest, or is parked, is told by the pump
    this.#pump.kick();
  }

  /**
   * Allocate memory of the library's, for transfers that need no copying:
   * `op.readInto()` and `op.write()` of its `bytes`, or of part of them, and the same
   * of files. A ring knows it in advance where the kernel grants that
   * (`IORING_OP_READ_FIXED`).
   *
   * On the `worker` backend it is ordinary memory, and transfers are copied.
   *
   * Until a request has completed, its part of the memory is the kernel's: what is
   * there changes at any time, and what is written is what is there by then.
   *
   * @param length Bytes, 1 to 2147479552.
   * @returns Zeroed memory, to be given back by `using`; it is freed with the queue
   *          at the latest, once no request has to do with it.
   * @throws {Deno.errors.NotCapable} Without unrestricted `--allow-ffi`.
   * @throws {RangeError} If `length` is out of its range.
   * @throws {Error} If there is no memory (`ENOMEM`), or there are 1024 buffers.
   *
   * @example
   * ```ts
   * import { Ioq } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * using buffer = ioq.allocate(1024 * 1024);
   * await using file = await ioq.openFile("/etc/hostname");
   * const count = await file.readAt(buffer.bytes.subarray(0, 4096), 0);
   * console.log(count);
   * ```
   */
  allocate(length: number): IoqBuffer {
    checkInteger(length, "length", 1, TRANSFER_MAX);
    if (this.#closing) {
      throw closedError();
    }
    const buffer = new IoqBuffer(this.#backend.allocate(length), (memory) => {
      this.#buffers.delete(buffer);
      this.#backend.deallocate(memory);
    });
    this.#buffers.add(buffer);
    return buffer;
  }

  /**
   * Change how many requests may be accepted and not yet consumed. The queue must be
   * idle: its worker threads are replaced.
   *
   * @param depth 1 to 65536.
   * @throws {RangeError} If it is out of its range.
   * @throws {Deno.errors.Busy} If requests are in flight or not consumed.
   * @throws {Deno.errors.BadResource} If the queue is closed.
   */
  resize(depth: number): void {
    checkInteger(depth, "depth", 1, DEPTH_MAX);
    if (this.#closing) {
      throw closedError();
    }
    if (this.size > 0 || this.#line.size > 0 || this.#producers.count > 0) {
      throw new Deno.errors.Busy(`Cannot resize a queue that has ${this.size} requests`);
    }
    this.#backend.resize(depth);
    this.#depth = depth;
    this.#ready = new ReadyList(depth);
    this.#slots(depth);
  }

  /**
   * Wait until requests can be accepted.
   *
   * @param slots How many at once: 1 to `depth`.
   * @throws {RangeError} If `slots` is out of its range.
   * @throws {Deno.errors.BadResource} If the queue is closed.
   */
  ready(slots = 1): Promise<void> {
    return new Promise((resolve, reject) => {
      checkInteger(slots, "slots", 1, this.#depth);
      if (this.#closing) {
        throw closedError();
      }
      if (this.#freeCount >= slots) {
        resolve();
      } else {
        this.#producers.add(slots, resolve, reject);
      }
    });
  }

  /**
   * Cancel a request, or all of them. Each still gets its completion: the error
   * `Deno.errors.Interrupted`, or its result if it was too late. Requests that
   * close a descriptor run all the same. After all were cancelled, no others than
   * such are accepted any more.
   *
   * @param id What {@linkcode Ioq.submit} returned; everything if not given.
   * @returns Whether there was anything to cancel.
   */
  cancel(id?: number): boolean {
    if (id !== undefined) {
      if (typeof id !== "number") {
        throw new TypeError(`Expected id to be a number, got ${typeof id}`);
      }
      const slot = id % this.#depth;
      if (this.#ids[slot] !== id || this.#requests[slot] === undefined || this.#late[slot] !== 0) {
        return false;
      }
      this.#pump.kick();
      return this.#backend.cancel(slot);
    }

    const any = this.#backend.inFlight > 0 || this.#line.size > 0;
    this.#cancelled = true;
    this.#backend.cancelAll();
    for (const ticket of this.#line) {
      if (!ticket.request.isClose) {
        this.#line.delete(ticket);
        this.#settle(ticket);
        ticket.request.holder?.leave(ticket.request);
        ticket.reject(osError(ERRNO.EINTR!, ticket.request.context));
      }
    }
    this.#pump.kick();
    return any;
  }

  /**
   * Cancel everything, wait until it is over, and release threads, rings and
   * descriptors. Files that {@linkcode Ioq.openFile} opened and that are still open
   * are closed, too. Completions that were not consumed still can be. Closing again
   * returns the same promise.
   *
   * An operation that the kernel does not let go of, say on a file server that does
   * not answer, is not waited for any longer than `timeoutMs`. The queue is closed
   * then as well, but its threads and descriptors go only when that operation ends.
   *
   * @param options How long to wait.
   * @throws {Deno.errors.TimedOut} If something would not end in time; the message
   *         names the operations.
   * @throws {RangeError} If `timeoutMs` is negative.
   */
  close(options?: CloseOptions): Promise<void> {
    const timeoutMs = checkTimeout(options?.timeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS);
    return this.#closing ??= timeoutMs === undefined ? this.#drain() : drainedWithin(
      this.#drain(),
      timeoutMs,
      this.#deadlines,
      () => this.#requests,
      () => this.#backend.abandon?.(),
    );
  }

  /** {@linkcode Ioq.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Cancel everything, wait until it is over, and release all. */
  async #drain(): Promise<void> {
    this.cancel();
    this.#producers.refuse(closedError());
    closeFilesOf(this);
    while (this.#backend.inFlight > 0 || this.#line.size > 0 || this.#pump.parked) {
      if (this.#backend.inFlight === 0 && this.#line.size > 0) {
        this.#lend();
      }
      await new Promise<void>((resolve) => this.#onRest = resolve);
    }
    this.#closed = true;
    for (const buffer of this.#buffers) {
      buffer[Symbol.dispose]();
    }
    await this.#backend.close();
    this.#consumers.wake();
  }

  /**
   * Let the closes in line have the slots of completions that nobody consumes: who
   * waits for the queue to close may never do so.
   */
  #lend(): void {
    for (; this.#lent < this.#ready.count; this.#lent++) {
      this.#release(this.#ready.peek(this.#lent).id % this.#depth);
    }
    this.#advance();
  }

  /**
   * Run any request as a promise, apart from the stream. When the queue is full it
   * waits its turn.
   *
   * @param request What to do, made by {@linkcode op}.
   * @param options A signal to cancel it, or how long it may take.
   * @returns What the operation resolves to, see {@linkcode OpValues}.
   *
   * @example
   * ```ts
   * import { Ioq, op } from "@ioq/ioq";
   *
   * await using ioq = await Ioq.open();
   * const fd = await ioq.run(op.open("/etc/hostname"));
   * const bytes = await ioq.run(op.read(fd, 64, 0));
   * await ioq.run(op.close(fd));
   * console.log(bytes.length);
   * ```
   */
  override run<K extends OpName>(
    request: Request<K>,
    options?: OperationOptions,
  ): Promise<OpValues[K]> {
    const signal = options?.signal;
    let timeoutMs: number | undefined;
    let core;
    try {
      core = toCoreRequest(request);
      timeoutMs = options === undefined ? undefined : checkTimeout(options.timeoutMs);
      checkSignal(signal)?.throwIfAborted();
      this.#checkAcceptable(core);
    } catch (error) {
      core?.holder?.leave(core);
      return Promise.reject(error);
    }
    const ticket = new Ticket(core, signal);
    if (timeoutMs !== undefined) {
      this.#limit(ticket, timeoutMs);
    }
    if (signal !== undefined) {
      ticket.onAbort = () => this.#abort(ticket, signal.reason);
      signal.addEventListener("abort", ticket.onAbort);
    }
    if (options !== undefined) {
      const owner = (options as { [ON_CANCEL]?: { cancel?: () => void } })[ON_CANCEL];
      if (owner !== undefined) {
        owner.cancel = () => this.#interrupt(ticket);
      }
    }
    if (this.#freeCount > 0 && this.#mayCopy(core)) {
      this.#start(ticket);
    } else {
      this.#line.add(ticket);
    }
    return ticket.promise as Promise<OpValues[K]>;
  }

  /** Read what is cached, unless others wait for their turn or the event loop for its. */
  override [READ_CACHED](fd: number, target: Uint8Array<ArrayBuffer>, offset: number): number {
    if (!this.accepts || this.#freeCount === 0 || this.#line.size > 0 || !this.#pump.hasBudget) {
      return NOT_NOW;
    }
    const count = this.#backend.readCached(fd, target, offset);
    if (count >= 0) {
      this.#pump.spendOne(count);
    }
    return count;
  }

  /** What kind of file a descriptor is. */
  override [FILE_KIND](fd: number): number | undefined {
    return this.accepts ? this.#backend.fileKind(fd) : undefined;
  }

  /** Give a promise form so much time and no more. */
  #limit(ticket: Ticket, timeoutMs: number): void {
    ticket.deadline = new Deadline(
      timeoutMs,
      () => this.#abort(ticket, timeoutError(timeoutMs, ticket.request.context)),
    );
    this.#deadlines.add(ticket.deadline);
  }

  /** Refuse what may not be queued. */
  #checkAcceptable(request: CoreRequest): void {
    if (this.#closing && (this.#closed || !request.isClose)) {
      throw closedError();
    }
    if (this.#cancelled && !request.isClose) {
      throw osError(ERRNO.EINTR!, request.context);
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
    request.checkAccess();
  }

  /** Whether there is time to copy what a request writes; if not, there soon is. */
  #mayCopy(request: CoreRequest): boolean {
    const copies = request.bytes !== undefined || request.sources !== undefined;
    if (!copies || request.length < LARGE_WRITE || this.#pump.hasBudget) {
      return true;
    }
    this.#pump.kickLater();
    return false;
  }

  /** Give a request a slot and put it into the batch. There must be a slot. */
  #accept(request: CoreRequest, timeoutMs?: number): number {
    const slot = this.#free[this.#freeCount - 1]!;
    if (!this.#backend.push(slot, request, timeoutMs)) {
      // Frees the batch; slots that become free go on top of this one. What it
      // completes is told by the turn that is due for this request
      this.#backend.turn(false, false);
      return this.#accept(request, timeoutMs);
    }
    this.#freeCount--;
    if (request.bytes !== undefined || request.sources !== undefined) {
      this.#pump.spendCopy(request.length);
    }
    this.#requests[slot] = request;
    this.#ids[slot] = this.#sequence * this.#depth + slot;
    this.#sequence = this.#sequence + 1 === SEQUENCE_MAX ? 0 : this.#sequence + 1;
    if (this.#ready.count > 0) {
      // Whoever consumes those will find the batch when there are no more
      this.#pump.kickLater();
    } else {
      this.#pump.kick();
    }
    return slot;
  }

  /** Take a slot back. */
  #release(slot: number): void {
    this.#ids[slot] = -1;
    this.#free[this.#freeCount++] = slot;
  }

  /** Start a promise form. There must be a slot. */
  #start(ticket: Ticket): void {
    try {
      const slot = this.#accept(ticket.request, ticket.deadline?.leftMs);
      this.#tickets[slot] = ticket;
      ticket.slot = slot;
    } catch (error) {
      this.#settle(ticket);
      ticket.request.holder?.leave(ticket.request);
      ticket.reject(error);
    }
  }

  /** A promise form is over: its signal is of no more interest. */
  #settle(ticket: Ticket): void {
    ticket.settle();
    if (ticket.deadline !== undefined) {
      this.#deadlines.remove(ticket.deadline);
    }
    if (ticket.onAbort !== undefined) {
      ticket.signal!.removeEventListener("abort", ticket.onAbort);
    }
  }

  /** Abort the promise forms of requests that are in progress. */
  override [ABORT](requests: ReadonlySet<Request>, reason: unknown): void {
    for (const ticket of [...this.#tickets, ...this.#line]) {
      if (ticket !== undefined && !ticket.isSettled && requests.has(ticket.request)) {
        this.#abort(ticket, reason);
      }
    }
  }

  /** What runs a file's requests on this thread, past the queue. */
  override [SYNCHRONOUS](): object {
    if (this.#closed) {
      throw closedError();
    }
    return this.#backend.synchronous();
  }

  /** A request of the stream takes too long. */
  #expire(slot: number): void {
    const request = this.#requests[slot]!;
    const { timeoutMs } = this.#deadlineOf[slot]!;
    this.#deadlineOf[slot] = undefined;
    // Its slot stays in use until the backend is done with it
    this.#late[slot] = LATE;
    this.#backend.cancel(slot);
    this.#pump.kick();
    this.#completeStream(slot, request.op, undefined, timeoutError(timeoutMs, request.context));
    this.#consumers.wake();
  }

  /** A promise form is aborted while it is waiting or in flight. */
  #abort(ticket: Ticket, reason: unknown): void {
    if (ticket.isWaiting) {
      this.#line.delete(ticket);
      ticket.request.holder?.leave(ticket.request);
    } else {
      // Its slot stays in use until the completion comes
      this.#backend.cancel(ticket.slot);
      this.#pump.kick();
    }
    this.#settle(ticket);
    ticket.reject(reason);
  }

  /** The task that a promise form belongs to is to stop. */
  #interrupt(ticket: Ticket): void {
    if (ticket.isWaiting) {
      this.#line.delete(ticket);
      ticket.request.holder?.leave(ticket.request);
      this.#settle(ticket);
      ticket.reject(osError(ERRNO.EINTR!, ticket.request.context));
    } else if (!ticket.isSettled) {
      this.#backend.cancel(ticket.slot);
      this.#pump.kick();
    }
  }

  /**
   * Submit the batch, take completions in, and tell those who wait for them.
   *
   * @returns What {@linkcode PumpSource.turn} returns.
   */
  #turn(arm: boolean, yields: boolean): number {
    if (this.#line.size > 0) {
      // Large writes that waited for their turn
      this.#advance();
    }
    const armed = this.#backend.turn(arm, yields);
    // With those that came while a full batch made room
    const completed = this.#completed;
    this.#completed = 0;
    this.#pump.spend(completed);
    if (completed > 0) {
      this.#advance();
      if (this.#ready.count > 0) {
        this.#consumers.wake();
      }
    }
    return completed || (armed ? -1 : 0);
  }

  /** A request has completed. */
  #complete(slot: number, result: number, payload: Payload): void {
    this.#completed++;
    this.#pump.spendCopy(payload.length);
    const request = this.#requests[slot]!;
    const ticket = this.#tickets[slot];
    this.#requests[slot] = undefined;
    if (this.#late[slot] !== 0) {
      if (this.#late[slot] === LATE_CONSUMED) {
        this.#release(slot);
      }
      this.#late[slot] = 0;
      return;
    }
    const deadline = ticket === undefined ? this.#deadlineOf[slot] : ticket.deadline;

    let value: unknown;
    let error: Error | undefined;
    if (ticket === undefined || !ticket.isSettled) {
      if (result < 0) {
        error = deadline !== undefined && result === -ERRNO.ETIMEDOUT!
          ? timeoutError(deadline.timeoutMs, request.context)
          : osError(-result, request.context);
      } else {
        try {
          value = request.decode(result, payload, request);
        } catch (cause) {
          // A number that does not fit, or no memory for what was read
          error = cause instanceof Error ? cause : new Error(String(cause));
        }
      }
    }

    if (ticket === undefined) {
      if (deadline !== undefined) {
        this.#deadlines.remove(deadline);
        this.#deadlineOf[slot] = undefined;
      }
      this.#completeStream(slot, request.op, value, error);
      return;
    }
    this.#tickets[slot] = undefined;
    this.#release(slot);
    ticket.request.holder?.leave(ticket.request);
    if (!ticket.isSettled) {
      this.#settle(ticket);
      if (error === undefined) {
        ticket.resolve(value as never);
      } else {
        ticket.reject(error);
      }
    }
  }

  /** The stream's part of {@linkcode Ioq.#complete}: the slot stays until consumed. */
  #completeStream(slot: number, name: OpName, value: unknown, error: Error | undefined): void {
    const id = this.#ids[slot]!;
    const data = this.#data[slot] as T;
    this.#data[slot] = undefined;
    const completion = error === undefined
      ? { id, op: name, data, ok: true, value }
      : { id, op: name, data, ok: false, error };
    this.#ready.add(completion as Completion<T>);
  }

  /** Take the first completion out. There must be one. */
  #consume(): Completion<T> {
    const completion = this.#ready.take();
    const slot = completion.id % this.#depth;
    if (this.#lent > 0) {
      this.#lent--;
    } else if (this.#late[slot] === LATE) {
      this.#late[slot] = LATE_CONSUMED;
    } else {
      this.#release(slot);
    }
    if (--this.#streamSize === 0) {
      this.#consumers.wake();
    }
    if (this.#line.size > 0 || this.#producers.count > 0) {
      this.#advance();
    }
    return completion;
  }

  /** Let those go on who waited for a slot. */
  #advance(): void {
    for (const ticket of this.#line) {
      if (this.#freeCount === 0 || !this.#mayCopy(ticket.request)) {
        return;
      }
      this.#line.delete(ticket);
      this.#start(ticket);
    }
    if (this.#producers.count > 0) {
      this.#producers.advance(this.#freeCount);
    }
  }

  /** An iterator over what `take` finds, until there is nothing left to come. */
  #iterate<V>(take: () => V | undefined): AsyncIterableIterator<V> {
    return this.#consumers.iterate({ take, hasMore: () => this.#streamSize > 0 });
  }
}
