// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Canceled,
  Condition,
  type Future,
  Mutex,
  Queue,
  ResetEvent,
  RwLock,
  Semaphore,
} from "@ioq/ioq/loop";
import { newSeed, randomFrom } from "../fixtures.ts";
import { forEachLoop } from "./rows.ts";

/** Let everything that can go on do so. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await null;
  }
}

forEachLoop("a mutex goes to those who wait in their order", async ({ loop }) => {
  const mutex = new Mutex();
  const order: number[] = [];
  let inside = 0;
  const tasks = Array.from({ length: 20 }, (_, i) =>
    loop.async(async (io) => {
      await mutex.lock(io);
      assertEquals(inside++, 0);
      order.push(i);
      await io.sleep(i % 3);
      inside--;
      mutex.unlock(io);
    }));
  await Promise.all(tasks);
  assertEquals(order, tasks.map((_, i) => i));
  assertEquals(mutex.locked, false);
});

forEachLoop("a mutex cannot be unlocked by who does not hold it", async ({ loop }) => {
  const mutex = new Mutex();
  await loop.async(async (io) => {
    assertThrows(() => mutex.unlock(io), Deno.errors.PermissionDenied);
    await mutex.lock(io);
    await loop.async((other) => {
      assertThrows(() => mutex.unlock(other), Deno.errors.PermissionDenied);
      assertEquals(mutex.tryLock(other), false);
    });
    mutex.unlock(io);
    assertThrows(() => mutex.unlock(io), Deno.errors.PermissionDenied);
    assertEquals(mutex.tryLock(io), true);
    mutex.unlock(io);
  });
  await loop.async(async (io) => {
    const guard = await mutex.acquire(io);
    guard[Symbol.dispose]();
    assertEquals(mutex.tryLock(io), true);
    guard[Symbol.dispose]();
    assertEquals(mutex.locked, true);
    mutex.unlock(io);
  });
  assertThrows(() => mutex.tryLock({} as never), TypeError);
});

forEachLoop(
  "a task that waits for a mutex can be cancelled, and loses nobody's turn",
  async ({ loop }) => {
    const mutex = new Mutex();
    const order: string[] = [];
    const enter = (name: string, ms: number) =>
      loop.async(async (io) => {
        using _guard = await mutex.acquire(io);
        order.push(name);
        await io.sleep(ms);
      });
    const [a, b, c] = [enter("a", 5), enter("b", 1e6), enter("c", 1)];
    await assertRejects(() => b.cancel(), Canceled);
    await Promise.all([a, c]);
    assertEquals(order, ["a", "c"]);

    // It has its turn and is cancelled in the same moment: the turn counts
    const [d, e, f] = [new ResetEvent(), new ResetEvent(), new ResetEvent()];
    const holder = loop.async(async (io) => {
      await mutex.lock(io);
      await d.wait(io);
      mutex.unlock(io);
      next.cancel().catch(() => {});
    });
    const next: Future<string> = loop.async(async (io) => {
      await mutex.lock(io);
      e.set();
      assertEquals(io.cancelRequested, true);
      mutex.unlock(io);
      return "had it";
    });
    const last = loop.async((io) => mutex.lock(io).then(() => mutex.unlock(io)));
    d.set();
    assertEquals(await next, "had it");
    await Promise.all([holder, last]);
    assert(e.isSet && !f.isSet && !mutex.locked);
  },
);

forEachLoop("a condition wakes one by signal() and all by broadcast()", async ({ loop }) => {
  const mutex = new Mutex();
  const condition = new Condition();
  const woken: number[] = [];
  const waiters = Array.from({ length: 6 }, (_, i) =>
    loop.async(async (io) => {
      await mutex.lock(io);
      await condition.wait(io, mutex);
      woken.push(i);
      mutex.unlock(io);
    }));
  await settle();
  condition.signal();
  await settle();
  assertEquals(woken, [0]);
  condition.signal();
  condition.signal();
  await settle();
  assertEquals(woken, [0, 1, 2]);
  condition.broadcast();
  await Promise.all(waiters);
  assertEquals(woken, [0, 1, 2, 3, 4, 5]);
  condition.signal();
  condition.broadcast();
  await assertRejects(
    () => loop.async((io) => condition.wait(io, mutex)),
    Deno.errors.PermissionDenied,
  );
});

forEachLoop(
  "a cancelled wait for a condition holds the mutex and eats no signal",
  async ({ loop }) => {
    const mutex = new Mutex();
    const condition = new Condition();
    let held = false;
    const one = loop.async(async (io) => {
      await mutex.lock(io);
      try {
        await condition.wait(io, mutex);
      } finally {
        assertEquals(mutex.locked, true);
        held = true;
        mutex.unlock(io);
      }
    });
    const two = loop.async(async (io) => {
      using _guard = await mutex.acquire(io);
      await condition.wait(io, mutex);
      return "signalled";
    });
    await settle();
    const end = one.cancel();
    condition.signal();
    await assertRejects(() => end, Canceled);
    assert(held);
    assertEquals(await two, "signalled");
  },
);

forEachLoop("a semaphore lets so many go on", async ({ loop }) => {
  const semaphore = new Semaphore(3);
  let [inside, most] = [0, 0];
  const order: number[] = [];
  const tasks = Array.from({ length: 12 }, (_, i) =>
    loop.async(async (io) => {
      using _permit = await semaphore.acquire(io);
      order.push(i);
      most = Math.max(most, ++inside);
      await io.sleep(1);
      inside--;
    }));
  await assertRejects(() => tasks[11]!.cancel(), Canceled);
  await Promise.all(tasks.slice(0, 11));
  assertEquals([most, semaphore.available], [3, 3]);
  assertEquals(order, [...order].sort((a, b) => a - b));
  assertEquals([1, 2, 3, 4].map(() => semaphore.tryAcquire()), [true, true, true, false]);
  semaphore.release();
  assertEquals(semaphore.available, 1);
  assertThrows(() => new Semaphore(-1), RangeError);
  assertThrows(() => new Semaphore("1" as never), TypeError);
});

forEachLoop("an event lets all go on who wait for it", async ({ loop }) => {
  const event = new ResetEvent();
  const waiting = [1, 2, 3].map((i) => loop.async((io) => event.wait(io).then(() => i)));
  await settle();
  assertEquals(waiting.map((it) => it.done), [false, false, false]);
  await assertRejects(() => waiting[1]!.cancel(), Canceled);
  event.set();
  event.reset();
  assertEquals(await Promise.all([waiting[0], waiting[2]]), [1, 3]);
  assertEquals(event.isSet, false);
  event.set();
  await loop.async((io) => event.wait(io));
});

for (const capacity of [0, 1, 3]) {
  forEachLoop(`a queue of ${capacity} hands on every value in order`, async ({ loop }) => {
    const queue = new Queue<number>(capacity);
    let most = 0;
    const producer = loop.async(async (io) => {
      for (let i = 0; i < 200; i++) {
        await queue.put(io, i);
        most = Math.max(most, queue.size);
        if (i % 7 === 0) {
          await io.nop();
        }
      }
      queue.close();
    });
    const values: number[] = [];
    await loop.async(async (io) => {
      for await (const value of queue.values(io)) {
        values.push(value);
        if (value % 5 === 0) {
          await io.nop();
        }
      }
    });
    await producer;
    assertEquals(values, Array.from({ length: 200 }, (_, i) => i));
    assert(most <= capacity, `${most}`);
    assertEquals(queue.capacity, capacity);
    assertThrows(() => queue.tryPut(1), Deno.errors.BadResource);
    await assertRejects(() => loop.async((io) => queue.take(io)), Deno.errors.BadResource);
    await assertRejects(() => loop.async((io) => queue.put(io, 1)), Deno.errors.BadResource);
    assertEquals(queue.tryTake(), undefined);
  });
}

forEachLoop(
  "those who wait at a queue can be cancelled, and close() sends them away",
  async ({ loop }) => {
    const queue = new Queue<number>(1);
    assertEquals(queue.tryPut(1), true);
    assertEquals(queue.tryPut(2), false);
    const [put, put2] = [2, 3].map((i) => loop.async((io) => queue.put(io, i)));
    await assertRejects(() => put!.cancel(), Canceled);
    assertEquals(queue.tryTake(), 1);
    await put2;
    assertEquals(queue.tryTake(), 3);
    const [take, take2, take3] = [1, 2, 3].map(() => loop.async((io) => queue.take(io)));
    await assertRejects(() => take!.cancel(), Canceled);
    assertEquals(queue.tryPut(4), true);
    assertEquals(await take2, 4);
    queue.close();
    queue.close();
    await assertRejects(() => take3!, Deno.errors.BadResource);
    assertThrows(() => new Queue(-1), RangeError);
  },
);

forEachLoop("no wake-up is lost whoever is cancelled whenever", async ({ loop }) => {
  const seed = newSeed();
  const random = randomFrom(seed);
  const semaphore = new Semaphore(2);
  const mutex = new Mutex();
  const condition = new Condition();
  const futures: Future<unknown>[] = [];
  let available = 0;
  for (let i = 0; i < 300; i++) {
    futures.push(loop.async(async (io) => {
      using _permit = await semaphore.acquire(io);
      using _guard = await mutex.acquire(io);
      while (available === 0) {
        await condition.wait(io, mutex);
      }
      available--;
    }));
    if (random() < 0.3) {
      futures[Math.floor(random() * futures.length)]!.cancel();
    }
    if (random() < 0.5) {
      available++;
      condition.signal();
    }
    if (random() < 0.2) {
      await settle();
    }
  }
  available += 1000;
  condition.broadcast();
  for (const future of futures) {
    await future.catch((error) => assert(error instanceof Canceled, `seed ${seed}: ${error}`));
  }
  assertEquals([semaphore.available, mutex.locked], [2, false], `seed ${seed}`);
});

forEachLoop("a lock has many readers or one writer, and keeps neither out", async ({ loop }) => {
  const lock = new RwLock();
  const order: string[] = [];
  const gates = new Map<string, ResetEvent>();
  const start = (name: string, shared: boolean) => {
    const gate = new ResetEvent();
    gates.set(name, gate);
    return loop.async(async (io) => {
      using _guard = await (shared ? lock.acquireShared(io) : lock.acquire(io));
      order.push(`+${name}`);
      await gate.wait(io);
      order.push(`-${name}`);
    });
  };
  const readers = [start("r1", true), start("r2", true)];
  await settle();
  assertEquals([order, lock.readers, lock.locked], [["+r1", "+r2"], 2, false]);
  const writer = start("w1", false);
  const late = [start("r3", true), start("w2", false), start("r4", true)];
  await settle();
  // Readers that come after a writer wait for it
  assertEquals(order.splice(0), ["+r1", "+r2"]);
  await loop.async((io) => {
    assertEquals([lock.tryLock(io), lock.tryLockShared(io)], [false, false]);
    assertThrows(() => lock.unlock(io), Deno.errors.PermissionDenied);
    assertThrows(() => lock.unlockShared(io), Deno.errors.PermissionDenied);
  });
  gates.get("r1")!.set();
  await settle();
  assertEquals(order.splice(0), ["-r1"]);
  gates.get("r2")!.set();
  await settle();
  assertEquals([order.splice(0), lock.locked], [["-r2", "+w1"], true]);
  gates.get("w1")!.set();
  await settle();
  // All readers that wait by then, and then the next writer
  assertEquals(order.splice(0), ["-w1", "+r3", "+r4"]);
  gates.forEach((gate) => gate.set());
  await Promise.all([...readers, writer, ...late]);
  assertEquals(order, ["-r3", "-r4", "+w2", "-w2"]);
  assertEquals([lock.readers, lock.locked], [0, false]);
});

forEachLoop("readers go on if the writer they wait for is cancelled", async ({ loop }) => {
  const lock = new RwLock();
  await loop.async(async (io) => {
    await lock.lockShared(io);
    const writer = loop.async((io) => lock.lock(io));
    const reader = loop.async((io) => lock.lockShared(io).then(() => lock.unlockShared(io)));
    await settle();
    assertEquals(lock.readers, 1);
    await assertRejects(() => writer.cancel(), Canceled);
    await reader;
    // Twice by one task
    assertEquals(lock.tryLockShared(io), true);
    lock.unlockShared(io);
    assertEquals(lock.tryLock(io), false);
    lock.unlockShared(io);
    assertEquals(lock.tryLock(io), true);
    lock.unlock(io);
  });
});

forEachLoop("a lock loses no turn whoever is cancelled whenever", async ({ loop }) => {
  const seed = newSeed();
  const random = randomFrom(seed);
  const lock = new RwLock();
  let readers = 0;
  let writers = 0;
  const tasks = Array.from({ length: 100 }, () => {
    const shared = random() < 0.6;
    return loop.async(async (io) => {
      using _guard = await (shared ? lock.acquireShared(io) : lock.acquire(io));
      shared ? readers++ : writers++;
      try {
        assert(writers === 0 || writers === 1 && readers === 0, `${readers}, ${writers}`);
        await io.nop();
      } finally {
        shared ? readers-- : writers--;
      }
    });
  });
  for (const task of tasks) {
    if (random() < 0.3) {
      await settle();
      task.cancel().catch(() => {});
    }
  }
  const results = await Promise.allSettled(tasks);
  for (const result of results) {
    assert(result.status === "fulfilled" || result.reason instanceof Canceled, `seed ${seed}`);
  }
  assertEquals([lock.readers, lock.locked], [0, false]);
});
