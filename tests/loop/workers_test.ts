// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Canceled,
  ConcurrencyUnavailable,
  EventLoop,
  SharedCondition,
  SharedMutex,
  SharedSemaphore,
} from "@ioq/ioq/loop";
import { laneThreads, LIBRARY, LOOP_MOD, runDeno, TempDir, until, within } from "../fixtures.ts";
import { forEachLoop } from "./rows.ts";

function module(name: string): URL {
  return new URL(`./modules/${name}.ts`, import.meta.url);
}

forEachLoop(
  "concurrent() runs a module in a Worker, over a queue of its own",
  async ({ loop, row }) => {
    using dir = new TempDir();
    const path = dir.file("file", "12345");
    const bytes = new Uint8Array([1, 2]);
    const future = loop.concurrent<{ size: number; bytes: Uint8Array; kind: string }>(
      module("stat_task"),
      [path, bytes],
    );
    bytes[1] = 99;
    const { size, bytes: there, kind } = await future;
    assertEquals([size, [...there], [...bytes]], [5, [2, 2], [1, 99]]);
    assertEquals(kind, row.options.backend);
    assertEquals(future.done, true);

    const moved = new Uint8Array([5]);
    await loop.concurrent(module("stat_task").href, [path, moved], { transfer: [moved.buffer] });
    assertEquals(moved.byteLength, 0);
  },
);

forEachLoop("a task in a Worker is cancelled where it waits", async ({ loop }) => {
  const future = loop.concurrent(module("sleep_task"), [1e6, false]);
  const kept = loop.concurrent(module("sleep_task"), [1e6, true]);
  // Both have begun when another one on the same Workers is through
  assertEquals(await loop.concurrent(module("sleep_task"), [1, false]), "slept");
  await assertRejects(() => within(20_000, future.cancel(), "cancel()"), Canceled);
  const early = loop.concurrent(module("sleep_task"), [1e6, true]);
  for (const future of [kept, early]) {
    // It may have been slow to begin, and then never did
    const end = await future.cancel().catch((error: unknown) => error);
    assert(end === "kept" || end instanceof Canceled, `${end}`);
  }
}, { workers: 2 });

forEachLoop("errors come back with class, code, cause and stack", async ({ loop }) => {
  for (const start of ["concurrent", "offload"] as const) {
    const run = (how: string) => loop[start](module("failing"), [how]);
    const missing = await assertRejects(() => run("notfound"), Deno.errors.NotFound);
    assertEquals((missing as { code?: string }).code, "ENOENT");
    assert(missing.message.includes("stat '/nope'"));
    const range = await assertRejects(() => run("range"), RangeError, "out of it");
    assert(range.stack!.includes("failing.ts"), range.stack);
    assert(range.cause instanceof Deno.errors.Busy);
    const thrown = await run("value").then(() => undefined, (error) => error);
    assertEquals(thrown, { some: "value" });
    // What cannot be cloned comes as text, and a name that no class has is kept
    const text = await run("function").then(() => undefined, (error) => error);
    assertEquals(String(text).replaceAll(" ", ""), "()=>{}");
    assertEquals(typeof text, "string");
    const named = await assertRejects(() => run("named"), Error, "of a kind of its own");
    assertEquals(named.name, "OwnError");
    const clone = await assertRejects(() => run("clone"), DOMException);
    assertEquals(clone.name, "DataCloneError");
  }
});

forEachLoop("what cannot be run or cloned is refused", async ({ loop }) => {
  for (const start of ["concurrent", "offload"] as const) {
    const error = assertThrows(() => loop[start](module("sum"), [() => {}]), DOMException);
    assertEquals(error.name, "DataCloneError");
    assertThrows(() => loop[start]("./sum.ts"), TypeError);
    assertThrows(() => loop[start](7 as never), TypeError);
    assertThrows(() => loop[start](module("sum"), 7 as never), TypeError);
    const missing = await assertRejects(() => loop[start](module("missing")), TypeError);
    assert(missing.message.includes("missing.ts"), missing.message);
    await assertRejects(() => loop[start](module("no_default")), TypeError, "default export");
  }
  assertEquals(loop.running, 0);
});

