// Copyright 2026 the ioq authors. MIT license.

/** A task of the storm in a Worker: takes turns with others, and ends in some way. */

import {
  Canceled,
  type Io,
  MutexAbandoned,
  SharedCondition,
  SharedMutex,
  SharedResetEvent,
  SharedSemaphore,
} from "@ioq/ioq/loop";
import { randomFrom } from "../../fixtures.ts";

/** What all threads share. */
export interface Shared {
  readonly mutex: SharedArrayBuffer;
  readonly condition: SharedArrayBuffer;
  readonly semaphore: SharedArrayBuffer;
  readonly event: SharedArrayBuffer;
  /** See below. */
  readonly words: Int32Array<SharedArrayBuffer>;
}

/** In `words`: equal whenever nobody has the lock. */
export const [TWIN_A, TWIN_B] = [0, 1];
/** Tokens made, tokens taken, tokens there: the condition is about these. */
export const [MADE, TAKEN, THERE] = [2, 3, 4];
/** Permits that somebody has. */
export const HELD = 5;
/** How many words. */
export const WORDS = 6;

/** Tasks that have a permit never meet more of them. */
export const PERMITS = 3;

/** How a Worker's task may end. */
export const ENDS = [
  "returns",
  "throws",
  "throws a function",
  "returns a function",
  "strays",
  "exits",
  "closes",
] as const;

/** Whatever is broken is put right. */
function recover(words: Int32Array): void {
  words[TWIN_B] = words[TWIN_A]!;
  words[THERE] = words[MADE]! - words[TAKEN]!;
}

function check(holds: boolean, what: string): void {
  if (!holds) {
    throw new Error(`Broken: ${what}`);
  }
}

/** One step with what is shared; it waits no longer than some milliseconds. */
export async function sharedStep(io: Io, shared: Shared, random: () => number): Promise<void> {
  const { words } = shared;
  const mutex = new SharedMutex(shared.mutex);
  const lock = { recover: () => recover(words) };
  const ms = random() * 20;
  try {
    switch (Math.floor(random() * 6)) {
      case 0:
        await io.timeout(ms, async (io) => {
          using _guard = await mutex.acquire(io, lock);
          check(words[TWIN_A] === words[TWIN_B], "the lock");
          words[TWIN_A]!++;
          if (random() < 0.5) {
            await io.uncancelable((io) => io.nop());
          }
          words[TWIN_B]!++;
        });
        break;
      case 1:
        await io.timeout(ms, async (io) => {
          using _permit = await new SharedSemaphore(shared.semaphore).acquire(io);
          check(Atomics.add(words, HELD, 1) < PERMITS, "the permits");
          try {
            await io.sleep(random());
          } finally {
            Atomics.sub(words, HELD, 1);
          }
        });
        break;
      case 2:
        await io.timeout(ms, async (io) => {
          using _guard = await mutex.acquire(io, lock);
          words[MADE]!++;
          words[THERE]!++;
          new SharedCondition(shared.condition)[random() < 0.8 ? "signal" : "broadcast"]();
        });
        break;
      case 3:
        await io.timeout(ms, async (io) => {
          const condition = new SharedCondition(shared.condition);
          using _guard = await mutex.acquire(io, lock);
          while (words[THERE] === 0) {
            await condition.wait(io, mutex);
          }
          words[TAKEN]!++;
          words[THERE]!--;
        });
        break;
      case 4:
        await io.timeout(ms, (io) => new SharedResetEvent(shared.event).wait(io));
        break;
      default: {
        const event = new SharedResetEvent(shared.event);
        event.set();
        if (random() < 0.7) {
          event.reset();
        }
      }
    }
  } catch (error) {
    // A condition's lock may come back broken, and is put right by who takes it next
    if (!(error instanceof Deno.errors.TimedOut || error instanceof MutexAbandoned)) {
      throw error;
    }
  }
}

/** Keeps the thread busy. */
export function compute(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

/** Some steps, then an end. */
export default async function (
  io: Io,
  seed: number,
  steps: number,
  end: typeof ENDS[number],
  shared: Shared,
): Promise<unknown> {
  const random = randomFrom(seed);
  for (let i = 0; i < steps; i++) {
    try {
      await sharedStep(io, shared, random);
    } catch (error) {
      if (!(error instanceof Canceled) || random() < 0.5) {
        throw error;
      }
      io.recancel();
    }
    if (random() < 0.05) {
      compute(random() * 5);
    }
  }
  switch (end) {
    case "returns":
      return { seed };
    case "throws":
      throw Object.assign(new RangeError("storm"), { name: random() < 0.5 ? 404 : "Storm" });
    case "throws a function":
      throw () => {};
    case "returns a function":
      return () => {};
    case "strays":
      Promise.reject(new Error("storm"));
      return await io.sleep(1e6);
    case "exits":
      return Deno.exit(1);
    case "closes":
      self.close();
      return await new Promise(() => {});
  }
}
