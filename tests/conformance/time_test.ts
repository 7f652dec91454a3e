// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { errorOf, valueOf, within } from "../fixtures.ts";

const CLOCKS = ["monotonic", "realtime", "boottime"] as const;

forEachBackend("sleep() ends no earlier than it says, in order of time", async ({ open }) => {
  await using ioq = await open();
  const start = performance.now();
  const ended: number[] = [];
  await Promise.all([30, 10, 0, 20, 10.5].map(async (ms) => {
    assertEquals(await ioq.sleep(ms), undefined);
    assert(performance.now() - start >= ms, `${ms}`);
    ended.push(ms);
  }));
  assertEquals(ended, [0, 10, 10.5, 20, 30]);
});

forEachBackend("timeout() by every clock, for a while and until then", async ({ open }) => {
  await using ioq = await open();
  for (const clock of CLOCKS) {
    const until = ioq.now(clock) + 3_000_000n;
    await ioq.run(op.timeout(until, { clock, absolute: true }));
    assert(ioq.now(clock) >= until, clock);
    await ioq.run(op.timeout(until, { clock, absolute: true }));

    const start = ioq.now(clock);
    await ioq.run(op.timeout(2_000_001n, { clock }));
    assert(ioq.now(clock) >= start + 2_000_001n, clock);
    await ioq.run(op.timeout(0.5, { clock }));
  }
  const realtime = Number(ioq.now("realtime") / 1_000_000n);
  assert(Math.abs(realtime - Date.now()) < 10_000);
  const monotonic = ioq.now("monotonic");
  assert(ioq.now("boottime") >= monotonic);
});

forEachBackend("times that are none are refused before anything is queued", async ({ open }) => {
  await using ioq = await open();
  for (const ms of [-1, NaN, Infinity, -0.001, 2 ** 53]) {
    assertThrows(() => op.sleep(ms), RangeError);
    assertThrows(() => op.timeout(ms), RangeError);
    await assertRejects(() => ioq.sleep(ms), RangeError);
  }
  for (const time of [-1n, 1n << 63n]) {
    assertThrows(() => op.timeout(time), RangeError);
  }
  for (const time of ["1", null, undefined, new Date()]) {
    assertThrows(() => op.sleep(time as unknown as number), TypeError);
    assertThrows(() => op.timeout(time as unknown as number), TypeError);
  }
  assertThrows(() => op.timeout(1, { clock: "wall" as "realtime" }), TypeError, "clock");
  assertThrows(() => ioq.now("wall" as "realtime"), TypeError, "clock");
  assertEquals(ioq.size, 0);
});

forEachBackend("sleeps that last forever can be cancelled, all of them", async ({ open }) => {
  await using ioq = await open<number>({ depth: 300 });
  const controller = new AbortController();
  const reason = new Error("enough");
  const aborted = Array.from(
    { length: 100 },
    (_, i) => errorOf(() => ioq.sleep(2 ** 53 - 1 - i, { signal: controller.signal })),
  );
  const ids = CLOCKS.flatMap((clock) =>
    Array.from(
      { length: 60 },
      (_, i) => ioq.submit(op.timeout((1n << 63n) - 1n - BigInt(i), { clock, absolute: true }), i),
    )
  );
  await ioq.sleep(2);
  controller.abort(reason);
  for (const error of await within(5000, Promise.all(aborted), "aborting")) {
    assert(error === reason);
  }
  // From the middle of a heap, and its ends
  for (const [at, id] of ids.entries()) {
    if (at % 3 === 0) {
      assertEquals(ioq.cancel(id), true);
    }
  }
  await ioq.sleep(1);
  assertEquals(ioq.cancelAll(), true);
  let count = 0;
  for await (const completion of ioq) {
    count++;
    assert(!completion.ok && completion.error instanceof Deno.errors.Interrupted);
  }
  assertEquals(count, 180);
});

forEachBackend("sleeping keeps no worker thread busy", async ({ open }) => {
  await using ioq = await open({ threads: 1 });
  const controller = new AbortController();
  const sleeps = Array.from(
    { length: 50 },
    () => errorOf(() => ioq.sleep(1e6, { signal: controller.signal })),
  );
  await within(5000, ioq.readDir("/"), "a worker's operation");
  controller.abort();
  await Promise.all(sleeps);
});

forEachBackend("timeouts in the stream", async ({ open }) => {
  await using ioq = await open<string>();
  ioq.submit(op.sleep(4), "later");
  ioq.submit(op.timeout(1_000_000n), "sooner");
  const order: string[] = [];
  for await (const completion of ioq) {
    assertEquals(valueOf(completion, completion.data === "later" ? "sleep" : "timeout"), undefined);
    order.push(completion.data);
  }
  assertEquals(order, ["sooner", "later"]);
});
