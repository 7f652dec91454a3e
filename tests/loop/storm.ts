// Copyright 2026 the ioq authors. MIT license.

/**
 * A storm over the event loop: tasks of this thread and of eight Workers that do
 * everything at once, are cancelled at any moment, fail, compute, and take their Worker
 * with them. What must hold all the same is known beforehand:
 *
 * - each future settles, by an end that its task can have;
 * - a lock's two words are equal whenever somebody has it; there are never more permits
 *   out than there are; a token is made once and taken once; a queue hands on each value
 *   that was accepted once, and no other;
 * - afterwards every lock can be had, every permit is there, and the loop closes.
 *
 * The seed decides what each task does, not when: it is printed. As a program it goes on
 * for so many seconds: `deno task storm [seconds] [seed]`.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  Canceled,
  Condition,
  EventLoop,
  type Future,
  type Io,
  Mutex,
  Queue,
  ResetEvent,
  Semaphore,
  SharedCondition,
  SharedMutex,
  SharedResetEvent,
  SharedSemaphore,
} from "@ioq/ioq/loop";
import type { Ioq } from "../../mod.ts";
import { rows } from "../backends.ts";
import { newSeed, randomFrom, sleep, within } from "../fixtures.ts";
import {
  compute,
  ENDS,
  HELD,
  MADE,
  PERMITS,
  type Shared,
  sharedStep,
  TAKEN,
  THERE,
  TWIN_A,
  TWIN_B,
  WORDS,
} from "./modules/storm_task.ts";

/** How much of a storm. */
export interface StormOptions {
  /** Tasks of this thread. */
  readonly tasks: number;
  /** Tasks in Workers. */
  readonly workerTasks: number;
  /** The most Workers. */
  readonly workers: number;
}

const STORM_TASK = new URL("./modules/storm_task.ts", import.meta.url);
/** Only a hang reaches this. */
const HANG_MS = 60_000;

/** What the tasks of this thread share. */
class World {
  readonly mutex = new Mutex();
  readonly condition = new Condition();
  readonly semaphore = new Semaphore(PERMITS);
  readonly event = new ResetEvent();
  readonly queue: Queue<number>;
  readonly accepted = new Set<number>();
  readonly taken = new Set<number>();
  readonly shared: Shared = {
    mutex: new SharedMutex().buffer,
    condition: new SharedCondition().buffer,
    semaphore: new SharedSemaphore(PERMITS).buffer,
    event: new SharedResetEvent().buffer,
    words: new Int32Array(new SharedArrayBuffer(4 * WORDS)),
  };
  inside = 0;
  holders = 0;
  next = 0;
  readonly futures: Future<unknown>[] = [];

  constructor(readonly loop: EventLoop, readonly random: () => number) {
    this.queue = new Queue(Math.floor(random() * 4));
  }

  /** One step of a task of this thread. */
  async step(io: Io): Promise<void> {
    const { random } = this;
    const ms = random() * 10;
    switch (Math.floor(random() * 14)) {
      case 0:
        await io.nop();
        break;
      case 1:
        await io.sleep(ms);
        break;
      case 2:
        assert((await io.stat("/")).isDirectory);
        break;
      case 3: {
        using _guard = await this.mutex.acquire(io);
        assertEquals(this.inside++, 0);
        await io.nop().finally(() => this.inside--);
        break;
      }
      case 4: {
        using _permit = await this.semaphore.acquire(io);
        assert(this.holders++ < PERMITS);
        await io.nop().finally(() => this.holders--);
        break;
      }
      case 5: {
        const value = this.next++;
        await io.timeout(ms, async (io) => {
          await this.queue.put(io, value);
          this.accepted.add(value);
        });
        break;
      }
      case 6:
        await io.timeout(ms, async (io) => {
          const value = await this.queue.take(io);
          assert(!this.taken.has(value), `${value} was taken twice`);
          this.taken.add(value);
        });
        break;
      case 7:
        await io.timeout(ms, (io) => io.sleep(random() * 20));
        break;
      case 8:
        await this.group(io);
        break;
      case 9: {
        if (this.futures.length === 0) {
          // The very first task, which is not known yet
          break;
        }
        const some = [1, 2, 3].map(() => this.any());
        await io.timeout(ms, (io) => io.await(this.loop.select(some)));
        break;
      }
      case 10:
        await io.uncancelable((io) => io.sleep(random()));
        break;
      case 11:
        await io.timeout(ms, async (io) => {
          using _guard = await this.mutex.acquire(io);
          if (random() < 0.5) {
            this.condition.broadcast();
          } else {
            await this.condition.wait(io, this.mutex);
          }
        });
        break;
      case 12:
        if (random() < 0.5) {
          this.event.set();
          this.event.reset();
        } else {
          await io.timeout(ms, (io) => this.event.wait(io));
        }
        break;
      default:
        await sharedStep(io, this.shared, random);
    }
    if (random() < 0.02) {
      compute(random() * 3);
    }
  }

