// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CallbackLoop } from "@ioq/ioq/loop";
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
