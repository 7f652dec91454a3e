// Copyright 2026 the ioq authors. MIT license.

/**
 * The event loop: what a task costs beside a plain asynchronous function, a mutex
 * beside a chain of promises, a Worker's task beside a message to a Worker and back,
 * and what Workers gain in computing.
 *
 * @module
 */

import { EventLoop, Mutex } from "@ioq/ioq/loop";
import { type Case, peer, type Run, subject } from "../harness.ts";
import { sideBySide } from "../side_by_side.ts";
import { makeScratch } from "../scratch.ts";
import type { Goal, OpenSuite, Suite } from "../suite.ts";
import hashFile from "./loop/hash_file.ts";

const START = "start and await an empty task";
const MUTEX = "mutex, from task to task";
const WORKER = "to a Worker and back";
const HASH = "SHA-256 of files of 1 MiB";

const HASH_FILES = 64;
const HASH_LENGTH = 1024 * 1024;

// deno-lint-ignore require-await
async function empty(_: unknown): Promise<number> {
  return 1;
}

/** Start so many at a time, then await them. */
function startCase(loop: EventLoop, inFlight: number): Case {
  // Each written out: a loop shared by both would see both kinds of promises
  const task: Run = async (count) => {
    let sum = 0;
    if (inFlight === 1) {
      for (let i = 0; i < count; i++) {
        sum += await loop.async(empty);
      }
      return sum;
    }
    const batch = [];
    for (let i = 0; i < count;) {
      for (; batch.length < inFlight && i < count; i++) {
        batch.push(loop.async(empty));
      }
      for (const future of batch) {
        sum += await future;
      }
      batch.length = 0;
    }
    return sum;
  };
  const plain: Run = async (count) => {
    let sum = 0;
    if (inFlight === 1) {
      for (let i = 0; i < count; i++) {
        sum += await empty(i);
      }
      return sum;
    }
    const batch = [];
    for (let i = 0; i < count;) {
      for (; batch.length < inFlight && i < count; i++) {
        batch.push(empty(i));
      }
      for (const promise of batch) {
        sum += await promise;
      }
      batch.length = 0;
    }
    return sum;
  };
  return {
    group: START,
    inFlight,
    runners: [
      subject("loop.async", task),
      peer("async function", plain),
    ],
  };
}

/** A lock as it is often written: a chain of promises. */
class PromiseChain {
  #tail: Promise<void> = Promise.resolve();

  lock(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const ahead = this.#tail;
    this.#tail = ahead.then(() => promise);
    return ahead.then(() => resolve);
  }
}

function mutexCase(loop: EventLoop, inFlight: number): Case {
  const mutex: Run = async (count) => {
    const lock = new Mutex();
    let next = 0;
    let sum = 0;
    await Promise.all(Array.from({ length: inFlight }, () =>
      loop.async(async (io) => {
        while (next < count) {
          next++;
          await lock.lock(io);
          sum++;
          lock.unlock(io);
        }
      })));
    return sum;
  };
  const chain: Run = async (count) => {
    const lock = new PromiseChain();
    let next = 0;
    let sum = 0;
    await Promise.all(Array.from({ length: inFlight }, async () => {
      while (next < count) {
        next++;
        const unlock = await lock.lock();
        sum++;
        unlock();
      }
    }));
    return sum;
  };
  return {
    group: MUTEX,
    inFlight,
    runners: [
      subject("Mutex", mutex),
      peer("chain of promises", chain),
    ],
  };
}

function workerCase(loop: EventLoop, worker: Worker): Case {
  const through = (module: URL, kind: "concurrent" | "offload"): Run => async (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += await loop[kind]<number>(module, [i]);
    }
    return sum;
  };
  const messages: Run = async (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += await new Promise<number>((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage(i);
      });
    }
    return sum;
  };
  return {
    group: WORKER,
    inFlight: 1,
    runners: [
      subject(
        "loop.concurrent",
        through(new URL("./loop/echo_task.ts", import.meta.url), "concurrent"),
      ),
      subject("loop.offload", through(new URL("./loop/echo.ts", import.meta.url), "offload")),
      peer("postMessage", messages),
    ],
  };
}

function hashCase(loop: EventLoop, paths: readonly string[], inFlight: number): Case {
  const module = new URL("./loop/hash_file.ts", import.meta.url);
  const offloaded: Run = async (count) => {
    let next = 0;
    return await sideBySide(inFlight, async () => {
      let sum = 0;
      while (next < count) {
        sum += await loop.offload<number>(module, [paths[next++ % paths.length]]);
      }
      return sum;
    });
  };
  const alone: Run = (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      sum += hashFile(paths[i % paths.length]!);
    }
    return sum;
  };
  return {
    group: HASH,
    inFlight,
    runners: [
      subject("loop.offload", offloaded),
      peer("one thread", alone),
    ],
  };
}

const GOALS: readonly Goal[] = [
  { group: START, subject: "loop.async", inFlight: [1], peer: "async function", atLeast: 1 / 3 },
  { group: START, subject: "loop.async", inFlight: [100], peer: "async function", atLeast: 1 / 3 },
  { group: HASH, subject: "loop.offload", inFlight: [8], peer: "one thread", atLeast: 1 },
];

async function openLoop(): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const { path: directory } = stack.use(makeScratch());
  const paths = Array.from({ length: HASH_FILES }, (_, i) => {
    const path = `${directory}/${i}`;
    Deno.writeFileSync(path, new Uint8Array(HASH_LENGTH).fill(i));
    return path;
  });
  const worker = new Worker(new URL("./loop/echo_worker.ts", import.meta.url), { type: "module" });
  stack.defer(() => worker.terminate());
  // Workers must not stop between the samples
  const loop = stack.use(await EventLoop.open({ workerIdleMs: 600_000 }));

  const cases = [
    ...[1, 100].map((inFlight) => startCase(loop, inFlight)),
    ...[1, 16].map((inFlight) => mutexCase(loop, inFlight)),
    workerCase(loop, worker),
    hashCase(loop, paths, 8),
  ];
  const made = stack.move();
  return {
    notes: { [HASH]: `${HASH_FILES} cached files, ${navigator.hardwareConcurrency} Workers` },
    backend: loop.backend,
    cases,
    goals: GOALS,
    [Symbol.asyncDispose]: () => made.disposeAsync(),
  };
}

/** The suite. */
export const loop: Suite = {
  name: "loop",
  summary: "tasks, locks and Workers of the event loop",
  open: openLoop,
};
