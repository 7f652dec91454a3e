// Copyright 2026 the ioq authors. MIT license.

import { assertEquals, assertThrows } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, looksOf, TempDir, text } from "../fixtures.ts";

forEachBackend("writev() and readv() go through their buffers in order", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.at("file");
  const fd = await ioq.run(op.open(path, { read: true, write: true, create: true }));
  const parts = ["one", "", "two", "three"].map(bytes);
  assertEquals(await ioq.run(op.writev(fd, parts)), 11);
  assertEquals(await ioq.run(op.writev(fd, [bytes("X"), bytes("Y")], 2 ** 32 + 5)), 2);
  assertEquals(await ioq.run(op.writev(fd, [])), 0);
  assertEquals(Deno.statSync(path).size, 2 ** 32 + 7);

  const targets = [2, 0, 5, 100].map((length) => new Uint8Array(length));
  assertEquals(await ioq.run(op.readv(fd, targets, 0)), 107);
  assertEquals(targets.map((part) => text(part.subarray(0, 4))), ["on", "", "etwo", "hree"]);
  // Short: the rest of the buffers stays as it was
  targets.forEach((part) => part.fill(0x2e));
  assertEquals(await ioq.run(op.readv(fd, targets, 2 ** 32 + 4)), 3);
  assertEquals(text(targets[0]!), "\0X");
  assertEquals(text(targets[2]!), "Y....");
  assertEquals(await ioq.run(op.readv(fd, targets, 2 ** 32 + 7)), 0);
  assertEquals(await ioq.run(op.readv(fd, [], 0)), 0);

  const { message } = await looksOf(() => ioq.run(op.writev(10_000, parts)));
  assertEquals(message, "Bad file descriptor (os error 9): write file descriptor 10000");
  await ioq.run(op.close(fd));
});

forEachBackend("what is written is copied, what is detached is noticed", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.file("file");
  const fd = await ioq.run(op.open(path, { read: true, write: true }));
  const parts = [bytes("ab"), bytes("cd")];
  const written = ioq.run(op.writev(fd, parts, 0));
  parts[0]!.fill(0);
  assertEquals(await written, 4);
  assertEquals(Deno.readTextFileSync(path), "abcd");

  const request = op.writev(fd, parts, 0);
  parts[1]!.buffer.transfer();
  assertEquals((await looksOf(() => ioq.run(request))).class, "TypeError");
  const targets = [new Uint8Array(2), new Uint8Array(2)];
  const read = ioq.run(op.readv(fd, targets, 0));
  targets[1]!.buffer.transfer();
  assertEquals((await looksOf(() => read)).class, "TypeError");
  await ioq.run(op.close(fd));
});

Deno.test("readv() and writev() take arrays of Uint8Array", () => {
  const wrong = ["text", bytes("x"), [1], [new Uint16Array(1)], undefined] as unknown as Uint8Array<
    ArrayBuffer
  >[][];
  for (const parts of wrong) {
    assertThrows(() => op.readv(0, parts), TypeError);
    assertThrows(() => op.writev(0, parts), TypeError);
  }
  assertThrows(() => op.readv(-1, []), RangeError);
  assertThrows(() => op.writev(0, [], -1), RangeError);
});
