// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { Worker } from "node:worker_threads";
import { Ioqq, VALUE_MAX } from "../../src/backends/worker/slot_queue.ts";
import { newSeed, randomFrom, within } from "../fixtures.ts";
import type { Part } from "./crowd_worker.ts";

/** Where slots begin, as ioqq.ts has it, in words; and `head` and `tail`. */
const SLOTS = 32;
const HEAD = 0;
const TAIL = 16;

function create(size: number): { queue: Ioqq; words: Int32Array; buffer: SharedArrayBuffer } {
  const buffer = new SharedArrayBuffer(Ioqq.byteLength(size));
  return { queue: new Ioqq(buffer, 0, size), words: new Int32Array(buffer), buffer };
}

const item = (value: number) => (value + 1) * 4;
const skips = (n: number) => 2 + n * 4;

Deno.test("Ioqq goes through every transition of its diagram", () => {
  const { queue, words } = create(2);
  const slots = () => [words[SLOTS], words[SLOTS + 1]];

  queue.push(5); // empty → item
  assertEquals(slots(), [item(5), 0]);
  assertEquals(queue.pop(), 5); // item → empty
  assertEquals(slots(), [0, 0]);

  assertEquals(queue.popNow(), -1); // empty → skip(1)
  assertEquals(slots(), [0, skips(1)]);
  assertEquals(queue.popNow(), -1);
  assertEquals(queue.popNow(), -1); // skip(1) → skip(2)
  assertEquals(slots(), [skips(1), skips(2)]);

  queue.push(7); // skip(2) → skip(1), skip(1) → empty, skip(1) → empty, item
  assertEquals(slots(), [item(7), 0]);
  assertEquals(queue.pop(), 7);
  assertEquals(slots(), [0, 0]);
  assertEquals(words[HEAD], words[TAIL]);
});

Deno.test("Ioqq.try() burns no index, however often it looks", () => {
  const { queue, words } = create(4);
  for (let i = 0; i < 20; i++) {
    for (let j = 0; j < 10; j++) {
      assertEquals(queue.try(), -1);
    }
    assertEquals(words[TAIL], i);
    queue.push(i);
    assertEquals(queue.try(), i);
  }
  assertEquals([...words.subarray(SLOTS, SLOTS + 4)], [0, 0, 0, 0]);
});

Deno.test("Ioqq.arm() has the next push wake who waits, and not the one before", async () => {
  const { queue, words } = create(4);
  for (let i = 0; i < 9; i++) {
    assert(queue.arm());
    assert(queue.arm(), "a second time");
    assertEquals(words[SLOTS + i % 4], 1);
    const waiting = queue.armed();
    queue.push(i);
    assertEquals(queue.arm(), false, "an item is there");
    await within(5000, waiting, "armed()");
    assertEquals(queue.try(), i);
  }
  assert(queue.arm());
  const waiting = queue.armed();
  queue.wake();
  await within(5000, waiting, "wake()");
  assertEquals(queue.try(), -1);
  queue.push(1);
  await within(5000, queue.armed(), "armed() with an item");
  assertEquals(queue.try(), 1);
});

Deno.test("Ioqq does what a list of items and burnt places does", () => {
  const seed = newSeed();
  const random = randomFrom(seed);
  for (const size of [2, 3, 8, 50]) {
    const { queue, words } = create(size);
    // Both counters wrap around: an index is what is left of them
    words[HEAD] = words[TAIL] = 2 ** 31 - 100;
    const capacity = 2 ** Math.ceil(Math.log2(size));
    const model: number[] = [];
    let burnt = 0;
    for (let step = 0; step < 4000; step++) {
      const what = `seed ${seed}, size ${size}, step ${step}`;
      if (random() < 0.55) {
        if (model.length < capacity) {
          const value = Math.floor(random() * (VALUE_MAX + 1));
          queue.push(value);
          model.push(value);
          burnt = 0;
        }
      } else if (model.length > 0) {
        assertEquals(random() < 0.5 ? queue.pop() : queue.popNow(), model.shift(), what);
      } else if (burnt < 3 * capacity) {
        assertEquals(queue.popNow(), -1, what);
        burnt++;
      }
      assertEquals(queue.count, model.length - burnt, what);
    }
  }
});

Deno.test("Ioqq keeps the smallest and the largest value", () => {
  const { queue } = create(2);
  for (const value of [0, VALUE_MAX]) {
    queue.push(value);
    assertEquals(queue.try(), value);
  }
});

/** Producers and consumers on threads; each item must come out exactly once. */
async function crowd(
  size: number,
  producers: number,
  consumers: number,
  looks: boolean,
): Promise<void> {
  const each = 6000;
  const total = each * producers;
  const counts = Ioqq.byteLength(size);
  const buffer = new SharedArrayBuffer(counts + 4 * (total + 1));
  // Soon both counters wrap around
  const words = new Int32Array(buffer);
  words[HEAD] = words[TAIL] = 2 ** 31 - 1000;

  const module = new URL("./crowd_worker.ts", import.meta.url);
  const run = (from: number, to: number) => {
    const part: Part = { buffer, size, counts, from, to, stop: total, looks };
    const worker = new Worker(module, { workerData: part });
    return new Promise<void>((resolve, reject) => {
      worker.once("error", reject);
      worker.once("message", () => worker.terminate().then(() => resolve(), reject));
    });
  };
  const ends = Array.from({ length: consumers }, () => run(0, 0));
  await Promise.all(Array.from({ length: producers }, (_, i) => run(i * each, (i + 1) * each)));
  const queue = new Ioqq(buffer, 0, size);
  if (consumers > 0) {
    queue.push(total);
    await within(20_000, Promise.all(ends), "the consumers");
  }
  const popped = new Int32Array(buffer, counts, total);
  assertEquals(popped.findIndex((count) => count !== 1), -1);
}

Deno.test("Ioqq gives every item to exactly one of several Workers", async (t) => {
  for (
    const [size, producers, consumers, looks] of [
      [2, 2, 2, false],
      [8, 3, 1, false],
      [8, 1, 3, true],
      [64, 2, 2, true],
    ] as const
  ) {
    await t.step(
      `${producers} producers, ${consumers} consumers, size ${size}`,
      () => crowd(size, producers, consumers, looks),
    );
  }
});

Deno.test("Ioqq: one who only looks gets every item of several Workers in their order", async () => {
  const [size, each, producers] = [16, 5000, 3];
  const buffer = new SharedArrayBuffer(Ioqq.byteLength(size * 1024) + 4);
  const queue = new Ioqq(buffer, 0, size * 1024);
  const workers = Array.from(
    { length: producers },
    (_, i) =>
      new Worker(new URL("./crowd_worker.ts", import.meta.url), {
        workerData: {
          buffer,
          size: size * 1024,
          counts: Ioqq.byteLength(size * 1024),
          from: i * each,
          to: (i + 1) * each,
          stop: -1,
          looks: false,
        } satisfies Part,
      }),
  );
  const next = new Array<number>(producers).fill(0);
  const keepAlive = setInterval(() => {}, 1000);
  for (let done = 0; done < each * producers;) {
    const value = queue.try();
    if (value >= 0) {
      assertEquals(value % each, next[Math.floor(value / each)]!++);
      done++;
    } else if (queue.arm()) {
      await within(10_000, queue.armed(), "an item");
    }
  }
  clearInterval(keepAlive);
  assertEquals(queue.try(), -1);
  await Promise.all(workers.map((worker) => worker.terminate()));
});
