// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Canceled,
  type Future,
  SharedCondition,
  SharedEvent,
  SharedMutex,
  SharedSemaphore,
} from "@ioq/ioq/loop";
import { SLOTS, Turnstile, TURNSTILE_BYTES } from "../../src/loop/shared_turnstile.ts";
import { newSeed, randomFrom, sleep } from "../fixtures.ts";
import { forEachLoop } from "./rows.ts";

forEachLoop("a shared mutex goes to those who wait in their order", async ({ loop }) => {
  const first = new SharedMutex();
  const views = [first, new SharedMutex(first.buffer), new SharedMutex(first.buffer)];
  const order: number[] = [];
  let inside = 0;
  const tasks = Array.from({ length: 12 }, (_, i) =>
    loop.async(async (io) => {
      using _guard = await views[i % 3]!.acquire(io);
      assertEquals(inside++, 0);
      order.push(i);
      await io.sleep(i % 2);
      inside--;
    }));
  await assertRejects(() => tasks[5]!.cancel(), Canceled);
  await Promise.all(tasks.filter((_, i) => i !== 5));
  assertEquals(order, [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]);
  await loop.async(async (io) => {
    assertThrows(() => first.unlock(io), Deno.errors.PermissionDenied);
    assert(first.tryLock(io));
    assert(!views[1]!.tryLock(io));
    await loop.async((other) =>
      assertThrows(() => first.unlock(other), Deno.errors.PermissionDenied)
    );
    first.unlock(io);
  });
  assertThrows(() => new SharedMutex(new SharedArrayBuffer(4)), RangeError);
  assertThrows(() => new SharedMutex(new ArrayBuffer(4) as never), TypeError);
});

forEachLoop("a shared condition wakes one by signal() and all by broadcast()", async ({ loop }) => {
  const mutex = new SharedMutex();
  const condition = new SharedCondition();
  const other = new SharedCondition(condition.buffer);
  const woken: number[] = [];
  const waiters = Array.from({ length: 5 }, (_, i) =>
    loop.async(async (io) => {
      using _guard = await mutex.acquire(io);
      await condition.wait(io, mutex);
      woken.push(i);
    }));
  // All have released it when it can be had
  await loop.async((io) => mutex.acquire(io).then((guard) => guard[Symbol.dispose]()));
  const cancelled = waiters[0]!.cancel();
  other.signal();
  await assertRejects(() => cancelled, Canceled);
  await waiters[1];
  assertEquals(woken, [1]);
  other.broadcast();
  await Promise.all(waiters.slice(1));
  assertEquals(woken.sort(), [1, 2, 3, 4]);
  // Nobody waits: this is no signal for whoever comes next
  condition.signal();
  const late = loop.async(async (io) => {
    using _guard = await mutex.acquire(io);
    await condition.wait(io, mutex);
  });
  await sleep(1);
  assertEquals(late.done, false);
  condition.signal();
  await late;
  await assertRejects(
    () => loop.async((io) => condition.wait(io, mutex)),
    Deno.errors.PermissionDenied,
  );
});

forEachLoop("a shared semaphore and a shared event", async ({ loop }) => {
  const semaphore = new SharedSemaphore(2);
  let [inside, most] = [0, 0];
  await Promise.all(Array.from({ length: 8 }, () =>
    loop.async(async (io) => {
      using _permit = await semaphore.permit(io);
      most = Math.max(most, ++inside);
      await io.sleep(1);
      inside--;
    })));
  assertEquals([most, semaphore.available], [2, 2]);
  assertEquals([1, 2, 3].map(() => semaphore.tryAcquire()), [true, true, false]);
  new SharedSemaphore(semaphore.buffer).release();
  assertEquals(semaphore.available, 1);
  assertThrows(() => new SharedSemaphore(SLOTS + 1), RangeError);
  const full = new SharedSemaphore(SLOTS);
  assertThrows(() => full.release(), RangeError);

  const event = new SharedEvent();
  const waiting = [1, 2, 3].map((i) => loop.async((io) => event.wait(io).then(() => i)));
  await assertRejects(() => waiting[1]!.cancel(), Canceled);
  const view = new SharedEvent(event.buffer);
  view.set();
  view.reset();
  assertEquals(await Promise.all([waiting[0], waiting[2]]), [1, 3]);
  assertEquals(event.isSet, false);
  view.set();
  await loop.async((io) => event.wait(io));
});

forEachLoop("no permit is lost whoever is cancelled whenever", async ({ loop }) => {
  const seed = newSeed();
  const random = randomFrom(seed);
  const semaphore = new SharedSemaphore(3);
  const futures: Future<unknown>[] = [];
  for (let i = 0; i < 3000; i++) {
    futures.push(loop.async(async (io) => {
      using _permit = await semaphore.permit(io);
      if (random() < 0.1) {
        await io.nop();
      }
    }));
    if (random() < 0.3) {
      futures[Math.floor(random() * futures.length)]!.cancel();
    }
    if (random() < 0.01) {
      await sleep(0);
    }
  }
  for (const future of futures) {
    await future.catch((error) => assert(error instanceof Canceled, `seed ${seed}: ${error}`));
  }
  assertEquals(semaphore.available, 3, `seed ${seed}`);
});

Deno.test("a turnstile goes around and around, and over the end of its numbers", () => {
  const words = new Int32Array(new SharedArrayBuffer(TURNSTILE_BYTES));
  const turnstile = new Turnstile(words.buffer, 0);
  // As after 2^32 - 2048 tickets
  const start = -2 * SLOTS;
  words.fill((2 ** 32 / SLOTS - 2) * 4, 2);
  words[0] = words[1] = start;
  for (let i = 0; i < 5 * SLOTS; i++) {
    assertEquals(turnstile.tryPass(), false);
    if (i % 3 === 0) {
      turnstile.leave(turnstile.take()!);
    }
    const tickets = Array.from({ length: i % 5 + 1 }, () => turnstile.take()!);
    assert(tickets.every((ticket) => ticket !== undefined));
    for (const _ of tickets) {
      assertEquals(turnstile.grant(true), true);
    }
    assertEquals(turnstile.size, 0);
    assertEquals(turnstile.grant(true), false);
    assertEquals(turnstile.grant(false), true);
    assertEquals(turnstile.tryPass(), true);
  }
  const all = Array.from({ length: SLOTS }, () => turnstile.take());
  assert(!all.includes(undefined));
  assertEquals(turnstile.take(), undefined);
});
