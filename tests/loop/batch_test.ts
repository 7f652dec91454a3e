// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Batch, type BatchResult, Canceled } from "@ioq/ioq/loop";
import { op } from "../../mod.ts";
import { forEachLoop } from "./rows.ts";

forEachLoop("a batch gives each outcome once, as it comes", async ({ loop }) => {
  await loop.async(async (io) => {
    await using batch = new Batch(io);
    assertEquals(await batch.next(), undefined);
    const paths = ["/", "/nope", "/etc"];
    assertEquals(paths.map((path) => batch.add(op.stat(path))), [0, 1, 2]);
    assertEquals(batch.size, 3);
    const results: BatchResult[] = [];
    for await (const result of batch) {
      results.push(result);
    }
    results.sort((a, b) => a.index - b.index);
    assertEquals(results.map(({ index, ok }) => [index, ok]), [[0, true], [1, false], [2, true]]);
    const [, failed] = results;
    assert(!failed!.ok && failed!.error instanceof Deno.errors.NotFound);
    assertEquals([batch.size, await batch.next()], [0, undefined]);
    assertThrows(() => batch.add({} as never), TypeError);
    assertEquals(batch.size, 0);
  });
  assertThrows(() => new Batch({} as never), TypeError);
});

forEachLoop("a batch is waited for within a time, and cancelled as a whole", async ({ loop }) => {
  await loop.async(async (io) => {
    const batch = new Batch(io);
    for (let i = 0; i < 3; i++) {
      batch.add(op.timeout(3_600_000));
    }
    await assertRejects(() => batch.next({ timeoutMs: 1 }), Deno.errors.TimedOut);
    await assertRejects(() => batch.next({ timeoutMs: -1 }), RangeError);
    const waiting = [batch.next(), batch.next(), batch.next(), batch.next()];
    await batch.cancel();
    const results = await Promise.all(waiting);
    assertEquals(results.map((result) => result?.ok), [false, false, false, undefined]);
    assertThrows(() => batch.add(op.nop()), Deno.errors.BadResource);
  });
});

forEachLoop("a batch is cancelled with its task", async ({ loop }) => {
  let batch: Batch | undefined;
  const task = loop.async(async (io) => {
    batch = new Batch(io);
    batch.add(op.timeout(3_600_000));
    batch.add(op.timeout(3_600_000));
    return await batch.next();
  });
  await null;
  await assertRejects(() => task.cancel(), Canceled);
  await batch!.cancel();
});
