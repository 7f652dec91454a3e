// Copyright 2026 the ioq authors. MIT license.

/** Writes that are over when the device has them: they write what others write. */

import { op } from "@ioq/ioq";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { forEachBackend } from "../backends.ts";
import { TempDir } from "../fixtures.ts";

const DURABLE = { durable: true };

forEachBackend("a durable write writes what any write writes", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const part = (value: number, length: number) => new Uint8Array(length).fill(value);
  const large = part(68, 3_000_000);
  {
    await using file = await ioq.openFile(dir.at("file"), { write: true, create: true });
    assertEquals(await file.write(part(65, 2), DURABLE), 2);
    const several = [file.write(part(66, 1), DURABLE), file.write(part(66, 1))];
    assertEquals(await Promise.all(several), [1, 1]);
    assertEquals(await file.writeAt(part(67, 1), 1, DURABLE), 1);
    await file.writeAllAt(part(67, 1), 5, DURABLE);
    assertEquals(await file.seek(0, Deno.SeekMode.Current), 4);
    await file.writeAll(part(69, 1), DURABLE);
    assertEquals(await ioq.run(op.write(file.fd, part(70, 1), 6, DURABLE)), 1);
    assertEquals(Deno.readTextFileSync(dir.at("file")), "ACBBECF");
    await file.writeAll(large, DURABLE);
    const written = Deno.readFileSync(dir.at("file"));
    assertEquals(written.length, 5 + large.length);
    assert(written.subarray(5).every((byte) => byte === 68));
    // A request that was durable is used again by one that is not
    assertEquals(await file.writeAt(part(71, 1), 0, { timeoutMs: 60_000 }), 1);
  }
  await using log = await ioq.openFile(dir.file("log", "1"), { append: true });
  assertEquals(await log.write(part(50, 1), DURABLE), 1);
  assertEquals(await log.write(part(51, 1), { ...DURABLE, timeoutMs: 60_000 }), 1);
  assertEquals(Deno.readTextFileSync(dir.at("log")), "123");
});

forEachBackend("a durable write that cannot be tells why", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using file = await ioq.openFile(dir.file("file", "12"));
  await assertRejects(() => file.write(new Uint8Array(1), DURABLE), Error, "os error 9");
  const signal = AbortSignal.abort(new Error("mine"));
  await assertRejects(() => file.write(new Uint8Array(1), { ...DURABLE, signal }), Error, "mine");
  // There is nothing to wait for
  await using none = await ioq.openFile("/dev/null", { write: true });
  assertEquals(await none.write(new Uint8Array(3), DURABLE), 3);
});
