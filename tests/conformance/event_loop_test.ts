// Copyright 2026 the ioq authors. MIT license.

/** The queue leaves the event loop its share, even when nothing ever has to wait. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Ioq, type IoqFile, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { TempDir, within } from "../fixtures.ts";

/** Operations after which a timer of a millisecond must have fired: seconds' worth. */
const OPERATIONS_MAX = 10_000_000;

/** Run rounds of operations until a timer fires. Returns whether it did. */
async function untilTimer(round: () => Promise<number>): Promise<boolean> {
  let fired = false;
  const timer = setTimeout(() => fired = true, 1);
  for (let count = 0; !fired && count < OPERATIONS_MAX;) {
    count += await round();
  }
  clearTimeout(timer);
  return fired;
}

forEachBackend("timers fire while promises of operations settle at once", async ({ open }) => {
  await using ioq = await open();
  assert(
    await untilTimer(async () => {
      await ioq.nop();
      return 1;
    }),
  );
});

forEachBackend("timers fire while the stream never runs dry", async ({ open }) => {
  await using ioq = await open({ depth: 64 });
  assert(
    await untilTimer(async () => {
      for (let i = 0; i < 64; i++) {
        ioq.submit(op.nop());
      }
      let count = 0;
      for await (const _ of ioq) {
        count++;
      }
      return count;
    }),
  );
});

forEachBackend("timers fire while batches never run dry", async ({ open }) => {
  await using ioq = await open({ depth: 64 });
  assert(
    await untilTimer(async () => {
      for (let i = 0; i < 64; i++) {
        ioq.submit(op.kernelNop());
      }
      let count = 0;
      for await (const batch of ioq.batches()) {
        count += batch.length;
      }
      return count;
    }),
  );
});

const MEBIBYTE = 1024 * 1024;
/** How many transfers of 1 MiB may complete before the event loop does something else. */
const TRANSFERS_MAX = 8;

forEachBackend("large reads are handed out a few at a time", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "x".repeat(MEBIBYTE));
  await using ioq = await open();
  await using file = await ioq.openFile(path);
  let settled = 0;
  let most = 0;
  let before = 0;
  let reading = true;
  const look = () => {
    most = Math.max(most, settled - before);
    before = settled;
    if (reading) {
      setImmediate(look);
    }
  };
  setImmediate(look);
  await Promise.all(Array.from({ length: 64 }, async () => {
    const buffer = new Uint8Array(MEBIBYTE);
    for (let i = 0; i < 4; i++) {
      assertEquals(await file.readAt(buffer, 0), MEBIBYTE);
      settled++;
    }
  }));
  reading = false;
  assertEquals(settled, 256);
  assert(most <= TRANSFERS_MAX, `${most} at once`);
});

forEachBackend("large writes are taken a few at a time", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.at("file");
  await using ioq = await open();
  await using file = await ioq.openFile(path, { write: true, create: true });
  const block = new Uint8Array(MEBIBYTE);
  const controller = new AbortController();
  const { signal } = controller;
  const writes = Array.from({ length: 32 }, (_, i) => file.writeAt(block.fill(7), i * MEBIBYTE));
  const last = file.writeAt(block, 0, { signal });
  assert(ioq.size <= TRANSFERS_MAX, `${ioq.size} taken`);
  // What waits its turn can be aborted, and what is small does not wait
  controller.abort(new Error("mine"));
  await assertRejects(() => last, Error, "mine");
  assertEquals((await file.stat()).isFile, true);
  assertEquals(await Promise.all(writes), writes.map(() => MEBIBYTE));
  const written = Deno.readFileSync(path);
  assertEquals(written.length, 32 * MEBIBYTE);
  assert(written.every((byte) => byte === 7));
});

forEachBackend("a large read of a pipe can be aborted", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const file = await ioq.openFile(dir.fifo("fifo"), { read: true, write: true });
  const controller = new AbortController();
  const { signal } = controller;
  const read = file.read(new Uint8Array(MEBIBYTE), { signal });
  setTimeout(() => controller.abort(new Error("mine")), 20);
  await assertRejects(() => read, Error, "mine");
  await within(5000, file.close(), "close()");
}, (row) => row.interruptible);

/** How often an interval fires beside loops before it counts as not starved. */
const TICKS = 5;

