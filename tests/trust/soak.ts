// Copyright 2026 the ioq authors. MIT license.

/**
 * The soak test: millions of random requests, each of which must complete exactly
 * once, with the outcome that the model (`soak_world.ts`) knows.
 *
 * A run is a series of queues, each of another depth (one of 1 has a submission
 * queue of one entry) and another end: drained, cancelled, or closed in the middle.
 * When it has nothing to do, its depth may change.
 * Requests go through the stream and as promises, are cancelled and aborted, and
 * are pushed against a full queue. After each queue the descriptors that are left
 * must be those that the model has open.
 *
 * All decisions come from the seed, which is printed. They also depend on which
 * completions have come, so that a run repeats as far as the machine's timing does.
 *
 * `deno task soak [requests] [seed]` runs it on every backend.
 */

import { assert, assertEquals } from "@std/assert";
import { type Completion, type Ioq, type IoqRequest, op } from "../../mod.ts";
import { toCoreRequest } from "../../src/operations/request.ts";
import { type OpenQueue, rows } from "../backends.ts";
import { descriptorsUnder, newSeed, randomFrom } from "../fixtures.ts";
import { type Outcome, type Task, World } from "./soak_world.ts";

/** What a run came to. */
export interface SoakFigures {
  queues: number;
  requests: number;
  succeeded: number;
  failed: number;
  interrupted: number;
  aborted: number;
  /** That had so much time and no more. */
  timedOut: number;
  /** That the backend cannot do, and said so. */
  unsupported: number;
  refused: number;
  /** Cancellations that were accepted. */
  cancelled: number;
  /** Queues that were closed with requests in flight. */
  closedInFlight: number;
  /** Changes of a queue's depth. */
  resized: number;
}

const DEPTHS = [1, 2, 3, 8, 64, 256, 1024];
/** How many of those that may be late have no more than a millisecond. */
const LIMITED = 0.02;
/** How often a queue changes its depth when there is a chance. */
const RESIZED = 0.05;
/** Requests without arguments, of which there is one each. */
const SHARED: ReadonlySet<IoqRequest> = new Set([op.nop(), op.kernelNop(), op.receive()]);
/** Milliseconds without any progress after which it hangs. */
const HANG_MS = 30_000;

/** A request that was accepted, or waits in line, and is not over. */
interface Pending {
  readonly task: Task;
  cancelled: boolean;
  /** Whether it has so much time and no more. */
  limited: boolean;
  over: boolean;
}

/** One queue's life. */
class Life {
  readonly #ioq: Ioq<Pending>;
  readonly #world: World;
  readonly #random: () => number;
  readonly #figures: SoakFigures;
  /** The stream's, by id. */
  readonly #stream = new Map<number, Pending>();
  /** Ids that were given out, the last ones. */
  readonly #recent: number[] = [];
  /** Promise forms that have not settled. */
  readonly #promises = new Set<Promise<void>>();
  /** Calls of ready() that have not resolved. */
  #readying = 0;
  readonly #abortable: { controller: AbortController; pending: Pending; settled: boolean }[] = [];
  /** From now on whatever is pending may be interrupted. */
  #cancelledAll = false;
  #failure: unknown;

  constructor(ioq: Ioq<Pending>, world: World, random: () => number, figures: SoakFigures) {
    this.#ioq = ioq;
    this.#world = world;
    this.#random = random;
    this.#figures = figures;
  }

