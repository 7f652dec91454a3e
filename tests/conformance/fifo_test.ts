// Copyright 2026 the ioq authors. MIT license.

/** Opening FIFOs, which waits for the other end. */

import { assertEquals, assertRejects } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, descriptorsUnder, sleep, TempDir, text, until, within } from "../fixtures.ts";

for (
  const [what, ours, theirs] of [
    ["read", { read: true }, { write: true }],
    ["written", { write: true }, { read: true }],
  ] as const
) {
  forEachBackend(`a FIFO that is to be ${what} is open when its other end is`, async ({ open }) => {
    using dir = new TempDir();
    const path = dir.fifo("fifo");
    await using ioq = await open();
    for (let round = 0; round < 3; round++) {
      let isOpen = false;
      const opening = ioq.run(op.open(path, ours)).finally(() => isOpen = true);
      await sleep(30);
      assertEquals(isOpen, false);
      // Which in turn waits for nobody now
      using other = await within(5000, Deno.open(path, theirs), "the other end");
      const fd = await within(5000, opening, "the opening");
      if (what === "read") {
        other.writeSync(bytes("data"));
        assertEquals(text(await ioq.run(op.read(fd, 10))), "data");
      } else {
        await ioq.run(op.write(fd, bytes("data")));
        const target = new Uint8Array(10);
        assertEquals(text(target.subarray(0, other.readSync(target)!)), "data");
      }
      await ioq.run(op.close(fd));
      assertEquals(descriptorsUnder(dir.path), 1);
    }
  });

  forEachBackend(`what waits for a FIFO to be ${what} is cancelled`, async ({ open }) => {
    using dir = new TempDir();
    const path = dir.fifo("fifo");
    await using ioq = await open();
    for (const wait of [0, 1, 30]) {
      const abort = new AbortController();
      const opening = ioq.run(op.open(path, ours), { signal: abort.signal });
      await sleep(wait);
      abort.abort(new Error("no more"));
      await assertRejects(() => within(5000, opening, "the opening"), Error, "no more");
    }
    await until(() => descriptorsUnder(dir.path) === 0, "descriptors to be closed");
    await assertRejects(
      () => within(5000, ioq.run(op.open(path, ours), { timeoutMs: 30 }), "the opening"),
      Deno.errors.TimedOut,
    );
    await until(() => descriptorsUnder(dir.path) === 0, "descriptors to be closed");
  });
}

forEachBackend(
  "FIFOs that wait keep no close from being done after cancelAll()",
  async ({ open }) => {
    using dir = new TempDir();
    const ioq = await open({ depth: 4, threads: 2 });
    const file = await ioq.openFile(dir.file("file"));
    const reader = await ioq.openFile(dir.fifo("reader"), { read: true, write: true });
    const outcomes = Promise.allSettled([
      reader.read(new Uint8Array(1)),
      ...Array.from({ length: 8 }, (_, i) => ioq.openFile(dir.fifo(`fifo${i}`))),
    ]);
    await sleep(5);
    ioq.cancelAll();
    await within(5000, Promise.all([file.close(), reader.close()]), "closes");
    const settled = await within(5000, outcomes, "what waited");
    assertEquals(new Set(settled.map(({ status }) => status)), new Set(["rejected"]));
    await within(5000, ioq.close(), "close()");
    assertEquals(descriptorsUnder(dir.path), 0);
  },
);