/** Loops of promise forms, by what they do. */
const LOOPS: readonly (readonly [string, (ioq: Ioq, file: IoqFile, path: string) => LoopBody])[] = [
  ["nop", (ioq) => () => ioq.nop()],
  ["kernelNop", (ioq) => () => ioq.run(op.kernelNop())],
  ["open and close", (ioq, _, path) => async () => {
    await ioq.run(op.close(await ioq.run(op.open(path))));
  }],
  ["readAt", (_, file) => {
    const buffer = new Uint8Array(512);
    // A timeout keeps it from being read past the queue
    return () => file.readAt(buffer, 0, { timeoutMs: 60_000 });
  }],
  ["stat", (ioq, _, path) => () => ioq.stat(path)],
];

/** What a loop does over and over. */
type LoopBody = () => Promise<unknown>;

for (const inFlight of [1, 64, 256, 1024, 10_000]) {
  forEachBackend(`an interval fires beside ${inFlight} in flight`, async ({ open, row }) => {
    using dir = new TempDir();
    const path = dir.file("file", "contents");
    await using ioq = await open({ depth: inFlight });
    await using file = await ioq.openFile(path);
    for (const [name, makeBody] of LOOPS) {
      if (name === "open and close" && inFlight > 1024) {
        // More descriptors than a process may have by default
        continue;
      }
      const body = makeBody(ioq, file, path);
      const operationsMax = row.nativeThreads ? 2_000_000 : 200_000;
      let ticks = 0;
      let operations = 0;
      const interval = setInterval(() => ticks++, 1);
      const loop = async () => {
        while (ticks < TICKS && operations < operationsMax) {
          operations++;
          await body();
        }
      };
      await within(60_000, Promise.all(Array.from({ length: inFlight }, loop)), name);
      clearInterval(interval);
      assert(ticks >= TICKS, `${name}: ${ticks} ticks beside ${operations} operations`);
    }
  });
}

forEachBackend("an interval fires while a full queue is submitted to", async ({ open }) => {
  // Each submission that finds room goes on at once: nothing but the stream is awaited
  await using ioq = await open({ depth: 4096 });
  let ticks = 0;
  const interval = setInterval(() => ticks++, 1);
  let operations = 0;
  while (ticks < TICKS && operations < 2_000_000) {
    while (ioq.capacity > 0) {
      ioq.submit(op.kernelNop());
      operations++;
    }
    for await (const _ of ioq) {
      break;
    }
  }
  clearInterval(interval);
  assert(ticks >= TICKS, `${ticks} ticks beside ${operations} operations`);
});

forEachBackend("a full batch resolves no promise, and keeps its order", async ({ open }) => {
  await using ioq = await open<number>({ depth: 2000 });
  const before = ioq.completed;
  for (let i = 0; i < 2000; i++) {
    ioq.submit(op.nop(), i);
  }
  // Nothing has run within this callback
  assertEquals(ioq.completed, before);
  assertEquals(ioq.size, 2000);
  const seen: number[] = [];
  for await (const { data } of ioq) {
    seen.push(data);
  }
  assertEquals(seen.toSorted((a, b) => a - b), Array.from({ length: 2000 }, (_, i) => i));
});

forEachBackend("what a turn has no room for can be cancelled, and times out", async ({ open }) => {
  await using ioq = await open<string>({ depth: 2000 });
  const ids = Array.from({ length: 1000 }, () => ioq.submit(op.sleep(1e6), "cancelled"));
  for (let i = 0; i < 999; i++) {
    ioq.submit(op.sleep(1e6), "late", { timeoutMs: 1 });
  }
  for (const id of ids) {
    assertEquals(ioq.cancel(id), true);
    assertEquals(ioq.cancel(id), false);
  }
  const outcomes = new Map<string, number>();
  for await (const { data, ...completion } of ioq) {
    const error = completion.ok ? "none" : (completion.error as { code?: string }).code;
    outcomes.set(`${data} ${error}`, (outcomes.get(`${data} ${error}`) ?? 0) + 1);
  }
  assertEquals(outcomes, new Map([["cancelled EINTR", 1000], ["late ETIMEDOUT", 999]]));
});

forEachBackend("what is written is what was there when it was submitted", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open({ depth: 1000 });
  await using file = await ioq.openFile(path, { write: true });
  const chunk = new Uint8Array(16);
  for (let i = 0; i < 1000; i++) {
    chunk.fill(i % 251);
    ioq.submit(op.write(file.fd, chunk, 16 * i));
  }
  chunk.fill(0xee);
  for await (const completion of ioq) {
    assert(completion.ok);
  }
  const written = Deno.readFileSync(path);
  assertEquals(written, Uint8Array.from({ length: 16_000 }, (_, i) => (i >> 4) % 251));
});