forEachLoop("a Worker that dies takes its own tasks with it and no others", async ({ loop }) => {
  for (const how of ["close", "exit", "die"]) {
    const other = loop.concurrent(module("sleep_task"), [1e6, true]);
    const dying = loop.concurrent(module("failing"), [how]);
    await assertRejects(() => within(20_000, dying, how), Error, "The Worker died");
    const offloaded = loop.offload(module("failing"), [how]);
    await assertRejects(() => within(20_000, offloaded, how), Error, "The Worker died");
    assertEquals(other.done, false);
    await other.cancel().catch((error) => assert(error instanceof Canceled));
    assertEquals((await loop.offload<{ sum: number }>(module("sum"), [[1, 2]])).sum, 3);
  }
}, { workers: 2 });

forEachLoop("offload() has a Worker for each, and a line behind them", async ({ loop }) => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const blocked = [1, 2].map(() => loop.offload<number>(module("block"), [words]));
  await until(() => Atomics.load(words, 1) === 2, "both run");
  // These wait in line, whatever becomes of their arguments
  const numbers = [1, 2, 3];
  const sums = [1, 2, 3].map(() => loop.offload<{ sum: number }>(module("sum"), [numbers]));
  numbers[0] = 100;
  const bytes = new Uint8Array(8);
  const moved = loop.offload(module("sum"), [[], bytes], { transfer: [bytes.buffer] });
  assertEquals(bytes.byteLength, 0);
  assertThrows(() => loop.offload(module("sum"), [() => {}]), DOMException);
  await assertRejects(() => sums[1]!.cancel(), Canceled);
  // A task is not held up by those who compute
  assertEquals(await loop.concurrent(module("sleep_task"), [1, false]), "slept");
  Atomics.store(words, 0, 1);
  Atomics.notify(words, 0);
  assertEquals(await blocked[0]!.cancel() >= 0, true);
  assertEquals((await sums[0]!).sum, 6);
  assertEquals((await sums[2]!).sum, 6);
  await Promise.all([...blocked, moved]);
}, { workers: 2 });

forEachLoop("tasks that have not begun go to a Worker that waits", async ({ loop }) => {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const waiting = loop.concurrent(module("sleep_task"), [1e6, true]);
  const blocking = loop.concurrent<number>(module("block_task"), [words]);
  try {
    await until(() => Atomics.load(words, 1) === 1, "it blocks");
    // None of these may end up behind it
    const late = Array.from({ length: 40 }, () => loop.concurrent(module("sleep_task"), [1]));
    const bytes = new Uint8Array(8);
    const args = [1, false, bytes];
    late.push(loop.concurrent(module("sleep_task"), args, { transfer: [bytes.buffer] }));
    assertEquals(bytes.byteLength, 0);
    assertThrows(() => loop.concurrent(module("sleep_task"), [() => {}]), DOMException);
    const last = loop.concurrent(module("sleep_task"), [1e6]);
    await assertRejects(() => within(20_000, last.cancel(), "cancel()"), Canceled);
    const slept = await within(20_000, Promise.all(late), "those that came late");
    assertEquals(slept, late.map(() => "slept"));
    assertEquals(blocking.done, false);
  } finally {
    Atomics.store(words, 0, 1);
    Atomics.notify(words, 0);
  }
  assertEquals(await blocking, 0);
  assertEquals(await waiting.cancel(), "kept");
}, { workers: 2 });

forEachLoop("concurrencyLimit counts tasks in Workers", async ({ loop }) => {
  const one = loop.concurrent(module("sleep_task"), [1e6, false]);
  assertThrows(() => loop.concurrent(module("sleep_task"), [1, false]), ConcurrencyUnavailable);
  assertEquals((await loop.offload<{ sum: number }>(module("sum"), [[4]])).sum, 4);
  await assertRejects(() => one.cancel(), Canceled);
  assertEquals(await loop.concurrent(module("sleep_task"), [1, false]), "slept");
}, { concurrencyLimit: 1 });

forEachLoop("a producer and a consumer in two Workers", async ({ loop }) => {
  const ring = {
    mutex: new SharedMutex().buffer,
    notEmpty: new SharedCondition().buffer,
    notFull: new SharedCondition().buffer,
    permits: new SharedSemaphore(2).buffer,
    words: new Int32Array(new SharedArrayBuffer(4 * 6)),
  };
  const count = 300;
  const [produced, consumed] = await within(
    60_000,
    Promise.all([
      loop.concurrent<number>(module("ring_task"), ["producer", count, ring]),
      loop.concurrent<number>(module("ring_task"), ["consumer", count, ring]),
    ]),
    "the exchange",
  );
  assertEquals([produced, consumed], [count * (count + 1) / 2, count * (count + 1) / 2]);
}, { workers: 2 });

