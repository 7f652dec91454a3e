// Copyright 2026 the ioq authors. MIT license.

import { type Ioq, op } from "@ioq/ioq";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { forEachBackend } from "../backends.ts";
import { TempDir, within } from "../fixtures.ts";

/** Bytes that tell where they are from. */
const DATA = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7) ^ (i >> 8));

function total({ completed }: Ioq): number {
  return Object.values(completed).reduce((a, b) => a + b);
}

forEachBackend("what is cached is read like anything else", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.at("file");
  Deno.writeFileSync(path, DATA);
  await using ioq = await open();
  await using file = await ioq.openFile(path, { read: true, write: true });
  const buffer = new Uint8Array(1000);

  const before = total(ioq);
  for (let i = 0; i < 50; i++) {
    const offset = i * 1999;
    assertEquals(await file.readAt(buffer, offset), Math.min(1000, DATA.length - offset));
    assertEquals(buffer[0], DATA[offset]);
  }
  assertEquals(total(ioq) - before, 50, "each counts once");
  assertEquals([ioq.size, ioq.capacity], [0, ioq.depth]);

  // At the end, and beyond it
  assertEquals(await file.readAt(buffer, DATA.length - 10), 10);
  assertEquals(buffer.subarray(0, 10), DATA.subarray(-10));
  assertEquals(await file.readAt(buffer, DATA.length), null);
  assertEquals(await file.readAt(buffer, 2 ** 40), null);
  assertEquals(await file.readAt(new Uint8Array(), 0), 0);

  // A view has its place in its buffer
  const all = new Uint8Array(300);
  assertEquals(await file.readAt(all.subarray(100, 200), 500), 100);
  assertEquals(all.subarray(100, 200), DATA.subarray(500, 600));
  assert(all.subarray(0, 100).every((byte) => byte === 0));
  assert(all.subarray(200).every((byte) => byte === 0));

  // The position moves by what was read, and by that alone
  assertEquals(await file.read(buffer.subarray(0, 10)), 10);
  assertEquals(await file.read(buffer), 1000);
  assertEquals(buffer, DATA.slice(10, 1010));
  assertEquals(await file.readAt(buffer, 0), 1000);
  assertEquals(await file.seek(0, Deno.SeekMode.Current), 1010);
  const two = [new Uint8Array(5), new Uint8Array(5)] as const;
  assertEquals(await Promise.all(two.map((part) => file.read(part))), [5, 5]);
  assertEquals([...two[0], ...two[1]], [...DATA.slice(1010, 1020)]);
});

forEachBackend("a cached read overtakes no write to its file", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using file = await ioq.openFile(dir.file("file", "....."), { read: true, write: true });
  const buffer = new Uint8Array(3);
  const before = total(ioq);
  const { signal } = new AbortController();
  const both = Promise.all([file.write(new Uint8Array(2), { signal }), file.readAt(buffer, 1)]);
  // Neither was done by now: something was in flight on the file
  assertEquals(total(ioq), before);
  assertEquals(await both, [2, 3]);
});

forEachBackend("cached reads leave the event loop its turn", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.at("file");
  Deno.writeFileSync(path, DATA);
  await using ioq = await open();
  await using file = await ioq.openFile(path);
  let over = false;
  setTimeout(() => over = true);
  const buffer = new Uint8Array(4096);
  // Without end, were it not for the timer
  const reading = (async () => {
    while (!over) {
      await file.readAt(buffer, 0);
    }
  })();
  await within(20_000, reading, "the timer");
});

forEachBackend("a queue that takes nothing does not read what is cached", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.at("file");
  Deno.writeFileSync(path, DATA);
  await using ioq = await open({ depth: 2 });
  const file = await ioq.openFile(path);
  const buffer = new Uint8Array(4);
  assertEquals(await file.readAt(buffer, 0), 4);

  // Full: waits its turn
  ioq.submit(op.nop());
  ioq.submit(op.nop());
  const before = total(ioq);
  const waiting = file.readAt(buffer, 0);
  assertEquals(total(ioq), before);
  for await (const completion of ioq) {
    assert(completion.ok);
  }
  assertEquals(await waiting, 4);

  const signal = AbortSignal.abort(new Error("mine"));
  await assertRejects(() => file.readAt(buffer, 0, { signal }), Error, "mine");
  ioq.cancelAll();
  await assertRejects(() => file.readAt(buffer, 0), Deno.errors.Interrupted);
  await file.close();
  await assertRejects(() => file.readAt(buffer, 0), Deno.errors.BadResource);
});
