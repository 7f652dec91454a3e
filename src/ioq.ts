// Copyright 2026 the ioq authors. MIT license.

/**
 * The queue as its users see it, over `queue/core.ts`, which runs requests, and
 * `queue/stream.ts`, which hands out completions.
 *
 * @module
 */

import { DEPTH_MAX } from "../ffi/layout.ts";
import type { BackendInfo, LaneCounts } from "./backends/backend.ts";
import { openBackend } from "./backends/open_backend.ts";
import { checkOwn, OWN } from "./construction.ts";
import { PromiseForms } from "./forms.ts";
import { checkInteger, checkTimeout } from "./integer.ts";
import { type ClockName, type CpuClockName, readableClock } from "./linux/clock.ts";
import type { IoqRequest } from "./operations/request.ts";
import type { OpName } from "./operations/values.ts";
import { ownOption } from "./own_option.ts";
import type { IoqBuffer } from "./queue/buffer.ts";
import { DEFAULT_CLOSE_TIMEOUT_MS } from "./queue/closing.ts";
import type { Completion } from "./queue/completion.ts";
import { Core } from "./queue/core.ts";
import { checkOptions } from "./queue/queue_options.ts";
import type {
  CloseOptions,
  IoqOptions,
  SubmitArguments,
  SubmitOptions,
} from "./queue/option_types.ts";
import type { OperationOptions } from "./queue/runner.ts";
import { Stream } from "./queue/stream.ts";