  /** What is over must be over once. */
  #end(pending: Pending, outcome: Outcome | undefined): void {
    if (outcome === undefined) {
      pending.task.doubt();
    } else if (outcome.ok) {
      this.#figures.succeeded++;
      pending.task.check(outcome);
    } else if (pending.limited && outcome.error instanceof Deno.errors.TimedOut) {
      this.#figures.timedOut++;
      pending.task.doubt();
    } else if (outcome.error instanceof Deno.errors.Interrupted) {
      assert(
        pending.cancelled || this.#cancelledAll,
        `${pending.task.request.op} was not cancelled: ${outcome.error}`,
      );
      this.#figures.interrupted++;
      pending.task.doubt();
    } else if (
      this.#ioq.backend.kind === "worker" && outcome.error instanceof Deno.errors.NotSupported
    ) {
      this.#figures.unsupported++;
      pending.task.doubt();
    } else {
      this.#figures.failed++;
      pending.task.check(outcome);
    }
    assertEquals(pending.over, false, `${pending.task.request.op} is over again`);
    pending.over = true;
    pending.task.end();
  }

  #submit(task: Task): void {
    const ioq = this.#ioq;
    // One that is too late may still be running when the stream says so
    const limited = task.isFree === true && this.#random() < LIMITED;
    const pending = { task, cancelled: false, limited, over: false };
    const timeoutMs = limited ? this.#random() : Infinity;
    const id = ioq.submit(task.request, pending, limited ? { timeoutMs } : undefined);
    assertEquals(this.#stream.has(id), false, `id ${id} is in use`);
    this.#stream.set(id, pending);
    this.#recent.push(id);
    if (this.#recent.length > 256) {
      this.#recent.splice(0, 128);
    }
    this.#figures.requests++;
  }

  #take(completion: Completion<Pending>): void {
    const pending = this.#stream.get(completion.id);
    if (pending === undefined) {
      throw new Error(`id ${completion.id} came back unasked`);
    }
    this.#stream.delete(completion.id);
    assertEquals(completion.data, pending);
    assertEquals(completion.op, pending.task.request.op);
    this.#end(pending, completion);
  }

  /** A promise form, perhaps with a signal. */
  #run(task: Task): void {
    this.#figures.requests++;
    const pending = { task, cancelled: false, limited: false, over: false };
    let settled = false;
    let outcome: Outcome | undefined;
    // One that has no arguments is one for all, and there is nothing to wait for
    const isShared = SHARED.has(task.request);
    let ended = isShared;
    const entry = { controller: new AbortController(), pending, settled: false };
    // As an open file learns that nothing is at its descriptor any more
    if (!isShared) {
      toCoreRequest(task.request).holder = {
        leave: () => {
          assertEquals(ended, false, `${task.request.op} ended twice`);
          ended = true;
          if (settled) {
            // It was aborted, and only now is it over
            this.#guard(() => this.#end(pending, outcome));
          }
        },
      };
    }
    const options: { signal?: AbortSignal; timeoutMs?: number } = {};
    // A close that is aborted while it waits in line is none
    const closes = task.request.op === "close" || task.request.op === "closeDir";
    if (!closes && this.#random() < 0.4) {
      options.signal = entry.controller.signal;
      this.#abortable.push(entry);
      if (this.#random() < 0.02) {
        entry.controller.abort("before");
        pending.cancelled = true;
      }
    }
    if (!closes && this.#random() < LIMITED) {
      options.timeoutMs = this.#random();
      pending.limited = true;
    }
    const settle = (result: Outcome | undefined) => {
      settled = true;
      entry.settled = true;
      outcome = result;
      if (ended) {
        this.#guard(() => this.#end(pending, outcome));
      } else {
        assert(result === undefined, `${task.request.op} settled before it was over`);
      }
    };
    const promise: Promise<void> = this.#ioq.run(task.request as IoqRequest, options).then(
      (value) => settle({ ok: true, value }),
      (error) => {
        if (options.signal?.aborted && !(error instanceof Error)) {
          assertEquals(error, options.signal.reason);
          this.#figures.aborted++;
          settle(undefined);
        } else if (pending.limited && error instanceof Deno.errors.TimedOut) {
          this.#figures.timedOut++;
          settle(undefined);
        } else {
          settle({ ok: false, error });
        }
      },
    ).catch((error) => {
      this.#failure ??= error;
    }).finally(() => this.#promises.delete(promise));
    this.#promises.add(promise);
  }

  /** What throws where nobody catches it fails the run. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#failure ??= error;
    }
  }

  #abort(): void {
    const at = Math.floor(this.#random() * this.#abortable.length);
    const [entry] = this.#abortable.splice(at, 1);
    if (entry !== undefined) {
      entry.pending.cancelled = true;
      entry.controller.abort("aborted");
    }
    if (this.#abortable.length > 64) {
      // Most have settled long since
      this.#abortable.splice(0, 32);
    }
  }

  #cancel(): void {
    const id = this.#recent[Math.floor(this.#random() * this.#recent.length)];
    if (id !== undefined && this.#ioq.cancel(id)) {
      const pending = this.#stream.get(id);
      if (pending === undefined) {
        throw new Error(`id ${id} was consumed, and yet cancelled`);
      }
      pending.cancelled = true;
      this.#figures.cancelled++;
    }
  }

  #check(): void {
    const ioq = this.#ioq;
    assertEquals(ioq.size + ioq.capacity, ioq.depth);
    assert(ioq.size >= this.#stream.size);
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }

  /** Requests until the queue is full or enough were made. */
  #produce(most: number): void {
    const ioq = this.#ioq;
    const world = this.#world;
    for (let i = 0; i < most; i++) {
      if (this.#random() < 0.3 && this.#promises.size < 2 * ioq.depth + 4) {
        this.#run(world.pick());
      } else if (ioq.capacity > 0) {
        this.#submit(world.pick());
      } else {
        let refused = false;
        try {
          this.#submit({ request: op.nop(), check() {}, doubt() {}, end() {} });
        } catch (error) {
          refused = error instanceof Deno.errors.WouldBlock;
        }
        assert(refused, "a full queue accepts");
        this.#figures.refused++;
        return;
      }
      const way = this.#random();
      if (way < 0.03) {
        this.#cancel();
      } else if (way < 0.06) {
        this.#abort();
      }
    }
  }

  /** Take some of what is there, waiting or not. */
  async #consume(iterators: AsyncIterableIterator<unknown>[]): Promise<void> {
    const ioq = this.#ioq;
    const way = this.#random();
    const [one, batches] = iterators as [
      AsyncIterableIterator<Completion<Pending>>,
      AsyncIterableIterator<Completion<Pending>[]>,
    ];
    if (way < 0.3) {
      for (let completion; (completion = ioq.poll()) !== undefined;) {
        this.#take(completion);
        if (this.#random() < 0.05) {
          break;
        }
      }
    } else if (this.#stream.size === 0) {
      this.#readying++;
      const ready = ioq.ready(ioq.depth).finally(() => this.#readying--);
      await Promise.race([...this.#promises, ready]);
    } else if (way < 0.5) {
      const { done, value } = await one.next();
      assertEquals(done, false);
      this.#take(value);
    } else if (way < 0.9) {
      const { done, value } = await batches.next();
      assertEquals(done, false);
      value.forEach((completion: Completion<Pending>) => this.#take(completion));
    } else if (way < 0.95) {
      let hasRoom = false;
      const room = ioq.ready(1).then(() => hasRoom = true);
      while (!hasRoom) {
        for (let completion; (completion = ioq.poll()) !== undefined;) {
          this.#take(completion);
        }
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      await room;
    } else {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** Consume whatever comes until nothing is left. */
  async #drain(): Promise<void> {
    for await (const batch of this.#ioq.batches()) {
      batch.forEach((completion) => this.#take(completion));
    }
    await Promise.all(this.#promises);
  }

  /** Another depth, if nothing is in flight; that is refused otherwise. */
  #resize(): void {
    const ioq = this.#ioq;
    const depth = DEPTHS[Math.floor(this.#random() * DEPTHS.length)]!;
    const { size } = ioq;
    // Promise forms may wait in line while nothing is in use, as may ready()
    const waiting = this.#promises.size + this.#readying;
    try {
      ioq.resize(depth);
    } catch (error) {
      if (ioq.backend.kind === "worker" && error instanceof Deno.errors.NotSupported) {
        return;
      }
      assert(
        error instanceof Deno.errors.Busy && size + waiting > 0,
        `${size} in use, ${waiting} waiting: ${error}`,
      );
      return;
    }
    assertEquals([size, ioq.depth, ioq.capacity], [0, depth, depth]);
    // Ids go by the depth
    this.#recent.length = 0;
    this.#figures.resized++;
  }

  /** Live, and come to an end. */
  async run(requests: number): Promise<void> {
    const ioq = this.#ioq;
    const end = this.#figures.requests + requests;
    const iterators = [ioq[Symbol.asyncIterator](), ioq.batches()];
    while (this.#figures.requests < end) {
      this.#produce(1 + Math.floor(this.#random() * Math.min(2 * ioq.depth, 200)));
      this.#check();
      await this.#consume(iterators);
      this.#check();
      if (this.#random() < RESIZED) {
        this.#resize();
        await this.#drain();
        this.#resize();
        this.#check();
      }
    }

    const way = this.#random();
    if (way < 0.6) {
      this.#cancelledAll = true;
      if (way < 0.3) {
        if (ioq.size > 0) {
          this.#figures.closedInFlight++;
        }
        await ioq.close();
      } else {
        ioq.cancelAll();
      }
    }
    await this.#drain();
    await ioq.close();
    this.#check();
    assertEquals([this.#stream.size, this.#promises.size, ioq.size], [0, 0, 0]);
  }
}

/** The queue's id, 0 if its backend has no messages. */
function queueId(ioq: Ioq<Pending>): number {
  try {
    return ioq.id;
  } catch (error) {
    if (error instanceof Deno.errors.NotSupported) {
      return 0;
    }
    throw error;
  }
}

/**
 * Run so many requests.
 *
 * @param open Opens a queue.
 * @param seed Where all decisions come from.
 * @param requests How many.
 */
export async function soak(open: OpenQueue, seed: number, requests: number): Promise<SoakFigures> {
  const random = randomFrom(seed);
  using world = new World(random);
  const figures: SoakFigures = {
    queues: 0,
    requests: 0,
    succeeded: 0,
    failed: 0,
    interrupted: 0,
    aborted: 0,
    timedOut: 0,
    unsupported: 0,
    refused: 0,
    cancelled: 0,
    closedInFlight: 0,
    resized: 0,
  };

  let before = -1;
  let watch: ReturnType<typeof setInterval> | undefined;
  const hang = new Promise<never>((_, reject) => {
    watch = setInterval(() => {
      const now = figures.queues + figures.requests + figures.succeeded + figures.interrupted;
      if (now === before) {
        reject(new Error(`it hangs: ${JSON.stringify(figures)}`));
      }
      before = now;
    }, HANG_MS);
  });
  const run = async () => {
    while (figures.requests < requests) {
      const depth = DEPTHS[Math.floor(random() * DEPTHS.length)]!;
      const ioq = await open<Pending>({ depth });
      const readWrite = { read: true, write: true };
      const dataFd = await ioq.run(op.open(world.dir.at("data"), readWrite));
      // What waits for a pipe can be interrupted by the library alone, and on a thread
      // that is not the queue's own; messages are the library's as well
      const id = queueId(ioq);
      const mayWait = id !== 0 && ioq.backend.lanes > 0;
      const pipeFd = mayWait ? await ioq.run(op.open(world.dir.at("pipe"), readWrite)) : -1;
      world.begin(dataFd, pipeFd, id);
      // Two queues at the least, also in a short run
      const most = Math.min(
        Math.ceil(requests / 2),
        requests - figures.requests,
        depth < 8 ? 2000 : 20_000,
      );
      const life = new Life(ioq, world, random, figures);
      await life.run(1 + Math.floor(random() * most));
      figures.queues++;
      world.begin(-1, -1, 0);
      if (ioq.backend.kind === "worker" && descriptorsUnder(world.dir.path) === 0) {
        // Web Workers without the library take what they have opened with them
        world.forgetDescriptors();
        continue;
      }
      // What the model has open, and what it was written through
      assertEquals(descriptorsUnder(world.dir.path), world.openCount + (mayWait ? 2 : 1));
      await using closer = await open({ depth: 8 });
      await closer.run(op.close(dataFd));
      if (mayWait) {
        await closer.run(op.close(pipeFd));
      }
      for (let task; (task = world.pickClose()) !== undefined;) {
        task.check({ ok: true, value: await closer.run(task.request) });
      }
      assertEquals(descriptorsUnder(world.dir.path), 0);
    }
  };
  try {
    await Promise.race([run(), hang]);
  } catch (error) {
    throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  } finally {
    clearInterval(watch);
  }
  return figures;
}

if (import.meta.main) {
  const [requests = 10_000_000, seed = newSeed()] = Deno.args.map(Number);
  if (Deno.args.length > 2 || !(requests > 0) || !Number.isSafeInteger(requests + seed)) {
    console.error("usage: deno task soak [requests] [seed]");
    Deno.exit(2);
  }
  const here = rows.filter(([, cannot]) => cannot === undefined);
  for (const [row, cannot] of rows) {
    if (cannot !== undefined) {
      console.log(`${row.name}: skipped: ${cannot}`);
    }
  }
  let sum = 0;
  for (const [i, [row, , open]] of here.entries()) {
    const share = Math.ceil(requests / here.length);
    console.log(`${row.name}: ${share} requests, seed ${seed + i}`);
    const start = performance.now();
    const figures = await soak(open, seed + i, share);
    sum += figures.requests;
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.log(`  ${JSON.stringify(figures).replaceAll('"', "")}, ${seconds} s`);
  }
  console.log(`${sum} requests, each completed once`);
}
