// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import {
  descriptors,
  descriptorsUnder,
  errorOf,
  isMapped,
  laneThreads,
  sleep,
  TempDir,
  until,
  within,
} from "../fixtures.ts";

forEachBackend("close() twice gives the same promise", async ({ open }) => {
  const ioq = await open();
  const closing = ioq.close();
  assert(ioq.close() === closing);
  assert(ioq[Symbol.asyncDispose]() === closing);
  await closing;
  assert(ioq.close() === closing);
});

forEachBackend("a closed queue accepts nothing", async ({ open }) => {
  const ioq = await open();
  const closing = ioq.close();
  for (let i = 0; i < 2; i++) {
    assertThrows(() => ioq.submit(op.nop()), Deno.errors.BadResource);
    assertThrows(() => ioq.submit(op.close(1000)), Deno.errors.BadResource);
    await assertRejects(() => ioq.nop(), Deno.errors.BadResource);
    await assertRejects(() => ioq.stat("/"), Deno.errors.BadResource);
    await assertRejects(() => ioq.ready(), Deno.errors.BadResource);
    assertEquals(ioq.cancelAll(), false);
    assertEquals(ioq.cancel(0), false);
    assertEquals(ioq.poll(), undefined);
    assertEquals(ioq.size, 0);
    for await (const _ of ioq) {
      throw new Error("There is nothing to come");
    }
    await closing;
  }
});

forEachBackend(
  "close() completes what is in flight, which can still be consumed",
  async (bench) => {
    const ioq = await bench.open<number>({ depth: 500 });
    for (let i = 0; i < 500; i++) {
      ioq.submit(i % 3 ? op.stat("/") : op.readDir("/etc"), i);
      if (i % 100 === 0) {
        await sleep(0);
      }
    }
    const waiting = errorOf(() => ioq.ready());
    await ioq.close();
    assert(await waiting instanceof Deno.errors.BadResource);
    assertEquals(ioq.size, 500);
    assertEquals(ioq.capacity, 0);
    const seen = new Set<number>();
    for await (const completion of ioq) {
      seen.add(completion.data);
      assert(completion.ok || (completion.error as { code?: string }).code === "EINTR");
      assertEquals(ioq.size, 500 - seen.size);
    }
    assertEquals(seen.size, 500);
  },
);

forEachBackend(
  "completions that were not consumed before close() can be afterwards",
  async (bench) => {
    const ioq = await bench.open<number>();
    for (let i = 0; i < 10; i++) {
      ioq.submit(op.nop(), i);
    }
    await sleep(5);
    await ioq.close();
    assertEquals(ioq.size, 10);
    assertEquals(ioq.poll()?.ok, true);
    let count = 1;
    for await (const completions of ioq.batches()) {
      count += completions.length;
      assert(completions.every(({ ok }) => ok));
    }
    assertEquals(count, 10);
  },
);

forEachBackend("close() ends iterations that wait", async ({ open }) => {
  const ioq = await open();
  for (let i = 0; i < 20; i++) {
    ioq.submit(op.readDir("/etc"));
  }
  const counts = [ioq, ioq.batches()].map(async (completions) => {
    let count = 0;
    for await (const one of completions) {
      count += Array.isArray(one) ? one.length : 1;
    }
    return count;
  });
  await ioq.close();
  const [single, batched] = await within(5000, Promise.all(counts), "the iterations");
  assertEquals(single! + batched!, 20);
});

forEachBackend("close() runs closes that wait in line behind unconsumed ones", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  const ioq = await open<number>({ depth: 3 });
  const fds = await Promise.all(Array.from({ length: 5 }, () => ioq.run(op.open(path))));
  for (let i = 0; i < 3; i++) {
    ioq.submit(op.nop(), i);
  }
  await sleep(5);
  const closes = fds.map((fd) => ioq.run(op.close(fd)));
  await within(5000, ioq.close(), "close()");
  await Promise.all(closes);
  assertEquals(descriptorsUnder(dir.path), 0);
  assertEquals(ioq.size, 3);
  assertEquals(ioq.capacity, 0);
  for (let left = 2; left >= 0; left--) {
    assertEquals(ioq.poll()?.ok, true);
    assertEquals(ioq.size, left);
    assertEquals(ioq.capacity, 3 - left);
  }
  assertEquals(ioq.poll(), undefined);
});

forEachBackend("close() leaves no thread, no descriptor and no mapping", async ({ open }) => {
  // The first one may have the runtime open something of its own
  await (await open()).close();
  const before = descriptors();
  const threads = laneThreads();
  for (let cycle = 0; cycle < 100; cycle++) {
    const ioq = await open({ depth: 1 + cycle % 70 });
    if (cycle === 0) {
      // Threads start with the first request that wants one
      await ioq.stat("/");
      assert(laneThreads() > threads);
      assert(descriptors().size > before.size);
      assert(isMapped());
    }
    if (cycle % 2) {
      ioq.submit(op.stat("/"));
      ioq.nop().catch(() => {});
    }
    if (cycle % 5 === 0) {
      await ioq.readDir("/");
    }
    await ioq.close();
    assertEquals(descriptors().size, before.size, `cycle ${cycle}`);
  }
  // A thread that was joined may take a moment to leave the list
  await until(() => laneThreads() === threads, "threads gone");
  assertEquals([...descriptors().keys()].sort(), [...before.keys()].sort());
  assertEquals(isMapped(), false);
}, ({ nativeThreads }) => nativeThreads);

forEachBackend("several queues at once do not disturb each other", async ({ open }) => {
  const queues = await Promise.all(Array.from({ length: 5 }, () => open<number>({ depth: 10 })));
  queues.forEach((ioq, at) => {
    for (let i = 0; i < 10; i++) {
      ioq.submit(op.stat("/"), at);
    }
  });
  await queues[0]!.close();
  queues[1]!.cancelAll();
  for (const [at, ioq] of queues.entries()) {
    let count = 0;
    for await (const completion of ioq) {
      assertEquals(completion.data, at);
      assert(at < 2 || completion.ok);
      count++;
    }
    assertEquals(count, 10);
    await ioq.close();
  }
});
