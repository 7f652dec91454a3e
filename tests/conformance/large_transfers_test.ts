// Copyright 2026 the ioq authors. MIT license.

/** Transfers that are made in pieces, and those of several buffers. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { forEachBackend } from "../backends.ts";
import { bytes, descriptorsUnder, errorOf, TempDir, text, within } from "../fixtures.ts";

const BOTH = { read: true, write: true };
/** No multiple of anything. */
const LENGTH = 9 * 1024 * 1024 + 12_345;

function makeData(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: LENGTH }, (_, i) => i * 31 + (i >> 8) + (i >> 16));
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

forEachBackend("large reads and writes are whole", async ({ open }) => {
  using dir = new TempDir();
  const data = makeData();
  await using ioq = await open();
  await using file = await ioq.openFile(dir.file("file"), BOTH);
  assertEquals(await file.writeAt(data, 100), LENGTH);
  const target = new Uint8Array(LENGTH);
  assertEquals(await file.readAt(target, 100), LENGTH);
  assert(isSame(target, data));
  // Past the end there is less, and then nothing
  const half = LENGTH >> 1;
  target.fill(0);
  assertEquals(await file.readAt(target, 100 + half), LENGTH - half);
  assert(isSame(target.subarray(0, LENGTH - half), data.subarray(half)));
  assert(target.subarray(LENGTH - half).every((byte) => byte === 0));
  assertEquals(await file.readAt(target, LENGTH + 100), null);

  assertEquals(await file.seek(50, Deno.SeekMode.Start), 50);
  assertEquals(await file.write(data), LENGTH);
  assertEquals(await file.seek(0, Deno.SeekMode.Current), LENGTH + 50);
  await file.seek(50, Deno.SeekMode.Start);
  assertEquals(await file.read(target), LENGTH);
  assert(isSame(target, data));
  // The other write left the last fifty bytes
  assertEquals(await file.read(target), 50);
  assertEquals(await file.read(target), null);

  const readOnly = await ioq.openFile(dir.at("file"));
  assertEquals(
    (await errorOf(() => readOnly.writeAt(data, 0))).message.includes("os error 9"),
    true,
  );
  const reading = readOnly.readAt(target, 50);
  await readOnly.close();
  // It was in flight as a whole
  assertEquals(await reading, LENGTH);
  assert(isSame(target, data));
}, ({ library }) => library);

forEachBackend("a large transfer can be aborted", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using file = await ioq.openFile(dir.file("file"), BOTH);
  const data = makeData();
  await file.write(data);
  for (const transfer of ["readAt", "writeAt"] as const) {
    const controller = new AbortController();
    const promise = file[transfer](data, 0, { signal: controller.signal });
    controller.abort(new Error("mine"));
    await assertRejects(() => promise, Error, "mine");
  }
  await assertRejects(() => file.readAt(data, -1), RangeError);
  await assertRejects(() => file.writeAt(data, 0.5), RangeError);
});

forEachBackend("a large read of a pipe takes what there is", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.fifo("fifo");
  await using file = await ioq.openFile(path, BOTH);
  using other = await Deno.open(path, BOTH);
  await other.write(bytes("text"));
  const target = new Uint8Array(LENGTH);
  assertEquals(await within(5000, file.read(target), "read()"), 4);
  assertEquals(text(target.subarray(0, 4)), "text");
});

forEachBackend("large files are read and written whole", async ({ open }) => {
  using dir = new TempDir();
  const data = makeData();
  const path = dir.at("file");
  await using ioq = await open();
  await ioq.writeFile(path, data);
  assert(isSame(Deno.readFileSync(path), data));
  assert(isSame(await ioq.readFile(path), data));
  await ioq.writeFile(path, data, { append: true, mode: 0o600 });
  const { size, mode } = Deno.statSync(path);
  assertEquals([size, mode! & 0o777], [2 * LENGTH, 0o600]);
  await assertRejects(
    () => ioq.writeFile(path, data, { createNew: true }),
    Deno.errors.AlreadyExists,
  );
  await ioq.writeFile(path, bytes("short"));
  assertEquals(await ioq.readTextFile(path), "short");

  // It shrinks and grows while it is read; what comes is what was there at some time
  await ioq.writeFile(path, data);
  const reading = ioq.readFile(path);
  setTimeout(() => Deno.truncateSync(path, LENGTH - 5_000_000), 1);
  const read = await reading;
  assert(isSame(read, data.subarray(0, read.length)));

  const controller = new AbortController();
  const { signal } = controller;
  const aborted = [ioq.readFile(path, { signal }), ioq.writeFile(path, data, { signal })];
  controller.abort(new Error("mine"));
  for (const promise of aborted) {
    await assertRejects(() => promise, Error, "mine");
  }
  await ioq.close();
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("several buffers are read and written by one call", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using file = await ioq.openFile(dir.file("file"), BOTH);
  assertEquals(await file.writev([bytes("one "), bytes(""), bytes("two ")]), 8);
  assertEquals(await file.writevAt([bytes("three "), bytes("four")], 8), 10);
  assertEquals(Deno.readTextFileSync(dir.at("file")), "one two three four");
  const parts = [new Uint8Array(5), new Uint8Array(), new Uint8Array(7)];
  assertEquals(await file.readvAt(parts, 2), 12);
  assertEquals(parts.map(text), ["e two", "", " three "]);
  // The position is where the first write left it
  assertEquals(await file.readv(parts), 10);
  assertEquals(parts.map(text), ["three", "", " foure "]);
  assertEquals(await file.readv(parts), null);
  assertEquals(await file.readv([]), 0);
  assertEquals(await file.readvAt([new Uint8Array()], 0), 0);
  await assertRejects(() => file.readvAt(parts, -1), RangeError);
  await assertRejects(() => file.writevAt(parts, undefined as unknown as number), TypeError);
});