/**
 * An asynchronous I/O queue.
 *
 * Call its operations as promises. Or put requests in by {@linkcode Ioq.submit} and iterate over
 * the queue, which gives their completions as they come, in any order. The two are kept apart:
 * promises have no completions in the stream.
 *
 * A queue belongs to the thread (the main one, or a Worker) that opened it.
 *
 * @typeParam T The type of the data that is passed to `submit()` with each request, and comes
 * back with its completion.
 *
 * @category Queue
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
  readonly #core: Core;
  readonly #stream: Stream<T>;

  static {
    // What a constructor passes on goes to nobody who was put above it
    Object.preventExtensions(this);
  }

  private constructor(token: symbol, stream: Stream<T>) {
    checkOwn(token);
    const { core } = stream;
    super(token, { core, cache: core, run: (_, request, options) => core.run(request, options) });
    this.#core = core;
    this.#stream = stream;
  }

  /**
   * Opens a queue.
   *
   * @param options Its depth, threads and backend.
   * @throws {TypeError} If an option is of a wrong type.
   * @throws {RangeError} If a number is out of its range.
   * @throws {Deno.errors.NotSupported} If the backend is not available. The message says why;
   *         `code` and `errno` are the system's.
   */
  static async open<T = unknown>(options: IoqOptions = {}): Promise<Ioq<T>> {
    const choice = checkOptions(options);
    const { depth, rawSqe } = choice;
    const makeBackend = await openBackend(choice);
    return new Ioq(
      OWN,
      new Stream<T>(depth, (stream) => new Core(depth, rawSqe, stream, makeBackend)),
    );
  }

  /** Which backend runs the requests, on how many lanes, and why that one. */
  get backend(): BackendInfo {
    return this.#core.backend.info;
  }

  /** How many requests each kind of lane has completed so far. */
  get completed(): LaneCounts {
    return { ...this.#core.backend.completed };
  }

  /**
   * The number that other queues of this process, also in other Workers, send messages to by
   * {@linkcode Ioq.post}.
   *
   * @throws {Deno.errors.BadResource} If the queue is closed.
   */
  get id(): number {
    return this.#core.backend.id;
  }

  /**
   * Reads a clock, for absolute times of `op.timeout()`, or to tell how much processor time
   * something took.
   *
   * @param clock A clock that can be waited for, or `process` or `thread` for processor time.
   * @returns Nanoseconds: since 1970 for `realtime`, of processor time for `process` and `thread`,
   *          else since an arbitrary point in time.
   * @throws {Deno.errors.NotSupported} If nobody tells: processor time, without the native library.
   * @throws {TypeError} If there is no such clock.
   */
  now(clock: ClockName | CpuClockName = "monotonic"): bigint {
    return this.#core.backend.readClock(readableClock(clock), clock).now;
  }

  /**
   * Tells how fine a clock is, see `clock_getres(2)`.
   *
   * @param clock A clock as of {@linkcode Ioq.now}.
   * @returns Nanoseconds, by which it goes forward at a time.
   * @throws {Deno.errors.NotSupported} Without the native library.
   * @throws {TypeError} If there is no such clock.
   */
  clockResolution(clock: ClockName | CpuClockName = "monotonic"): number {
    const { resolution } = this.#core.backend.readClock(readableClock(clock), clock);
    if (resolution === undefined) {
      throw new Deno.errors.NotSupported(
        `Cannot tell the resolution of the clock '${clock}' without the native library`,
      );
    }
    return resolution;
  }

  /** Whether it accepts requests: not after {@linkcode Ioq.close} or {@linkcode Ioq.cancelAll}. */
  get accepts(): boolean {
    return this.#core.accepts;
  }

  /** How many requests may be accepted and not yet consumed. */
  get depth(): number {
    return this.#core.slots.depth;
  }

  /** How many requests are accepted and not yet consumed. */
  get size(): number {
    return this.depth - this.capacity;
  }

  /** How many requests can be accepted now: `depth - size`. */
  get capacity(): number {
    return this.#stream.capacity;
  }

  /**
   * Puts a request into the queue. Its completion comes out of the stream.
   *
   * @param request The request, made by {@linkcode op}.
   * @param rest Data, which comes back with the completion, and options. The data may be left out
   *        if the queue's type of data includes `undefined`.
   * @returns The request's id, unique among those that are not yet consumed.
   * @throws {Deno.errors.WouldBlock} If the queue is full: consume completions first.
   * @throws {Deno.errors.NotCapable} If the path may not be accessed.
   * @throws {Deno.errors.Interrupted} After {@linkcode Ioq.cancelAll},
   *         unless it is a close.
   * @throws {Deno.errors.BadResource} After {@linkcode Ioq.close}.
   * @throws {TypeError} If `request` was not made by `op`.
   * @throws {RangeError} If `timeoutMs` is negative.
   * @throws The signal's reason, if it is aborted already.
   */
  submit(request: IoqRequest, ...rest: SubmitArguments<T>): number;
  submit(request: IoqRequest, data?: T, options?: SubmitOptions): number {
    return this.#stream.submit(request, data, options);
  }

  /**
   * Gives the completions of the stream, one by one as they come. The iteration ends when nothing
   * that was submitted is left to consume; it may then be started again. Leaving the loop early
   * leaves the queue as it is.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Completion<T>> {
    return this.#stream.values();
  }

  /**
   * Gives the completions of the stream in arrays of all that are there, at least one. That
   * costs less than one at a time. It ends as the stream does.
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
    return this.#stream.batches();
  }

  /**
   * Takes a completion out of the stream if there is one. It never waits.
   *
   * @returns The completion, or `undefined`.
   */
  poll(): Completion<T> | undefined {
    return this.#stream.poll();
  }

  /**
   * Hands submitted requests to the kernel and the worker threads now, instead of after the code
   * that is running. Requests that complete within this call can be polled at once.
   *
   * @throws {Deno.errors.BadResource} If the queue is closed.
   */
  flush(): void {
    this.#core.flush();
  }

  /**
   * Allocates memory of the library's, for transfers without a copy: `op.readInto()` and
   * `op.write()` of its `bytes`, or of part of them, and reads and writes of files. It is
   * registered with the ring where the kernel allows that (`IORING_OP_READ_FIXED`).
   *
   * On the `worker` backend it is ordinary memory, and transfers are copied.
   *
   * Until a request has completed, the kernel uses its part of the memory: reads may change
   * it at any time, and writes take what is there at that time.
   *
   * @param length Bytes, 1 to 2147479552.
   * @returns Zeroed memory. It is freed by `using`, or when the queue closes, once no request uses
   *          it.
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
    return this.#core.allocate(length);
  }

  /**
   * Changes the depth of the queue, which must be idle: its worker threads are replaced.
   *
   * @param depth 1 to 65536.
   * @throws {RangeError} If it is out of its range.
   * @throws {Deno.errors.Busy} If requests are in flight or not consumed.
   * @throws {Deno.errors.BadResource} If the queue is closed.
   */
  resize(depth: number): void {
    checkInteger(depth, "depth", 1, DEPTH_MAX);
    this.#core.resize(depth, this.size);
    this.#stream.resize(depth);
  }

  /**
   * Waits until requests can be accepted. Callers and promise forms are served in the order in
   * which they came.
   *
   * Room comes from completions that are consumed. A loop that awaits this before it consumes
   * anything waits forever: use it where another part of the program consumes.
   *
   * The slots are reserved for {@linkcode Ioq.submit}, if it is called before the event loop goes
   * on to something else.
   *
   * @param slots How many at once: 1 to `depth`.
   * @throws {RangeError} If `slots` is out of its range.
   * @throws {Deno.errors.BadResource} If the queue is closed.
   */
  ready(slots = 1): Promise<void> {
    return this.#core.ready(slots);
  }

  /**
   * Cancels a request. It still has its completion: the error `Deno.errors.Interrupted`, or its
   * result if it was too late to cancel it. A request that closes a descriptor is not cancelled.
   *
   * @param id What {@linkcode Ioq.submit} returned.
   * @returns Whether the request was still in progress.
   * @throws {TypeError} If the id is no number.
   */
  cancel(id: number): boolean {
    if (typeof id !== "number") {
      throw new TypeError(`Expected id to be a number, got ${typeof id}`);
    }
    const slot = this.#core.slots.find(id);
    return slot !== undefined && this.#core.cancel(slot);
  }

  /**
   * Cancels all requests, for good: from then on only requests that close a descriptor are
   * accepted. Each request still has its completion, as after {@linkcode Ioq.cancel}.
   *
   * @returns Whether there was anything to cancel.
   */
  cancelAll(): boolean {
    return this.#core.cancelAll();
  }

  /**
   * Cancels everything, waits until it is over, and releases threads, rings and descriptors. It
   * closes files that {@linkcode Ioq.openFile} opened. Completions that were not consumed can
   * still be. Closing again returns the same promise.
   *
   * An operation that the kernel does not let go of, for example on a file server that does not
   * answer, is waited for no longer than `timeoutMs`. The queue is closed then as well, but its
   * threads and descriptors stay until that operation ends.
   *
   * @param options How long to wait.
   * @throws {Deno.errors.TimedOut} If operations did not end in time; the message names them.
   * @throws {RangeError} If `timeoutMs` is negative.
   */
  close(options?: CloseOptions): Promise<void> {
    return this.#core.close(
      checkTimeout(ownOption(options, "timeoutMs") ?? DEFAULT_CLOSE_TIMEOUT_MS),
    );
  }

  /**
   * {@linkcode Ioq.close}, for `await using`. A queue from {@linkcode defaultQueue} is closed
   * with its last holder.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#core.letGo() ? this.close() : Promise.resolve();
  }

  /**
   * Runs any request as a promise, apart from the stream. When the queue is full, it waits in
   * line.
   *
   * @param request The request, made by {@linkcode op}.
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
  override run<V>(
    request: IoqRequest<OpName, V>,
    options?: OperationOptions,
  ): Promise<V> {
    return this.#core.run(request, options);
  }

  /** How the runtime prints it: `Ioq { backend: "uring", size: 0, depth: 1024, accepts: true }`. */
  [Symbol.for("Deno.customInspect")](
    inspect = Deno.inspect,
    options?: Deno.InspectOptions,
  ): string {
    const { backend: { kind: backend }, size, depth, accepts } = this;
    return `Ioq ${inspect({ backend, size, depth, accepts }, options)}`;
  }
}
