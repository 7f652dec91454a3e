// Copyright 2026 the ioq authors. MIT license.

/** Numbers at their limits: offsets, sizes, times. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, errorOf, TempDir, text } from "../fixtures.ts";

/** Positions in a file around the powers of two where a word ends. */
const POSITIONS = [
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 32 + 1,
  2 ** 33 + 12345,
  2 ** 40 + 1,
];

forEachBackend(
  "files of more than 4 GiB are read, written and measured to the byte",
  async ({ open, row }) => {
    using dir = new TempDir();
    await using ioq = await open();
    const path = dir.file("sparse");
    const fd = await ioq.run(op.open(path, { read: true, write: true }));
    // A byte each: some are neighbours
    for (const [i, position] of POSITIONS.entries()) {
      assertEquals(await ioq.run(op.write(fd, Uint8Array.of(65 + i), position)), 1);
      assertEquals((await ioq.stat(path)).size, position + 1);
      if (row.library !== false) {
        const { size, blocks } = await ioq.stat(path, { bigint: true });
        assertEquals(size, BigInt(position) + 1n);
        assert(blocks! < 1_000_000n, "it is sparse");
      }
    }
    for (const [i, position] of POSITIONS.entries()) {
      assertEquals(await ioq.run(op.read(fd, 1, position)), Uint8Array.of(65 + i));
      const target = new Uint8Array(1);
      assertEquals(await ioq.run(op.readInto(fd, target, position)), 1);
      assertEquals(target[0], 65 + i);
    }
    for (const [i, position] of [...POSITIONS.entries()].reverse()) {
      await ioq.truncate(path, position + 1);
      assertEquals((await Deno.stat(path)).size, position + 1);
      assertEquals(await ioq.run(op.read(fd, 10, position)), Uint8Array.of(65 + i));
    }
    await ioq.run(op.close(fd));
  },
);

forEachBackend("an open file seeks beyond 4 GiB, from everywhere", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.file("sparse");
  Deno.truncateSync(path, 2 ** 33);
  const file = await ioq.openFile(path, { read: true, write: true });
  const seek = async (offset: number | bigint, whence: Deno.SeekMode, expected: number) => {
    assertEquals(await file.seek(offset, whence), expected);
  };
  await seek(2 ** 32 + 7, Deno.SeekMode.Start, 2 ** 32 + 7);
  await seek(-8n, Deno.SeekMode.Current, 2 ** 32 - 1);
  await seek(2n ** 32n, Deno.SeekMode.Current, 2 ** 33 - 1);
  await seek(-(2 ** 32), Deno.SeekMode.End, 2 ** 32);
  await seek(2 ** 40, Deno.SeekMode.End, 2 ** 40 + 2 ** 33);
  file.close();
}, (row) => row.library !== false);

forEachBackend("offsets at the end of what a number or a file system holds", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const fd = await ioq.run(op.open(dir.file("file", "text"), { read: true, write: true }));
  // Nothing is there, and nothing wraps around
  for (const offset of [2 ** 52, Number.MAX_SAFE_INTEGER - 10]) {
    assertEquals((await ioq.run(op.read(fd, 4, offset))).length, 0);
  }
  const error = await errorOf(() => ioq.run(op.write(fd, bytes("x"), Number.MAX_SAFE_INTEGER)));
  const { code } = error as { code?: string };
  assert(code === "EFBIG" || code === "EINVAL" || code === "ENOSPC", String(error));
  for (const offset of [Number.MAX_SAFE_INTEGER + 1, -1, 0.5, NaN, Infinity]) {
    assertThrows(() => op.read(fd, 4, offset), RangeError);
  }
  assertEquals(text(await ioq.run(op.read(fd, 10, 0))), "text");
  await ioq.run(op.close(fd));
});

/** Seconds since 1970, with what is said of them. */
const DATES: [seconds: number, what: string][] = [
  [0, "1970"],
  [-1, "a second before"],
  [-1.5, "half a second more"],
  [-(2 ** 31), "1901, where a word begins"],
  [-(2 ** 31) + 1, "a second later"],
  [2 ** 31 - 1, "2038, where a word ends"],
  [2 ** 31, "a second later"],
  [2 ** 32, "2106"],
  [2 ** 33 + 0.25, "2242"],
];

forEachBackend("dates before 1970 and after 2038", async ({ t, open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.file("file");
  for (const [seconds, what] of DATES) {
    await t.step(what, async () => {
      await ioq.utime(path, seconds, new Date(seconds * 1000));
      const ours = await ioq.stat(path);
      const theirs = Deno.statSync(path);
      // The file system has the last word: some end in 2038 or 2446
      assertEquals([ours.mtime, ours.atime], [theirs.mtime, theirs.atime]);
      assertEquals(ours.mtime!.getTime(), seconds * 1000);
      if ((await ioq.stat(path, { bigint: true }).catch(() => undefined)) !== undefined) {
        const { mtimeNs } = await ioq.stat(path, { bigint: true });
        assertEquals(mtimeNs, BigInt(seconds * 1000) * 1_000_000n);
      }
    });
  }
});
