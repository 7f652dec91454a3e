// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  Canceled,
  ConcurrencyUnavailable,
  EventLoop,
  type Future,
  type Io,
  Mutex,
} from "@ioq/ioq/loop";
import { Ioq, op } from "../../mod.ts";
import { descriptorsUnder, LOOP_MOD, runDeno, sleep, TempDir, within } from "../fixtures.ts";
import { forEachLoop } from "./rows.ts";

forEachLoop("async() runs a task up to its first await, and gives its result", async ({ loop }) => {
  const order: string[] = [];
  const future = loop.async(async (io) => {
    order.push("begins");
    const { isDirectory } = await io.stat("/");
    order.push("goes on");
    return isDirectory;
  });
  order.push("started");
  assertEquals(future.done, false);
  assertEquals(future.result, undefined);
  assertEquals(loop.running, 1);
  assertEquals(await future, true);
  assertEquals(order, ["begins", "started", "goes on"]);
  assertEquals(future.done, true);
  assertEquals(future.result, true);
  assertEquals(loop.running, 0);
  assertEquals(await loop.async(() => 7), 7);
  assertEquals(await loop.async(() => loop.async(() => 8)), 8);
});

forEachLoop("a task's failure is its future's, thrown at once or later", async ({ loop }) => {
  const thrown = new Error("thrown");
  await assertRejects(
    () =>
      loop.async(() => {
        throw thrown;
      }),
    Error,
    "thrown",
  );
  const future = loop.async((io) => io.stat("/nope"));
  const error = await assertRejects(() => future, Deno.errors.NotFound);
  assertEquals(error.message, "No such file or directory (os error 2): stat '/nope'");
  assertEquals(future.done, true);
  assertEquals(future.result, undefined);
  assertThrows(() => loop.async(7 as never), TypeError);
});

Deno.test("a failure that nobody awaits is reported like an unhandled rejection", async () => {
  const { code, stderr } = await runDeno(`
    import { EventLoop } from ${JSON.stringify(LOOP_MOD)};
    const loop = await EventLoop.open();
    loop.async(async (io) => { await io.stat("/nope"); });
  `);
  assertEquals(code, 1);
  assert(stderr.includes("(in promise)"), stderr);
  assert(stderr.includes("/nope"), stderr);
});

Deno.test("a failure is reported if its future only lost a select()", async () => {
  const { code, stderr } = await runDeno(`
    import { EventLoop } from ${JSON.stringify(LOOP_MOD)};
    const loop = await EventLoop.open();
    const loser = loop.async(async (io) => { await io.sleep(20); await io.stat("/nope"); });
    console.log(await loop.select([loser, loop.async(() => 1)]));
    await new Promise((resolve) => setTimeout(resolve, 10_000));
  `);
  assertEquals(code, 1);
  assert(stderr.includes("/nope"), stderr);
});

Deno.test("a cancelled task that nobody awaits is not reported, and a loop leaves no trace", async () => {
  const { code, stdout, stderr } = await runDeno(`
    import { EventLoop } from ${JSON.stringify(LOOP_MOD)};
    const loop = await EventLoop.open();
    loop.async((io) => io.sleep(1e6)).cancel();
    loop.async((io) => io.sleep(1e6));
    await loop.close();
    console.log("closed");
  `);
  assertEquals([code, stdout, stderr], [0, "closed\n", ""]);
});

forEachLoop("cancel() wakes a sleeping task with Canceled, once", async ({ loop }) => {
  const told: string[] = [];
  const future = loop.async(async (io) => {
    try {
      await io.sleep(1e6);
    } catch (error) {
      assert(error instanceof Canceled);
      told.push("first");
    }
    assertEquals(io.cancelRequested, false);
    await io.sleep(1);
    io.checkCancel();
    await io.stat("/");
    io.recancel();
    assertEquals(io.cancelRequested, true);
    await io.stat("/").catch((error) => {
      assert(error instanceof Canceled);
      told.push("again");
    });
    return "done all the same";
  });
  const first = future.cancel();
  const second = future.cancel();
  assertEquals(await first, "done all the same");
  assertEquals(await second, "done all the same");
  assertEquals(await future.cancel(), "done all the same");
  assertEquals(told, ["first", "again"]);
});