forEachLoop("closing the loop cancels what is in Workers, and stops them", async ({ loop }) => {
  const before = laneThreads();
  const sleeping = loop.concurrent(module("sleep_task"), [1e6, false]);
  const group = loop.group();
  const member = group.concurrent(module("sleep_task"), [1e6, false]);
  assertEquals((await group.offload<{ sum: number }>(module("sum"), [[4]])).sum, 4);
  assertEquals(await loop.concurrent(module("sleep_task"), [1, false]), "slept");
  await Promise.all([
    loop.close(),
    ...[sleeping, member].map((it) => assertRejects(() => it, Canceled)),
  ]);
  await until(() => laneThreads() <= before, "threads that were joined to be gone");
  assertThrows(() => loop.concurrent(module("sum")), Deno.errors.BadResource);
  assertThrows(() => loop.offload(module("sum")), Deno.errors.BadResource);
});

forEachLoop(
  "what computes in a Worker is ended when the loop has waited for it",
  async ({ open }) => {
    await using ioq = await open();
    for (const start of ["offload", "concurrent"] as const) {
      const loop = new EventLoop(ioq, { workers: 2 });
      const words = new Int32Array(new SharedArrayBuffer(8));
      const name = start === "offload" ? "block" : "block_task";
      const blocked = loop[start](module(name), [words]);
      const other = loop.concurrent(module("sleep_task"), [1e6, false]);
      await until(() => Atomics.load(words, 1) === 1, "it blocks");
      assertThrows(() => loop.close({ timeoutMs: -1 }), RangeError);
      const [closed] = await Promise.all([
        assertRejects(() => loop.close({ timeoutMs: 50 }), Deno.errors.TimedOut),
        assertRejects(() => blocked, Canceled, "Worker ended after 50 ms"),
        assertRejects(() => other, Canceled),
      ]);
      assert(
        /^Cannot close the event loop within 50 ms, .* not end$/.test(closed.message),
        closed.message,
      );
      assertEquals(loop.running, 0);
      assertThrows(() => loop.async(() => {}), Deno.errors.BadResource);
    }
    assert((await ioq.stat("/")).isDirectory);
  },
);

forEachLoop(
  "a Worker that loads a module for ever is ended when the loop has waited for it",
  async ({ open }) => {
    await using ioq = await open();
    for (const start of ["offload", "concurrent"] as const) {
      for (const cancels of [true, false]) {
        using dir = new TempDir();
        const loop = new EventLoop(ioq, { workers: 2 });
        const url = new URL(module("load_forever"));
        url.searchParams.set("path", dir.at("loading"));
        const future = loop[start](url);
        const failed = assertRejects(() => future, Canceled);
        await until(() => [...Deno.readDirSync(dir.path)].length > 0, "it is being loaded");
        if (cancels) {
          future.cancel().catch(() => {});
        }
        await assertRejects(
          () => loop.close({ timeoutMs: 20 }),
          Deno.errors.TimedOut,
          "Cannot close the event loop within 20 ms, 1 ",
        );
        await failed;
      }
    }
  },
);

Deno.test("Workers load the library that the loop was opened with", async () => {
  for (const library of [LIBRARY, new URL(`file://${LIBRARY}`)]) {
    await using loop = await EventLoop.open({ library, backend: "threads" });
    const { kind } = await loop.concurrent<{ kind: string }>(module("stat_task"), [
      "/",
      new Uint8Array(1),
    ]);
    assertEquals(kind, "threads");
  }
});

Deno.test("Workers that have nothing to do stop, and let the process end", async () => {
  const { code, stdout, stderr } = await runDeno(
    `
    import { EventLoop } from ${JSON.stringify(LOOP_MOD)};
    const loop = await EventLoop.open({ workerIdleMs: 20 });
    const module = ${JSON.stringify(module("sum").href)};
    console.log((await loop.offload(module, [[1, 2]])).calls);
    console.log((await loop.offload(module, [[1, 2]])).calls);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    console.log((await loop.offload(module, [[1, 2]])).calls);
  `,
  );
  assertEquals([code, stdout, stderr], [0, "1\n2\n1\n", ""]);
});
