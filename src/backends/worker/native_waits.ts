// Copyright 2026 the ioq authors. MIT license.

/**
 * Waits by the native library: a queue of its own without lanes or ring, on the
 * thread of whoever owns this. It is opened by the first request that needs it.
 *
 * While any request waits and the backend has nothing to do, one nonblocking call of
 * the runtime's is parked in that queue, and wakes the backend when it returns.
 *
 * @module
 */

import type { Library } from "../../../ffi/library.ts";
import type { ClockReading } from "../../linux/clock.ts";
import { ERRNO, osError } from "../../linux/errors.ts";
import type { CoreRequest } from "../../operations/request.ts";
import { loadLibrary } from "../../../ffi/library.ts";
import { closedError } from "../../end.ts";
import { NativeBackend, NativeOpenError, openNativeCore, readClock } from "../native.ts";
import type { CompleteWait, Waits } from "./waits.ts";

/** A request that the queue has yet to be given. */
interface Added {
  readonly slot: number;
  readonly request: CoreRequest;
  cancelled: boolean;
}

/** Waits in a native queue without lanes. */
export class NativeWaits implements Waits {
  readonly #library: Library;
  readonly #complete: CompleteWait;
  readonly #wake: () => void;
  #depth: number;
  #queue: NativeBackend | undefined;
  #added: Added[] = [];
  #cancelled = false;
  /** Resolves when the parked call has returned. */
  #parked: Promise<void> | undefined;
  /** Whether the parked call was told to return. */
  #woken = false;
  #closed = false;

  /**
   * @param library The library, which stays the caller's.
   * @param depth The most requests at once.
   * @param complete Is told of completions.
   * @param wake Called when a turn has something to do.
   */
  constructor(library: Library, depth: number, complete: CompleteWait, wake: () => void) {
    this.#library = library;
    this.#depth = depth;
    this.#complete = complete;
    this.#wake = wake;
  }

  get size(): number {
    return this.#added.length + (this.#queue?.inFlight ?? 0);
  }

  get id(): number {
    if (this.#closed) {
      throw closedError();
    }
    try {
      return this.#open().id;
    } catch (error) {
      throw error instanceof NativeOpenError ? osError(error.errno, "mailbox") : error;
    }
  }

  readClock(code: number): ClockReading {
    return readClock(this.#library.symbols, code);
  }

  refuse(): number {
    return 0;
  }

  #open(): NativeBackend {
    if (this.#queue === undefined) {
      const library = loadLibrary(this.#library.path);
      try {
        const core = openNativeCore(library, {
          depth: this.#depth,
          threads: 0,
          ring: false,
          rawSqe: false,
        });
        this.#queue = new NativeBackend(core, {
          complete: (slot, result, payload) => this.#complete(slot, result, payload),
        });
      } catch (error) {
        library.release();
        throw error;
      }
      if (this.#cancelled) {
        this.#queue.cancelAll();
      }
    }
    return this.#queue;
  }

  add(slot: number, request: CoreRequest): void {
    this.#added.push({ slot, request, cancelled: false });
  }

  turn(): number {
    if (this.#added.length === 0 && (this.#queue === undefined || this.#queue.inFlight === 0)) {
      return 0;
    }
    const before = this.size;
    if (this.#added.length > 0) {
      this.#submit();
    }
    this.#queue?.turn(false, false);
    this.#settle();
    return before - this.size;
  }

  /** Give the queue what was added. */
  #submit(): void {
    const added = this.#added;
    this.#added = [];
    for (const { slot, request, cancelled } of added) {
      if (cancelled) {
        this.#complete(slot, -ERRNO.EINTR!);
        continue;
      }
      let queue;
      try {
        queue = this.#open();
      } catch (error) {
        if (!(error instanceof NativeOpenError)) {
          throw error;
        }
        this.#complete(slot, -error.errno);
        continue;
      }
      queue.push(slot, request);
    }
  }

  /** What nobody waits for any more keeps no process alive. */
  #settle(): void {
    if (this.#parked !== undefined && !this.#woken && this.#queue!.inFlight === 0) {
      this.#woken = true;
      this.#queue!.wake();
    }
  }

  arm(): boolean {
    const queue = this.#queue;
    if (this.#added.length > 0) {
      return false;
    }
    if (queue === undefined || queue.inFlight === 0) {
      return true;
    }
    // Arming takes back what was written to wake a parked call: let it return first
    if (this.#woken || !queue.turn(true, false)) {
      this.#settle();
      return false;
    }
    this.#parked ??= this.#park(queue);
    return true;
  }

  async #park(queue: NativeBackend): Promise<void> {
    await queue.park();
    this.#parked = undefined;
    this.#woken = false;
    this.#wake();
  }

  cancel(slot: number): boolean {
    const added = this.#added.find((added) => added.slot === slot);
    if (added !== undefined) {
      const cancels = !added.cancelled;
      added.cancelled = true;
      return cancels;
    }
    return this.#queue?.cancel(slot) ?? false;
  }

  cancelAll(): void {
    this.#cancelled = true;
    for (const added of this.#added) {
      added.cancelled = true;
    }
    this.#queue?.cancelAll();
  }

  resize(depth: number): void {
    this.#queue?.resize(depth);
    this.#depth = depth;
  }

  unload(): void {
    this.#closed = true;
    this.#queue?.unload();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#parked !== undefined) {
      this.#woken = true;
      this.#queue!.wake();
      await this.#parked;
    }
    this.#queue?.close();
    this.#queue = undefined;
  }
}
