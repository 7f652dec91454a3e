// Copyright 2026 the ioq authors. MIT license.

/** The options of opening that Deno does not have. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, descriptorsUnder, TempDir, text } from "../fixtures.ts";

/** A flag of `open(2)` of a descriptor, by what `/proc` says. */
function hasFlag(fd: number, flag: number): boolean {
  const info = Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`);
  return (parseInt(/flags:\s*([0-7]+)/.exec(info)![1]!, 8) & flag) !== 0;
}

const O_DSYNC = 0o10000;
const IS_X86 = Deno.build.arch === "x86_64";

forEachBackend(
  "direct reads and writes whole sectors, wherever the buffer is",
  async ({ open }) => {
    using dir = new TempDir();
    const path = dir.at("file");
    const data = Uint8Array.from({ length: 5 * 4096 + 100 }, (_, i) => i * 31 + (i >> 8));
    Deno.writeFileSync(path, data);
    await using ioq = await open();
    let file;
    try {
      file = await ioq.openFile(path, { read: true, write: true, direct: true });
    } catch (error) {
      // This file system has no such thing, and says so as documented
      assert(error instanceof TypeError, String(error));
      return;
    }
    assertEquals(hasFlag(file.fd, IS_X86 ? 0o40000 : 0o200000), true);
    const room = new Uint8Array(3 * 4096 + 1);
    for (const [at, length] of [[0, 4096], [1, 4096], [1, 8192], [0, 512]] as const) {
      const target = room.subarray(at, at + length);
      assertEquals(await file.readAt(target, 4096), length);
      assert(target.every((byte, i) => byte === data[4096 + i]));
    }
    // The end cuts it short
    assertEquals(await file.readAt(room.subarray(0, 8192), 4 * 4096), 4096 + 100);
    const written = new Uint8Array(4097).fill(7).subarray(1);
    assertEquals(await file.writeAt(written, 8192), 4096);
    data.set(written, 8192);
    assertEquals(await file.write(written), 4096);
    data.set(written, 0);
    await file.seek(0, Deno.SeekMode.Start);
    const parts = [];
    for await (const part of file.readable) {
      parts.push(...part);
    }
    assertEquals(parts.length, data.length);
    assert(parts.every((byte, i) => byte === data[i]));

    // What the kernel does not take is its EINVAL, or else it takes it
    await using second = await ioq.openFile(path, { direct: true });
    assertEquals(
      await second.readAt(new Uint8Array(100), 1).catch((error) => {
        assert(error instanceof TypeError);
        assertEquals(
          error.message,
          `Invalid argument (os error 22): read file descriptor ${second.fd}`,
        );
        return 100;
      }),
      100,
    );
  },
  ({ library }) => library,
);

forEachBackend("dsync, noFollow and directory", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  Deno.symlinkSync(path, dir.at("link"));
  await using ioq = await open();

  await using synced = await ioq.openFile(path, { write: true, dsync: true });
  assertEquals(hasFlag(synced.fd, O_DSYNC), true);
  assertEquals(await synced.write(bytes("T")), 1);

  await using plain = await ioq.openFile(path, { noFollow: true });
  const buffer = new Uint8Array(4);
  assertEquals(await plain.read(buffer), 4);
  assertEquals(text(buffer), "Text");
  await assertRejects(
    () => ioq.openFile(dir.at("link"), { noFollow: true }),
    Deno.errors.FilesystemLoop,
  );

  await using directory = await ioq.openFile(dir.path, { directory: true });
  assertEquals((await directory.stat()).isDirectory, true);
  assertEquals(await ioq.readTextFile("file", { at: directory.fd }), "Text");
  await directory.sync();
  await assertRejects(() => ioq.openFile(path, { directory: true }), Deno.errors.NotADirectory);
  // Options of ours alone read; what is relative begins in the directory
  await using relative = await ioq.openFile("file", { at: directory.fd });
  assertEquals((await relative.stat()).size, 4);
});

Deno.test("options of opening that contradict each other", () => {
  for (
    const options of [
      { directory: true, write: true },
      { directory: true, append: true },
      { directory: true, direct: true },
      { dsync: true },
      { read: true, dsync: true },
      { read: false, noFollow: true },
      {},
    ]
  ) {
    assertThrows(() => op.open("/", options), Error, "option");
  }
});

forEachBackend("options of opening leave no descriptor behind", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  {
    await using ioq = await open();
    await ioq.openFile(path, { directory: true }).catch(() => {});
    await ioq.openFile(path, { noFollow: true });
    assertEquals(descriptorsUnder(dir.path), 1);
  }
  assertEquals(descriptorsUnder(dir.path), 0);
});
