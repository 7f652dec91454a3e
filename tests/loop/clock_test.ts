// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Canceled } from "@ioq/ioq/loop";
import { forEachLoop } from "./rows.ts";

const CLOCKS = ["monotonic", "realtime", "boottime"] as const;

forEachLoop("sleepers wake in the order of their times, and never early", async ({ loop }) => {
  const order: number[] = [];
  const times = [30, 5, 20, 1, 10, 0];
  await Promise.all(times.map((ms) =>
    loop.async(async (io) => {
      const start = io.now();
      await io.sleep(ms);
      const slept = io.now() - start;
      assert(slept >= BigInt(ms) * 1_000_000n, `${slept} ns for ${ms} ms`);
      order.push(ms);
    })
  ));
  assertEquals(order, times.toSorted((a, b) => a - b));
});

forEachLoop(
  "a task sleeps until a deadline of any clock",
  async ({ loop }) => {
    await loop.async(async (io) => {
      for (const clock of CLOCKS) {
        const deadline = io.now(clock) + 3_000_000n;
        await io.sleepUntil(deadline, clock);
        assert(io.now(clock) >= deadline, clock);
        // It has passed
        await io.sleepUntil(deadline, { clock });
        await io.sleep(0.5, clock);
      }
      assert(Math.abs(Number(io.now("realtime") / 1_000_000n) - Date.now()) < 1000);
      const monotonic = io.now("monotonic");
      assert(io.now("boottime") >= monotonic);
      assertThrows(() => io.now("wall" as never), TypeError);
      await assertRejects(() => io.sleep(1, "wall" as never), TypeError);
      await assertRejects(() => io.sleep(-1), RangeError);
      await assertRejects(() => io.sleep(NaN), RangeError);
      await assertRejects(() => io.sleep("1" as never), TypeError);
      await assertRejects(() => io.sleep(-1n), RangeError);
      await assertRejects(() => io.sleepUntil(-1n), RangeError);
      await assertRejects(() => io.sleepUntil(5 as never), TypeError);
      // A while, in nanoseconds, as op.timeout() has it
      const start = io.now();
      await io.sleep(2_000_000n);
      assert(io.now() - start >= 2_000_000n);
    });
  },
);

forEachLoop("processor time is told by the library", async ({ loop, row }) => {
  await loop.async((io) => {
    if (!row.library) {
      for (const clock of ["process", "thread"] as const) {
        assertThrows(() => io.now(clock), Deno.errors.NotSupported, clock);
      }
      assertThrows(() => io.clockResolution(), Deno.errors.NotSupported, "monotonic");
      return;
    }
    const before = io.now("thread");
    while (io.now("thread") === before) {
      // It goes on while this computes
    }
    assert(io.now("process") >= io.now("thread"));
    for (const clock of [...CLOCKS, "process", "thread"] as const) {
      assert(io.clockResolution(clock) > 0, clock);
    }
    assertThrows(() => io.clockResolution("wall" as never), TypeError);
  });
});

forEachLoop(
  "a sleeper is cancelled whatever it sleeps by",
  async ({ loop }) => {
    for (const clock of CLOCKS) {
      const sleepers = [
        loop.async((io) => io.sleep(1e9, clock)),
        loop.async((io) => io.sleepUntil(io.now(clock) + 10n ** 18n, clock)),
      ];
      for (const sleeper of sleepers) {
        await assertRejects(() => sleeper.cancel(), Canceled);
      }
    }
    const controller = new AbortController();
    const aborted = loop.async((io) => io.sleep(1e9, { signal: controller.signal }));
    controller.abort();
    await assertRejects(() => aborted, DOMException);
  },
);