forEachLoop(
  "a task that does not look is told at its next cancellation point",
  async ({ loop }) => {
    const gate = Promise.withResolvers<void>();
    const future = loop.async(async (io) => {
      await gate.promise;
      assertEquals(io.cancelRequested, true);
      assertThrows(() => io.checkCancel(), Canceled);
      io.checkCancel();
      io.recancel();
      await io.nop();
    });
    const end = future.cancel();
    assertEquals(future.done, false);
    gate.resolve();
    await assertRejects(() => end, Canceled);
    await assertRejects(() => future, Canceled);
    assertEquals(future.done, true);
  },
);

forEachLoop("a task without a request does not recancel", async ({ loop }) => {
  await loop.async(async (io) => {
    io.recancel();
    assertEquals(io.cancelRequested, false);
    await io.nop();
  });
});

forEachLoop("cancel() reaches all that a task waits for, and only that task", async ({ loop }) => {
  const mutex = new Mutex();
  const other = loop.async((io) => io.sleep(50).then(() => "slept"));
  const future = loop.async(async (io) => {
    const results = await Promise.allSettled([
      io.sleep(1e6),
      io.sleep(1e6),
      io.await(new Promise(() => {})),
    ]);
    assertEquals(mutex.locked, false);
    return results.map((it) => it.status === "rejected" && it.reason instanceof Canceled);
  });
  assertEquals(await future.cancel(), [true, true, true]);
  assertEquals(await other, "slept");
});

forEachLoop("uncancelable() puts it off", async ({ loop }) => {
  const order: string[] = [];
  const future = loop.async(async (io) => {
    await io.uncancelable(async (same) => {
      assertStrictEquals(same, io);
      await io.sleep(5);
      io.checkCancel();
      await io.stat("/");
      order.push("protected");
    });
    order.push("after");
    await io.sleep(1e6);
  });
  await assertRejects(() => future.cancel(), Canceled);
  assertEquals(order, ["protected", "after"]);

  const gate = Promise.withResolvers<void>();
  const beside = loop.async(async (io) => {
    const inside = io.uncancelable(() => io.await(gate.promise));
    const outside = io.sleep(1e6);
    await Promise.all([inside, outside]);
  });
  const end = beside.cancel();
  await sleep(1);
  assertEquals(beside.done, false);
  gate.resolve();
  await assertRejects(() => end, Canceled);
});

