// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Canceled,
  type Future,
  MutexAbandoned,
  SharedCondition,
  SharedMutex,
  SharedResetEvent,
  SharedSemaphore,
} from "@ioq/ioq/loop";
import { newSeed, randomFrom, sleep, within } from "../fixtures.ts";
import lockTask, { type LockTask } from "./modules/lock_task.ts";
import { forEachLoop } from "./rows.ts";

function module(name: string): URL {
  return new URL(`./modules/${name}.ts`, import.meta.url);
}

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
      using _permit = await semaphore.acquire(io);
      most = Math.max(most, ++inside);
      await io.sleep(1);
      inside--;
    })));
  assertEquals([most, semaphore.available], [2, 2]);
  assertEquals([1, 2, 3].map(() => semaphore.tryAcquire()), [true, true, false]);
  new SharedSemaphore(semaphore.buffer).release();
  assertEquals(semaphore.available, 1);
  assertThrows(() => new SharedSemaphore(2 ** 31), RangeError);
  assertThrows(() => new SharedSemaphore(undefined as never), TypeError);
  assertThrows(() => new SharedMutex(semaphore.buffer), RangeError);
  const full = new SharedSemaphore(2 ** 31 - 1);
  assertThrows(() => full.release(), RangeError);

  const event = new SharedResetEvent();
  const waiting = [1, 2, 3].map((i) => loop.async((io) => event.wait(io).then(() => i)));
  await assertRejects(() => waiting[1]!.cancel(), Canceled);
  const view = new SharedResetEvent(event.buffer);
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
      using _permit = await semaphore.acquire(io);
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

/** A new view, as a Worker gets one with each task. */
function copy(buffer: SharedArrayBuffer): SharedArrayBuffer {
  return structuredClone(buffer);
}

forEachLoop("any number of tasks wait at what is shared, and leave no trace", async ({ loop }) => {
  const mutex = new SharedMutex();
  const condition = new SharedCondition();
  const semaphore = new SharedSemaphore(0);
  const event = new SharedResetEvent();
  const count = 1100;
  for (let round = 0; round < 2; round++) {
    const woken: number[] = [];
    const waiters = Array.from({ length: count }, (_, i) =>
      loop.async(async (io) => {
        using _guard = await mutex.acquire(io);
        await new SharedCondition(copy(condition.buffer)).wait(io, mutex);
        woken.push(i);
      }));
    const others = Array.from({ length: count }, (_, i) =>
      loop.async(async (io) => {
        const view = new SharedSemaphore(copy(semaphore.buffer));
        await (i % 2 === 0 ? view.acquire(io) : new SharedResetEvent(event.buffer).wait(io));
      }));
    // All have released it when it can be had
    await loop.async((io) => mutex.acquire(io).then((guard) => guard[Symbol.dispose]()));
    if (round === 0) {
      const ends = [...waiters, ...others].map((it) => it.cancel().catch((error) => error));
      assert((await Promise.all(ends)).every((end) => end instanceof Canceled));
    } else {
      condition.signal();
      condition.signal();
      await Promise.all([waiters[0], waiters[1]]);
      assertEquals(woken, [0, 1]);
      condition.broadcast();
      for (let i = 0; i < count / 2; i++) {
        semaphore.release();
      }
      event.set();
      await Promise.all([...waiters, ...others]);
      assertEquals(woken, waiters.map((_, i) => i));
      assertEquals(semaphore.available, 0);
    }
  }
});

forEachLoop("a lock goes around between threads in the order of coming", async ({ loop }) => {
  const mutex = new SharedMutex();
  const log = new Int32Array(new SharedArrayBuffer(4 * 20));
  const begun = new SharedSemaphore(0);
  const futures: Future<unknown>[] = [];
  await loop.async(async (io) => {
    using _guard = await mutex.acquire(io);
    for (let i = 1; i <= 6; i++) {
      const args = ["logs", mutex.buffer, begun.buffer, log, i];
      futures.push(
        i % 3 === 0
          ? loop.async((io) => lockTask(io, ...args as Parameters<LockTask>))
          : loop.concurrent(module("lock_task"), args),
      );
      // It stands in line when it has asked and its thread has gone around
      await begun.acquire(io);
      await io.sleep(5);
    }
  });
  await Promise.all(futures);
  assertEquals([...log.subarray(0, 7)], [6, 1, 2, 3, 4, 5, 6]);
}, { workers: 2 });

for (const how of ["exit", "stray"] as const) {
  forEachLoop(`a Worker ends by ${how} while it waits for what is shared`, async ({ loop }) => {
    const mutex = new SharedMutex();
    const semaphore = new SharedSemaphore(0);
    const begun = new SharedSemaphore(0);
    const log = new Int32Array(new SharedArrayBuffer(4));
    await loop.async(async (io) => {
      using _guard = await mutex.acquire(io);
      const rest = [begun.buffer, log, 1];
      const waiting = [
        loop.concurrent(module("lock_task"), ["waits", mutex.buffer, ...rest]),
        loop.concurrent(module("lock_task"), ["waits for a permit", semaphore.buffer, ...rest]),
      ];
      await begun.acquire(io);
      await begun.acquire(io);
      const ends = [...waiting, loop.concurrent(module("failing"), [how])]
        .map((it) => assertRejects(() => it, Error, "The Worker died"));
      await within(30_000, Promise.all(ends), "the end of the Worker");
    });
    semaphore.release();
    await within(
      30_000,
      loop.async(async (io) => {
        using _guard = await mutex.acquire(io);
        using _permit = await semaphore.acquire(io);
      }),
      "the lock and the permit",
    );
  }, { workers: 1 });
}

forEachLoop(
  "a lock whose holder's Worker ended is abandoned until it is recovered",
  async (bench) => {
    const { loop } = bench;
    const mutex = new SharedMutex();
    const begun = new SharedSemaphore(0);
    const log = new Int32Array(new SharedArrayBuffer(4));
    const args = ["holds and exits", mutex.buffer, begun.buffer, log, 1];
    const dying = loop.concurrent(module("lock_task"), args);
    const waiting = loop.async(async (io) => {
      await begun.acquire(io);
      using _guard = await mutex.acquire(io);
    });
    await assertRejects(() => dying, Error, "The Worker died");
    await assertRejects(() => within(30_000, waiting, "the lock"), MutexAbandoned);
    await loop.async(async (io) => {
      assertEquals(mutex.abandoned, true);
      assertThrows(() => mutex.tryLock(io), MutexAbandoned);
      const failing = () => Promise.reject(new Error("cannot"));
      await assertRejects(() => mutex.acquire(io, { recover: failing }), Error, "cannot");
      await assertRejects(() => mutex.lock(io), MutexAbandoned);
      let recovered = 0;
      const recover = () => void recovered++;
      for (let i = 0; i < 2; i++) {
        using _guard = await mutex.acquire(io, { recover });
        assertEquals([mutex.abandoned, recovered], [false, 1]);
      }
      assert(mutex.tryLock(io));
      mutex.unlock(io);
    });
  },
  { workers: 1 },
);
