// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { IoqFile } from "../../src/files/file.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, descriptorsUnder, looksOf, TempDir, text } from "../fixtures.ts";

const BOTH = { read: true, write: true };

/** Whether this thread can use the files of a row's queues. */
function canCall({ name }: { name: string }): boolean {
  return name !== "worker without library";
}

Deno.test("IoqFile has every member of Deno.FsFile", () => {
  const members = [
    ...Object.getOwnPropertyNames(Deno.FsFile.prototype),
    // Not the runtime's own, such as how it is printed
    ...[Symbol.dispose],
  ];
  assert(members.length > 20);
  const missing = members.filter((member) => {
    const ours = Object.getOwnPropertyDescriptor(IoqFile.prototype, member);
    const theirs = Object.getOwnPropertyDescriptor(Deno.FsFile.prototype, member);
    return typeof ours?.value !== typeof theirs?.value || typeof ours?.get !== typeof theirs?.get;
  });
  assertEquals(missing, []);
});

forEachBackend("a file's synchronous members do as Deno's", async ({ open, row }) => {
  using dir = new TempDir();
  const story = (file: IoqFile | Deno.FsFile): unknown[] => {
    const buffer = new Uint8Array(4);
    const seen: unknown[] = [];
    const read = (target = buffer) => {
      const count = file.readSync(target);
      seen.push(count, text(target.subarray(0, count ?? 0)));
    };
    read();
    read(new Uint8Array());
    if (row.library) {
      // Deno has no call that moves a descriptor's position
      seen.push(file.seekSync(-2, Deno.SeekMode.End));
      read();
      read();
      read(new Uint8Array());
      seen.push(file.writeSync(bytes("more")), file.writeSync(new Uint8Array()));
      seen.push(file.seekSync(-6, Deno.SeekMode.Current));
      read(new Uint8Array(100));
    }
    file.truncateSync(3);
    seen.push(file.statSync().size, file.statSync().isFile);
    file.truncateSync();
    seen.push(file.statSync().size);
    // Node refuses fractions before 1970
    file.utimeSync(row.library ? -1.5 : 1.5, new Date(2 ** 42));
    const { atime, mtime } = file.statSync();
    seen.push(atime?.getTime(), mtime?.getTime());
    file.syncSync();
    file.syncDataSync();
    if (row.library) {
      file.lockSync(true);
      file.unlockSync();
      seen.push(file.tryLockSync(true));
      file.unlockSync();
    }
    seen.push(file.isTerminal());
    return seen;
  };
  await using ioq = await open();
  await using ours = await ioq.openFile(dir.file("ours", "0123456789"), BOTH);
  using denos = Deno.openSync(dir.file("denos", "0123456789"), BOTH);
  assertEquals(story(ours), story(denos));
  if (row.library) {
    assertEquals(ours.statSync({ bigint: true }).size, 0n);
  }
  // Not the present time, as Node would have it if asked in another way
  ours.utimeSync(-2, -2);
  assert(ours.statSync().mtime!.getTime() < 0);
  // The queue goes on as before, and the position is the file's
  await ours.writeAt(bytes("abcdef"), 0);
  assertEquals(await ours.readAt(new Uint8Array(4), 2), 4);
  await using other = await ioq.openFile(dir.at("ours"));
  assertEquals(other.readSync(new Uint8Array(2)), 2);
  const rest = new Uint8Array(9);
  assertEquals(await other.read(rest), 4);
  assertEquals(text(rest.subarray(0, 4)), "cdef");
}, canCall);

forEachBackend("synchronous calls carry any length", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  dir.file("file");
  for (const length of [1, 1023, 1024, 1025, 40_000, 2 ** 21, 2 ** 21 + 1, 5_000_000]) {
    const data = Uint8Array.from({ length }, (_, i) => i * 31 + (i >> 8));
    // Emptied by its opening
    await using writer = await ioq.openFile(dir.at("file"), { write: true, truncate: true });
    assertEquals(writer.writeSync(data), length);
    await using reader = await ioq.openFile(dir.at("file"));
    const whole = new Uint8Array(length + 10);
    assertEquals(reader.readSync(whole), length);
    assert(data.every((byte, i) => byte === whole[i]), `${length} bytes`);
    assertEquals(reader.readSync(whole), null);
  }
}, canCall);

forEachBackend("synchronous calls fail as Deno's", async ({ open, row }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.file("file", "text");
  await using readable = await ioq.openFile(path);
  const told = await looksOf(() => readable.writeSync(bytes("x")));
  assertEquals(told.code, "EBADF");
  if (row.library) {
    const refused = await looksOf(() => readable.seekSync(-1, Deno.SeekMode.Start));
    assertEquals(refused.code, "EINVAL");
  }
  assertThrows(() => readable.readSync("x" as never), TypeError);
  const lock = await ioq.openFile(path);
  if (row.library) {
    assertEquals(lock.tryLockSync(true), true);
    assertEquals(readable.tryLockSync(), false);
  }
  await lock.close();
  for (
    const call of [
      () => lock.readSync(new Uint8Array(1)),
      () => lock.writeSync(bytes("x")),
      () => lock.seekSync(0, Deno.SeekMode.Start),
      () => lock.truncateSync(),
      () => lock.statSync(),
      () => lock.statSync({ bigint: true }),
      () => lock.syncSync(),
      () => lock.syncDataSync(),
      () => lock.utimeSync(0, 0),
      () => lock.lockSync(),
      () => lock.tryLockSync(),
      () => lock.unlockSync(),
      () => lock.setRaw(true),
    ]
  ) {
    assertThrows(call, Deno.errors.BadResource, "Bad resource ID");
  }
  await readable.close();
  assertEquals(descriptorsUnder(dir.path), 0);
}, canCall);

forEachBackend("files of a Worker say that they are its own", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using file = await ioq.openFile(dir.file("file", "text"), BOTH);
  const why = "belong to a Worker";
  assertThrows(() => file.readSync(new Uint8Array(1)), Deno.errors.NotSupported, why);
  assertThrows(() => file.statSync(), Deno.errors.NotSupported, why);
  assertThrows(() => file.isTerminal(), Deno.errors.NotSupported, why);
}, (row) => !canCall(row));

forEachBackend("a terminal's mode is set and set back", async ({ open, row }) => {
  await using ioq = await open();
  // The end of a pseudo-terminal that programs are at shares its mode
  await using file = await ioq.openFile("/dev/ptmx", BOTH);
  assertEquals(file.isTerminal(), true);
  using dir = new TempDir();
  await using plain = await ioq.openFile(dir.file("file"));
  assertEquals(plain.isTerminal(), false);
  assertThrows(() => plain.setRaw(true), Deno.errors.BadResource, "ENOTTY");
  if (!row.library) {
    assertThrows(() => file.setRaw(true), Deno.errors.NotSupported);
    return;
  }
  file.setRaw(true);
  file.setRaw(true, { cbreak: true });
  file.setRaw(false);
  file.setRaw(false);
  // As it was: what is typed is echoed
  await file.write(bytes("typed\n"));
  const echo = new Uint8Array(100);
  const count = file.readSync(echo);
  assertEquals(text(echo.subarray(0, count ?? 0)), "typed\r\n");
}, canCall);
