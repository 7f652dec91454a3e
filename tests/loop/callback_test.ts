// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CallbackLoop, type WorkerOutcome } from "@ioq/ioq/loop";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";

forEachBackend("run() calls back until nothing is left", async ({ open }) => {
  await using loop = new CallbackLoop(await open({ depth: 4 }));
  const seen: string[] = [];
  loop.submit(op.stat("/"), (completion) => {
    assert(completion.ok && completion.op === "stat" && completion.value.isDirectory);
    seen.push("stat");
    loop.submit(op.stat("/nope"), (completion) => {
      assert(!completion.ok && completion.error instanceof Deno.errors.NotFound);
      seen.push("error");
    });
  });
  const running = loop.run();
  await assertRejects(() => loop.run(), Deno.errors.Busy);
  assertEquals(await running, true);
  assertEquals(seen, ["stat", "error"]);
  assertEquals(await loop.run(), true);
  assertThrows(() => loop.submit(op.nop(), undefined as never), TypeError);
  for (let i = 0; i < 4; i++) {
    loop.submit(op.nop(), () => seen.push("nop"));
  }
  assertThrows(() => loop.submit(op.nop(), () => {}), Deno.errors.WouldBlock);
  assertEquals(await loop.run(), true);
  assertEquals(seen.length, 6);
});

forEachBackend(
  "quit() and a callback's error leave the rest for the next run()",
  async ({ open }) => {
    await using loop = new CallbackLoop(await open());
    let count = 0;
    for (let i = 0; i < 10; i++) {
      loop.submit(op.nop(), () => {
        if (++count === 3) {
          loop.quit();
        } else if (count === 5) {
          throw new Error("of the callback");
        }
      });
    }
    assertEquals(await loop.run(), false);
    assertEquals(count, 3);
    await assertRejects(() => loop.run(), Error, "of the callback");
    assertEquals(count, 5);
    assertEquals(await loop.run(), true);
    assertEquals(count, 10);
  },
);

forEachBackend("close() during run() calls nobody back any more", async ({ open }) => {
  const loop = new CallbackLoop(await open());
  let called = 0;
  let closing: Promise<void> | undefined;
  for (let i = 0; i < 5; i++) {
    loop.submit(op.nop(), () => {
      called++;
      closing ??= loop.close();
    });
  }
  assertEquals(await loop.run(), false);
  await closing;
  assertEquals(called, 1);
});

forEachBackend("quit() before run() is kept for it", async ({ open }) => {
  await using loop = new CallbackLoop(await open());
  let called = 0;
  loop.submit(op.nop(), () => called++);
  loop.quit();
  assertEquals([await loop.run(), called], [false, 0]);
  assertEquals([await loop.run(), called], [true, 1]);
});

const SUM = new URL("./modules/sum.ts", import.meta.url);
const BLOCK = new URL("./modules/block.ts", import.meta.url);
const FAILING = new URL("./modules/failing.ts", import.meta.url);

forEachBackend("run() waits for functions in Workers as for requests", async ({ open }) => {
  await using loop = new CallbackLoop(await open({ depth: 4 }));
  const seen: unknown[] = [];
  const outcomes: WorkerOutcome[] = [];
  loop.async<{ sum: number }>(SUM, [[1, 2, 3]], (outcome) => {
    seen.push(outcome.ok && outcome.value.sum);
    // What a callback begins is waited for as well
    loop.submit(op.nop(), () => seen.push("nop"));
    loop.async(FAILING, ["range"], (outcome) => outcomes.push(outcome));
  });
  assertEquals(await loop.run(), true);
  assertEquals(seen, [6, "nop"]);
  const [failed] = outcomes;
  assert(failed !== undefined && !failed.ok && failed.error instanceof RangeError);
  assertThrows(() => loop.async(SUM, [], undefined as never), TypeError);
  assertThrows(() => loop.async("./sum.ts", [], () => {}), TypeError);
  assertThrows(() => loop.async(SUM, [() => {}], () => {}), DOMException);
  assertEquals(await loop.run(), true);
});

forEachBackend("quit() ends a run that waits for both", async ({ open }) => {
  await using loop = new CallbackLoop(await open());
  const words = new Int32Array(new SharedArrayBuffer(8));
  const seen: string[] = [];
  const id = loop.submit(op.timeout(3_600_000), () => seen.push("timeout"));
  loop.async(BLOCK, [words], () => seen.push("function"));
  loop.submit(op.nop(), () => {
    seen.push("nop");
    loop.quit();
  });
  assertEquals(await loop.run(), false);
  assertEquals(seen, ["nop"]);
  // Outside of a callback: it waits for nothing more
  const running = loop.run();
  loop.quit();
  assertEquals(await running, false);
  Atomics.store(words, 0, 1);
  Atomics.notify(words, 0);
  loop.ioq.cancel(id);
  assertEquals(await loop.run(), true);
  assertEquals(seen.toSorted(), ["function", "nop", "timeout"]);
});

forEachBackend("close() ends Workers whose functions do not end", async ({ open }) => {
  const loop = new CallbackLoop(await open());
  const words = new Int32Array(new SharedArrayBuffer(8));
  const outcomes: WorkerOutcome[] = [];
  loop.async(BLOCK, [words], (outcome) => outcomes.push(outcome));
  Atomics.wait(words, 1, 0, 1);
  while (Atomics.load(words, 1) === 0) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await assertRejects(() => loop.close({ timeoutMs: 5 }), Deno.errors.TimedOut, "1 function");
  assertEquals(await loop.run(), false);
  assertEquals(outcomes, []);
  assertThrows(() => loop.async(SUM, [[1]], () => {}), Deno.errors.BadResource);
});