  async group(io: Io): Promise<void> {
    await using group = io.group();
    const count = 1 + Math.floor(this.random() * 4);
    for (let i = 0; i < count; i++) {
      group.async((io) => io.sleep(this.random() * 5));
    }
    if (this.random() < 0.3) {
      group.async(() => Promise.reject(new RangeError("storm")));
    }
    await group.wait();
  }

  /** A task of this thread. */
  async task(io: Io): Promise<void> {
    const steps = 1 + Math.floor(this.random() * 6);
    for (let i = 0; i < steps; i++) {
      try {
        await this.step(io);
      } catch (error) {
        if (error instanceof Deno.errors.TimedOut) {
          continue;
        }
        if (!(error instanceof Canceled) || this.random() < 0.6) {
          throw error;
        }
        if (this.random() < 0.5) {
          io.recancel();
        }
      }
    }
  }

  /** Any task that was started. */
  any(): Future<unknown> {
    return this.futures[Math.floor(this.random() * this.futures.length)]!;
  }
}

/** Whether a task may end by an error. */
function isExpected(error: unknown): boolean {
  if (error instanceof AggregateError) {
    return error.errors.every(isExpected);
  }
  if (error instanceof Canceled || typeof error === "string") {
    return true;
  }
  return error instanceof Error &&
    (error.message === "storm" || error.message.startsWith("The Worker died") ||
      error.name === "DataCloneError" || error.name === "MutexAbandoned");
}

/** One storm. */
export async function storm(ioq: Ioq, seed: number, options: StormOptions): Promise<void> {
  const random = randomFrom(seed);
  const loop = new EventLoop(ioq, { workers: options.workers, workerIdleMs: 200 });
  const world = new World(loop, random);
  const { futures, shared } = world;
  let [left, leftInWorkers] = [options.tasks, options.workerTasks];
  while (left + leftInWorkers > 0) {
    if (random() * (left + leftInWorkers) < left) {
      left--;
      futures.push(loop.async((io) => world.task(io)));
    } else {
      leftInWorkers--;
      const end = random() < 0.7 ? ENDS[0] : ENDS[Math.floor(random() * ENDS.length)]!;
      const steps = 1 + Math.floor(random() * 5);
      const args = [Math.floor(random() * 2 ** 31), steps, end, shared];
      futures.push(loop.concurrent(STORM_TASK, args));
    }
    // Whoever fails before somebody looks is looked at below
    futures.at(-1)!.catch(() => {});
    if (random() < 0.15) {
      world.any().cancel();
    }
    if (random() < 0.1) {
      await sleep(random() * 3);
    }
  }
  const ends = await within(HANG_MS, Promise.allSettled(futures), "the tasks");
  for (const end of ends) {
    assert(
      end.status === "fulfilled" || isExpected(end.reason),
      end.status === "rejected" ? end.reason : "",
    );
  }
  assertEquals(loop.running, 0);
  await within(HANG_MS, afterwards(world), "what is left");
  await within(HANG_MS, loop.close(), "close()");
}

/** Everything is at rest, and as it was. */
async function afterwards(world: World): Promise<void> {
  const { loop, queue, accepted, taken, shared } = world;
  assertEquals([world.mutex.locked, world.semaphore.available], [false, PERMITS]);
  for (let value = queue.tryTake(); value !== undefined; value = queue.tryTake()) {
    assert(!taken.has(value));
    taken.add(value);
  }
  assertEquals(taken, accepted);
  const { words } = shared;
  await loop.async(async (io) => {
    const mutex = new SharedMutex(shared.mutex);
    const recover = () => {
      words[TWIN_B] = words[TWIN_A]!;
      words[THERE] = words[MADE]! - words[TAKEN]!;
    };
    using _guard = await mutex.acquire(io, { recover });
    assertEquals(words[TWIN_A], words[TWIN_B]);
    assertEquals(words[MADE]! - words[TAKEN]!, words[THERE]);
  });
  // Permits of Workers that ended at once are theirs for good
  const { available } = new SharedSemaphore(shared.semaphore);
  assert(available <= PERMITS && available + words[HELD]! <= PERMITS, `${available} permits`);
}

if (import.meta.main) {
  const [seconds = "60", first] = Deno.args;
  const end = performance.now() + Number(seconds) * 1000;
  let seed = first === undefined ? newSeed() : Number(first);
  let storms = 0;
  while (performance.now() < end) {
    for (const [row, reason, open] of rows) {
      if (reason === undefined) {
        console.log(`seed ${seed} on ${row.name}`);
        await using ioq = await open();
        await storm(ioq, seed, { tasks: 300, workerTasks: 100, workers: 8 });
        storms++;
      }
    }
    seed++;
  }
  console.log(`${storms} storms, and all is as it was`);
}