forEachLoop("cancel() interrupts a read of a FIFO that nobody writes to", async ({ loop, row }) => {
  if (!row.interruptible) {
    return;
  }
  using dir = new TempDir();
  const path = dir.fifo("fifo");
  const future = loop.async(async (io) => {
    await using file = await io.openFile(path, { read: true, write: true });
    await file.pread(new Uint8Array(1), null);
  });
  await sleep(5);
  await assertRejects(() => within(10_000, future.cancel(), "cancel()"), Canceled);
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachLoop("cancelling a finished task changes nothing", async ({ loop }) => {
  const future = loop.async(() => Promise.resolve(3));
  assertEquals(await future, 3);
  assertEquals(await future.cancel(), 3);
  const failed = loop.async((io) => io.stat("/nope"));
  await assertRejects(() => failed, Deno.errors.NotFound);
  await assertRejects(() => failed.cancel(), Deno.errors.NotFound);
});

forEachLoop("an operation that is cancelled too late keeps its result", async ({ loop }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  // Whenever it comes: either it was not opened, or there is something to close
  for (let i = 0; i < 100; i++) {
    const future = loop.async(async (io) => {
      const file = await io.openFile(path);
      await file.close();
      return "closed";
    });
    for (let j = 0; j < i % 10; j++) {
      await null;
    }
    await future.cancel().catch((error) => assert(error instanceof Canceled));
    assertEquals(descriptorsUnder(dir.path), 0);
  }
});

forEachLoop("await using cancels what is still running", async ({ loop }) => {
  let told = false;
  {
    await using _future = loop.async(async (io) => {
      try {
        await io.sleep(1e6);
      } catch (error) {
        told = error instanceof Canceled;
        throw error;
      }
    });
  }
  assert(told);
  assertEquals(loop.running, 0);
});

forEachLoop("two tasks that wait for each other can be cancelled", async ({ loop }) => {
  const [a, b] = [new Mutex(), new Mutex()];
  const both = async (io: Io, first: Mutex, second: Mutex) => {
    using _first = await first.acquire(io);
    await io.sleep(1);
    using _second = await second.acquire(io);
  };
  const one = loop.async((io) => both(io, a, b));
  const other = loop.async((io) => both(io, b, a));
  await sleep(10);
  assertEquals([one.done, other.done], [false, false]);
  await assertRejects(() => one.cancel(), Canceled);
  await other;
  assertEquals([a.locked, b.locked], [false, false]);

  const futures: Future<unknown>[] = [];
  futures.push(loop.async((io) => io.sleep(1).then(() => io.await(futures[1]!))));
  futures.push(loop.async((io) => io.sleep(1).then(() => io.await(futures[0]!))));
  await sleep(10);
  await assertRejects(() => futures[0]!.cancel(), Canceled);
  await assertRejects(() => futures[1]!, Canceled);
});

forEachLoop("select() resolves to the first to finish and leaves the others", async ({ loop }) => {
  const gate = Promise.withResolvers<void>();
  const slow = loop.async((io) => io.await(gate.promise).then(() => "slow"));
  const fast = loop.async((io) => io.sleep(1).then(() => "fast"));
  assertEquals(await loop.select([slow, fast]), 1);
  assertEquals(slow.done, false);
  gate.resolve();
  assertEquals(await slow, "slow");
  assertEquals(await loop.select([new Promise(() => {}), slow, fast]), 1);
  const failing = loop.async((io) => io.stat("/nope"));
  await using sleeper = loop.async((io) => io.sleep(1e6));
  assertEquals(await loop.select([sleeper, failing]), 1);
  await assertRejects(() => failing, Deno.errors.NotFound);
  assertEquals(await loop.select([new Promise(() => {}), Promise.resolve()]), 1);
  await assertRejects(() => loop.select([]), RangeError);
  await assertRejects(() => loop.select([slow, 7 as never]), TypeError);

  const waiting = loop.async((io) => io.await(loop.select([new Promise(() => {})])));
  await assertRejects(() => waiting.cancel(), Canceled);
});

forEachLoop("concurrent() is limited", async ({ loop }) => {
  const [one, two] = [loop.concurrent((io) => io.sleep(1e6)), loop.concurrent((io) => io.sleep(5))];
  assertThrows(() => loop.concurrent(() => {}), ConcurrencyUnavailable);
  await loop.async(() => {});
  await two;
  const three = loop.concurrent(() => 3);
  assertThrows(() => loop.concurrent(() => {}), ConcurrencyUnavailable);
  assertEquals(await three, 3);
  await assertRejects(() => one.cancel(), Canceled);
  assertEquals(await loop.concurrent(() => 4), 4);
  assertThrows(() => loop.concurrent(7 as never), TypeError);
}, { concurrencyLimit: 2 });

forEachLoop("timeout() cancels what takes too long", async ({ loop }) => {
  await loop.async(async (io) => {
    assertEquals(await io.timeout(10_000, async (io) => (await io.stat("/")).isDirectory), true);
    const start = performance.now();
    await assertRejects(() => io.timeout(5, (io) => io.sleep(1e6)), Deno.errors.TimedOut);
    assert(performance.now() - start >= 4.9);
    const kept = io.timeout(1, (io) => io.sleep(1e6).catch(() => "kept"));
    assertEquals(await kept, "kept");
    await assertRejects(() => io.timeout(1e6, (io) => io.stat("/nope")), Deno.errors.NotFound);
    await assertRejects(() => io.timeout(-1, () => {}), RangeError);
    await assertRejects(() => io.timeout("1" as never, () => {}), TypeError);
  });
  const future = loop.async((io) => io.timeout(1e6, (io) => io.sleep(1e6)));
  await assertRejects(() => future.cancel(), Canceled);
  assertEquals(loop.running, 0);
});

forEachLoop("a closed loop cancels its tasks and refuses new ones", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const loop = new EventLoop(ioq);
  let cleaned = false;
  const file = await loop.io.createFile(dir.at("file"));
  const sleeper = loop.async(async (io) => {
    try {
      await io.sleep(1e6);
    } finally {
      await io.uncancelable(() => io.sleep(1));
      cleaned = true;
    }
  });
  const busy = loop.async(async (io) => {
    for (let i = 0; i < 1000; i++) {
      await null;
    }
    assert(io.cancelRequested);
    io.checkCancel();
  });
  const closing = loop.close();
  assertStrictEquals(loop.close(), closing);
  assertEquals(loop.closed, true);
  assertThrows(() => loop.async(() => {}), Deno.errors.BadResource);
  assertThrows(() => loop.concurrent(() => {}), Deno.errors.BadResource);
  await assertRejects(() => sleeper, Canceled);
  await assertRejects(() => busy, Canceled);
  await closing;
  assert(cleaned);
  await assertRejects(() => loop.io.stat("/"), Deno.errors.BadResource);
  await file.close();
  // The queue is someone else's
  assertEquals((await ioq.stat("/")).isDirectory, true);
  {
    using second = new EventLoop(ioq);
    second.async((io) => io.sleep(1e6));
  }
});

Deno.test("open() opens a queue and close() closes it", async () => {
  const loop = await EventLoop.open({ threads: 1, depth: 7 });
  assertEquals(loop.ioq.depth, 7);
  assertEquals(loop.backend, loop.ioq.backend);
  await loop.close();
  await assertRejects(() => loop.ioq.stat("/"), Deno.errors.BadResource);
  await assertRejects(() => EventLoop.open({ concurrencyLimit: -1 }), RangeError);
  await assertRejects(() => EventLoop.open({ concurrencyLimit: "1" as never }), TypeError);
  assertThrows(() => new EventLoop({} as never), TypeError);
  await using ioq = await Ioq.open();
  await using _ = new EventLoop(ioq, { concurrencyLimit: Infinity });
});

forEachLoop("10,000 tasks with 10 sleeps each, in bounded memory", async ({ loop }) => {
  const before = Deno.memoryUsage().heapUsed;
  let [sleeps, peak] = [0, 0];
  const tasks = Array.from({ length: 10_000 }, () =>
    loop.async(async (io) => {
      for (let i = 0; i < 10; i++) {
        await io.sleep(1);
        if (++sleeps % 1000 === 0) {
          peak = Math.max(peak, Deno.memoryUsage().heapUsed);
          assert(loop.ioq.size <= loop.ioq.depth);
        }
      }
    }));
  await Promise.all(tasks);
  assertEquals(sleeps, 100_000);
  // Some kilobytes for each task, and not for each sleep
  assert(peak - before < 10_000 * 20_000, `${peak - before} bytes`);
});

forEachLoop(
  "messages and readiness are waited for as tasks do",
  async ({ loop, open }) => {
    await using other = await open();
    const receiving = loop.async((io) => io.receive());
    await loop.async((io) => io.sleep(1));
    await other.post(loop.ioq, 42);
    assertEquals(await receiving, 42);
    const waiting = loop.async((io) => io.receive());
    await assertRejects(() => within(10_000, waiting.cancel(), "cancel()"), Canceled);
    // It took no message with it
    await loop.async((io) => io.post(loop.ioq, 43));
    assertEquals(await loop.async((io) => io.receive()), 43);

    using dir = new TempDir();
    const path = dir.fifo("fifo");
    const polling = loop.async(async (io) => {
      await using file = await io.openFile(path, { read: true, write: true });
      await io.run(op.poll(file.fd));
    });
    await sleep(5);
    await assertRejects(() => within(10_000, polling.cancel(), "cancel()"), Canceled);
    assertEquals(descriptorsUnder(dir.path), 0);
  },
  {},
  ({ library }) => library,
);
