// Copyright 2026 the ioq authors. MIT license.

/**
 * Which way a call goes: to the function that it would have gone to, or through a queue.
 *
 * A queue costs some 20 ms before its first result, for its modules, the library and a ring, and
 * as much again until its code is warm. A program that makes few calls, or one after the
 * other, would lose by that. So nothing is loaded before many calls have crowded, which is as
 * soon as they are made. The runtime has 32 threads; what they are not at waits here, and so
 * can go through the queue once it is open:
 *
 *     calls ──▶ runtime             at first, and for ever if they are few
 *          └──▶ wait                what the runtime has no threads for
 *     calls ──▶ queue               once it is open, lone calls as well, since an
 *                                   open queue is as fast with those
 *
 * Without a ring and without worker threads, calls go on as they did.
 *
 * @module
 */

import { requireDescriptors } from "../late.ts";
import { readVariable } from "./options.ts";
import type { Ioq } from "../ioq.ts";

/**
 * Calls into a crowd after which the queue is opened, by what they weigh: the runtime is at them for
 * some 150 ms. Whoever makes so many may well make as many again, and opening and warming up
 * takes less than half of that.
 */
const WORTH_OPENING = 12_000;
/** What calls in flight weigh that are a crowd, so that a queue would be faster. */
const CROWD = 4;
/** What it weighs to read a directory, which is as much work as so many other calls. */
export const LISTING = 12;
/** Calls that keep all threads of the runtime's busy; others wait. */
const RUNTIME_DEPTH = 64;

/** What a gate tells when it is asked to. */
export type Tell = (message: string) => void;

/** Decides which way each call goes. */
export class Gate {
  readonly #tell: Tell;
  #ioq: Ioq | undefined;
  #opening: Promise<void> | undefined;
  /** Whether there is no queue that is worth it. */
  #isShut = false;
  /** Calls that the runtime is at. */
  #inFlight = 0;
  /** What they weigh. */
  #weight = 0;
  /** What calls weigh that were made into a crowd. */
  #crowded = 0;
  /** Calls that wait for the queue; those before `#next` have gone. */
  #waiting: (() => void)[] = [];
  #next = 0;

  /** @param tell Where it says what it does. */
  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** The queue, if it is open. */
  get ioq(): Ioq | undefined {
    return this.#ioq;
  }

  /**
   * Make a call, one way or the other.
   *
   * @param mayWait Whether it means the same a little later: not if there is a relative path, or
   *        something that its caller may change.
   * @param plain Makes it as it would have been made.
   * @param queued Makes it through the queue.
   * @param weight How much work it is.
   */
  call<V>(
    mayWait: boolean,
    plain: () => Promise<V>,
    queued: (ioq: Ioq) => Promise<V>,
    weight = 1,
  ): Promise<V> {
    const ioq = this.#ioq;
    if (ioq !== undefined) {
      return queued(ioq);
    }
    return this.#isShut ? plain() : this.#callPlain(mayWait, plain, queued, weight);
  }

  /** Make a call while there is no queue. */
  async #callPlain<V>(
    mayWait: boolean,
    plain: () => Promise<V>,
    queued: (ioq: Ioq) => Promise<V>,
    weight: number,
  ): Promise<V> {
    if (this.#opening === undefined && this.#weight >= CROWD) {
      this.#crowded += weight;
      if (this.#crowded >= WORTH_OPENING) {
        void this.open();
      }
    }
    if (mayWait && this.#inFlight >= RUNTIME_DEPTH) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      if (this.#ioq !== undefined) {
        return await queued(this.#ioq);
      }
    }
    this.#inFlight++;
    this.#weight += weight;
    try {
      return await plain();
    } finally {
      this.#inFlight--;
      this.#weight -= weight;
      this.#admit(1);
    }
  }

  /** Let so many go on that wait. */
  #admit(count: number): void {
    const end = Math.min(this.#waiting.length, this.#next + count);
    while (this.#next < end) {
      this.#waiting[this.#next++]!();
    }
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    }
  }

  /** Open the queue, unless that was tried before. Never rejects. */
  open(): Promise<void> {
    return this.#opening ??= this.#open();
  }

  async #open(): Promise<void> {
    try {
      this.#ioq = await openQueue();
      this.#tell(`calls go through a queue from now on (${this.#ioq.backend.kind})`);
    } catch (error) {
      this.#isShut = true;
      this.#tell(`calls go on as they did: ${error instanceof Error ? error.message : error}`);
    }
    this.#admit(Infinity);
  }

  /** Have all calls go as they did, and close the queue. */
  async shut(): Promise<void> {
    this.#isShut = true;
    await this.#opening;
    const ioq = this.#ioq;
    this.#ioq = undefined;
    await ioq?.close();
  }
}

/**
 * Open a queue that is faster than the runtime: Workers are not.
 *
 * @throws {Deno.errors.NotSupported} If there is none.
 */
async function openQueue(): Promise<Ioq> {
  const chosen = readVariable("IOQ_BACKEND") ?? "auto";
  const { Ioq } = await importQueue();
  if (chosen === "worker") {
    throw new Deno.errors.NotSupported("IOQ_BACKEND asks for Workers, which are not faster");
  }
  if (chosen !== "threads") {
    try {
      return await Ioq.open({ backend: "uring" });
    } catch (error) {
      if (chosen === "uring" || !(error instanceof Deno.errors.NotSupported)) {
        throw error;
      }
    }
  }
  return await Ioq.open({ backend: "threads" });
}

/**
 * Where the queue is. Not a literal in `import()`: what those name, and all that it needs, the
 * runtime reads before a program begins, which takes it some 15 ms.
 */
const QUEUE: string = "../ioq.ts";

/**
 * Import the queue.
 *
 * @throws {Deno.errors.NotSupported} If its modules may not be had without asking.
 */
async function importQueue(): Promise<typeof import("../ioq.ts")> {
  const { protocol, hostname, port, pathname } = new URL("../../", import.meta.url);
  const { state } = Deno.permissions.querySync(
    protocol === "file:"
      ? { name: "read", path: decodeURIComponent(pathname) }
      : { name: "import", host: `${hostname}:${port || (protocol === "https:" ? 443 : 80)}` },
  );
  if (state !== "granted") {
    throw new Deno.errors.NotSupported("the modules of the queue may not be loaded");
  }
  requireDescriptors(1, "open a queue");
  return await import(QUEUE);
}
