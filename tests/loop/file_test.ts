// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Canceled } from "@ioq/ioq/loop";
import { bytes, descriptorsUnder, TempDir, text, within } from "../fixtures.ts";
import { forEachLoop } from "./rows.ts";

forEachLoop("a file comes back as it was written", async ({ loop }) => {
  using dir = new TempDir();
  const path = dir.at("file");
  await loop.async(async (io) => {
    await using file = await io.createFile(path);
    assertEquals(await file.pwrite(bytes("hello world"), 0), 11);
    assertEquals(await file.pwrite(bytes("HE"), null), 2);
    assertEquals(await file.pwrite(bytes("L"), null), 1);
    const buffer = new Uint8Array(32);
    assertEquals(await file.pread(buffer, 0), 11);
    assertEquals(text(buffer.subarray(0, 11)), "HELlo world");
    assertEquals(await file.pread(buffer, null), 8);
    assertEquals(text(buffer.subarray(0, 8)), "lo world");
    assertEquals(await file.pread(buffer, null), 0);
    assertEquals(await file.pread(buffer, 11), 0);
    await file.close();
    await assertRejects(() => file.pread(buffer, 0), Deno.errors.BadResource);
    assertThrows(() => file.close(), Deno.errors.BadResource);
  });
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachLoop("createFile() and openFile() do what their options say", async ({ loop }) => {
  using dir = new TempDir();
  const path = dir.file("file", "contents");
  await loop.async(async (io) => {
    await (await io.createFile(path, { truncate: false })).close();
    assertEquals(Deno.readTextFileSync(path), "contents");
    await assertRejects(() => io.createFile(path, { exclusive: true }), Deno.errors.AlreadyExists);
    await (await io.createFile(path)).close();
    await using unread = await io.createFile(path, { read: false });
    await assertRejects(() => unread.pread(new Uint8Array(1), 0), Error, "Bad file descriptor");
    assertEquals(Deno.readTextFileSync(path), "");
    const fresh = dir.at("fresh");
    await (await io.createFile(fresh, { exclusive: true, mode: 0o600 })).close();
    assertEquals(Deno.statSync(fresh).mode! & 0o777, 0o600);
    await assertRejects(
      () => io.openFile(fresh, { write: true, exclusive: true }),
      Deno.errors.AlreadyExists,
    );
    await assertRejects(() => io.openFile(dir.at("none")), Deno.errors.NotFound);
    await using file = await io.openFile(path, { write: true, truncate: true });
    await assertRejects(() => file.pread(new Uint8Array(1), 0));
    await assertRejects(() => io.openFile(path, { lock: "both" as never }), TypeError);
    await assertRejects(() => io.createFile(path, { lock: 1 as never }), TypeError);
  });
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachLoop(
  "a file is locked while it is opened",
  async ({ loop }) => {
    using dir = new TempDir();
    const path = dir.file("file", "contents");
    await loop.async(async (io) => {
      {
        await using _one = await io.openFile(path, { read: true, lock: "shared" });
        await using _two = await io.openFile(path, { lock: "shared", nonblocking: true });
        await assertRejects(
          () => io.openFile(path, { read: true, lock: "exclusive", nonblocking: true }),
          Deno.errors.WouldBlock,
        );
        await assertRejects(
          () => io.createFile(path, { lock: "exclusive", nonblocking: true }),
          Deno.errors.WouldBlock,
        );
        assertEquals(Deno.readTextFileSync(path), "contents", "not emptied before it is locked");
      }
      {
        await using _file = await io.createFile(path, { lock: "exclusive" });
        assertEquals(Deno.readTextFileSync(path), "");
      }
    });
    assertEquals(descriptorsUnder(dir.path), 0);
  },
  {},
  ({ library }) => library,
);

forEachLoop("whoever is cancelled, files are closed", async ({ loop }) => {
  using dir = new TempDir();
  const path = dir.file("file", "contents");
  const future = loop.async(async (io) => {
    await using file = await io.openFile(path);
    await using _other = await io.openFile(path);
    await io.sleep(1e6).catch((error) => assert(error instanceof Canceled));
    io.recancel();
    await file.pread(new Uint8Array(1), 0);
  });
  while (descriptorsUnder(dir.path) < 2) {
    await loop.io.sleep(1);
  }
  await assertRejects(() => within(10_000, future.cancel(), "cancel()"), Canceled);
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachLoop("who waits for a file's lock can be cancelled", async ({ loop, row }) => {
  if (!row.interruptible) {
    return;
  }
  using dir = new TempDir();
  const path = dir.file("file");
  {
    await using _held = await loop.io.openFile(path, { lock: "exclusive" });
    const waiting = loop.async((io) => io.openFile(path, { lock: "exclusive" }));
    while (descriptorsUnder(dir.path) < 2) {
      await loop.io.sleep(1);
    }
    await loop.io.sleep(5);
    assertEquals(waiting.done, false);
    await assertRejects(() => within(10_000, waiting.cancel(), "cancel()"), Canceled);
    assertEquals(descriptorsUnder(dir.path), 1);
  }
  // Nobody has it now
  await (await loop.io.openFile(path, { lock: "exclusive", nonblocking: true })).close();
});

forEachLoop("a task's file may be made relative to a directory", async ({ loop }) => {
  using dir = new TempDir();
  await loop.async(async (io) => {
    await using directory = await io.openFile(dir.path, { directory: true });
    await using file = await io.createFile("new", { at: directory.fd });
    await file.pwrite(new Uint8Array(3), 0);
    assertEquals(Deno.statSync(dir.at("new")).size, 3);
    await assertRejects(() => io.createFile("x", { at: -1 }), RangeError, "at");
  });
});
