// Copyright 2026 the ioq authors. MIT license.

/** The queue leaves the event loop its share, even when nothing ever has to wait. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { setImmediate } from "node:timers";
import { op } from "../../mod.ts";
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
