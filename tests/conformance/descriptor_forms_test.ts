// Copyright 2026 the ioq authors. MIT license.

/** What the functions of op take, the promise forms and the functions take as well. */

import { assertEquals, assertRejects } from "@std/assert";
import * as mod from "../../mod.ts";
import { EventLoop } from "@ioq/ioq/loop";
import { forEachBackend } from "../backends.ts";
import { bytes, TempDir, text } from "../fixtures.ts";

/** What has these: a queue, a task's handle, the module. */
type Forms = Pick<
  mod.Ioq,
  "truncate" | "chmod" | "chown" | "utime" | "getXattr" | "setXattr" | "listXattr" | "removeXattr"
>;

async function changeByDescriptor(forms: Forms, ioq: mod.Ioq, dir: TempDir, library: boolean) {
  const path = dir.file("file", "some text");
  const before = Deno.statSync(path);
  await using file = await ioq.openFile(path, { read: true, write: true });
  await forms.truncate(file.fd, 4);
  await forms.chmod(file.fd, 0o640);
  await forms.chown(file.fd, null, before.gid);
  await forms.utime(file.fd, new Date(1_000_000), 2000);
  const after = await file.stat();
  assertEquals([after.size, after.mode! & 0o777], [4, 0o640]);
  assertEquals([after.atime!.getTime(), after.mtime!.getTime()], [1_000_000, 2_000_000]);
  await forms.truncate(file.fd);
  assertEquals((await file.stat()).size, 0);
  if (library) {
    await forms.setXattr(file.fd, "user.a", bytes("value"));
    assertEquals(text(await forms.getXattr(file.fd, "user.a")), "value");
    assertEquals(await forms.listXattr(file.fd), ["user.a"]);
    await forms.removeXattr(file.fd, "user.a");
    assertEquals(await forms.listXattr(path), []);
  }
}

async function changeLink(forms: Forms, dir: TempDir) {
  const path = dir.file("target");
  const link = dir.at(`link-${crypto.randomUUID()}`);
  Deno.symlinkSync(path, link);
  const { uid } = Deno.lstatSync(link);
  await forms.chown(link, uid, null, { followSymlinks: false });
  Deno.removeSync(path);
  // The link itself is there, what it points to is not
  await forms.chown(link, uid, null, { followSymlinks: false });
  await assertRejects(() => forms.chown(link, uid, null), Deno.errors.NotFound, "chown");
}

forEachBackend("promise forms take descriptors as op does", async ({ open, row }) => {
  await using ioq = await open();
  using dir = new TempDir();
  await changeByDescriptor(ioq, ioq, dir, row.library);
  await changeLink(ioq, dir);
});

Deno.test("functions take descriptors as op does", async () => {
  await using ioq = await mod.defaultQueue();
  using dir = new TempDir();
  await changeByDescriptor(mod, ioq, dir, true);
  await changeLink(mod, dir);
});

Deno.test("a task's handle takes descriptors as op does", async () => {
  await using loop = await EventLoop.open();
  using dir = new TempDir();
  await loop.async(async (io) => {
    await changeByDescriptor(io, loop.ioq, dir, true);
    await changeLink(io, dir);
  });
});
