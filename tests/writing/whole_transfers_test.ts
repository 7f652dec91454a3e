// Copyright 2026 the ioq authors. MIT license.

/** Transfers that are complete or fail, room that is reserved, and holes. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { forEachBackend } from "../backends.ts";
import { bytes, descriptorsUnder, errorOf, TempDir, text } from "../fixtures.ts";

const MIB = 1024 * 1024;
const OPEN = { read: true, write: true, create: true };

forEachBackend("readExactAt() fills its buffer, or tells that it cannot", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const data = Uint8Array.from({ length: 9 * MIB + 3 }, (_, i) => i * 31 + (i >> 8));
  Deno.writeFileSync(dir.at("file"), data);
  await using file = await ioq.openFile(dir.at("file"));
  for (const [offset, length] of [[0, 0], [0, 5], [5, 4096], [1, 9 * MIB], [data.length, 0]]) {
    const buffer = new Uint8Array(length!);
    await file.readExactAt(buffer, offset!);
    assert(buffer.every((byte, at) => byte === data[offset! + at]), `${offset} ${length}`);
  }
  for (const [offset, length] of [[data.length, 1], [data.length - 3, 4], [2 ** 40, 1]]) {
    await assertRejects(
      () => file.readExactAt(new Uint8Array(length!), offset!),
      Deno.errors.UnexpectedEof,
    );
  }
  assertEquals(await file.seek(0, Deno.SeekMode.Current), 0);
  await assertRejects(() => file.readExactAt(new Uint8Array(1), -1), RangeError);
  await assertRejects(
    () => file.readExactAt(new Uint8Array(1), 0, { signal: AbortSignal.abort(new Error("no")) }),
    Error,
    "no",
  );
});

forEachBackend("writeAllAt() and writeAll() write all, in order", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const large = Uint8Array.from({ length: 5 * MIB + 1 }, (_, i) => i >> 4);
  {
    await using file = await ioq.openFile(dir.at("ours"), OPEN);
    using denos = Deno.openSync(dir.at("denos"), OPEN);
    // None of them awaited before the next
    const calls = [
      file.writeAll(bytes("first ")),
      file.writeAll(large),
      file.write(bytes("between ")),
      file.writeAll(bytes("last")),
      file.writeAll(new Uint8Array()),
    ];
    assertEquals((await Promise.all(calls)).filter((it) => it !== undefined), [8]);
    for (const part of [bytes("first "), large, bytes("between "), bytes("last")]) {
      for (let done = 0; done < part.length;) {
        done += denos.writeSync(part.subarray(done));
      }
    }
    const end = denos.seekSync(0, Deno.SeekMode.Current);
    assertEquals(await file.seek(0, Deno.SeekMode.Current), end);
    await file.writeAllAt(bytes("at"), 3);
    await file.writeAllAt(large, 20 * MIB);
    assertEquals(await file.seek(0, Deno.SeekMode.Current), end);
    denos.seekSync(3, Deno.SeekMode.Start);
    denos.writeSync(bytes("at"));
    denos.seekSync(20 * MIB, Deno.SeekMode.Start);
    for (let done = 0; done < large.length;) {
      done += denos.writeSync(large.subarray(done));
    }
  }
  const [ours, denos] = ["ours", "denos"].map((name) => Deno.readFileSync(dir.at(name)));
  assertEquals(ours!.length, denos!.length);
  assert(ours!.every((byte, at) => byte === denos![at]));
  {
    await using file = await ioq.openFile(dir.at("ours"), { append: true });
    await Promise.all([file.writeAll(large), file.writeAll(bytes("the end"))]);
  }
  const appended = Deno.readFileSync(dir.at("ours"));
  assertEquals(appended.length, ours!.length + large.length + 7);
  assertEquals(text(appended.subarray(-7)), "the end");
  {
    await using full = await ioq.openFile("/dev/full", { write: true });
    for (const write of [() => full.writeAll(large), () => full.writeAllAt(bytes("x"), 0)]) {
      assertEquals((await errorOf(write) as { code?: string }).code, "ENOSPC");
    }
  }
  const closed = await ioq.openFile(dir.at("ours"), OPEN);
  await closed.close();
  const late = [
    () => closed.writeAll(large),
    () => closed.writeAllAt(large, 0),
    () => closed.readExactAt(new Uint8Array(1), 0),
    () => closed.allocate(0, 1),
    () => closed.seekData(0),
    () => closed.seekHole(0),
  ];
  for (const call of late) {
    await assertRejects(call, Deno.errors.BadResource);
  }
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("writeAll() to a pipe writes all of it", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const fifo = dir.fifo("fifo");
  const data = Uint8Array.from({ length: 300_000 }, (_, i) => i >> 4);
  const reading = Deno.readFile(fifo);
  await using file = await ioq.openFile(fifo, { write: true });
  await file.writeAll(data);
  await file.close();
  const read = await reading;
  assertEquals(read.length, data.length);
  assert(read.every((byte, at) => byte === data[at]));
}, (row) => row.library && row.concurrent);

forEachBackend("allocate() reserves room, and keeps the size if told to", async ({ open, row }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using file = await ioq.openFile(dir.at("file"), OPEN);
  if (!row.library) {
    await assertRejects(() => file.allocate(0, MIB), Deno.errors.NotSupported);
    return;
  }
  await file.allocate(0, MIB, { keepSize: true });
  assertEquals(Deno.statSync(dir.at("file")).size, 0);
  assert(Deno.statSync(dir.at("file")).blocks! * 512 >= MIB);
  await file.allocate(MIB, MIB);
  assertEquals((await file.stat()).size, 2 * MIB);
  await assertRejects(() => file.allocate(0, 0), RangeError);
  await assertRejects(() => file.allocate(-1, 1), RangeError);
});

forEachBackend("seekData() and seekHole() find what lseek(2) finds", async ({ open, row }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using file = await ioq.openFile(dir.at("file"), OPEN);
  await file.writeAllAt(bytes("data"), 4 * MIB);
  await file.truncate(9 * MIB);
  const { size } = await file.stat();
  // Where a file system knows of no holes, all is data up to the end
  const first = await file.seekData(0);
  assertEquals(first, row.library ? 4 * MIB : 0);
  assertEquals(await file.seek(0, Deno.SeekMode.Current), first);
  const buffer = new Uint8Array(4);
  assertEquals(await file.read(buffer), 4);
  assertEquals(text(buffer), row.library ? "data" : "\0\0\0\0");
  const hole = await file.seekHole(4 * MIB);
  assert(hole! > 4 * MIB && hole! <= size, String(hole));
  assertEquals(await file.seekHole(0), row.library ? 0 : size);
  await file.seek(7, Deno.SeekMode.Start);
  assertEquals(await file.seekData(size), null);
  assertEquals(await file.seekHole(size + 1), null);
  assertEquals(await file.seekData(hole!), row.library ? null : hole! < size ? hole : null);
  if (row.library) {
    assertEquals(await file.seek(0, Deno.SeekMode.Current), 7);
  }
  await assertRejects(() => file.seekData(-1), RangeError);
});
