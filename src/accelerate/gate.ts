// Copyright 2026 the ioq authors. MIT license.

/**
 * Which way a call goes: to the function that it would have gone to, or through a queue.
 *
 * A queue costs some 20 ms before its first result, for its modules, the library and a ring, and
 * as much again until its code is warm. A program that makes few calls, or one after the
 * other, would lose by that. So nothing is loaded before there is as much to do as that
 * takes, or calls have crowded for as long. The runtime has 32 threads; what they are not
 * at waits here, and so can go through the queue once it is open:
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

/** What calls weigh that the runtime is more than twice as long at as opening takes. */
const WORTH_OPENING = 6000;
/** What calls in flight weigh that are a crowd, so that a queue would be faster. */
const CROWD = 4;
/** Calls into a crowd after which the queue is opened, by what they weigh. */
const CROWDED_ENOUGH = 256;
/** Milliseconds that crowds have to have lasted as well: they may soon be over. */
const CROWDED_MS = 150;
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
  /** What those and the ones that wait weigh. */
  #backlog = 0;
  /** Calls that were made into a crowd. */
  #crowded = 0;
  /** Since when there is a crowd. */
  #since = 0;
  /** Milliseconds of crowds that have gone. */
  #crowdedMs = 0;
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
    this.#backlog += weight;
    if (this.#opening === undefined && this.#weight >= CROWD && this.#isWorthIt(weight)) {
      void this.open();
    }
    try {
      if (mayWait && this.#inFlight >= RUNTIME_DEPTH) {
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
        if (this.#ioq !== undefined) {
          return await queued(this.#ioq);
        }
      }
      this.#begin(weight);
      try {
        return await plain();
      } finally {
        this.#end(weight);
        this.#admit(1);
      }
    } finally {
      this.#backlog -= weight;
    }
  }

  /** The runtime is at a call. */
  #begin(weight: number): void {
    this.#inFlight++;
    const before = this.#weight;
    this.#weight += weight;
    if (before < CROWD && this.#weight >= CROWD) {
      this.#since = performance.now();
    }
  }

  /** It no longer is. */
  #end(weight: number): void {
    this.#inFlight--;
    const before = this.#weight;
    this.#weight -= weight;
    if (before >= CROWD && this.#weight < CROWD) {
      this.#crowdedMs += performance.now() - this.#since;
    }
  }

  /** A call was made into a crowd: whether a queue would have been of use. */
  #isWorthIt(weight: number): boolean {
    this.#crowded += weight;
    return this.#backlog >= WORTH_OPENING || (this.#crowded >= CROWDED_ENOUGH &&
      this.#crowdedMs + performance.now() - this.#since >= CROWDED_MS);
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
