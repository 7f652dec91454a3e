// Copyright 2026 the ioq authors. MIT license.

/** What the worker backend cannot do says so, and nothing else does. */

import { assert, assertEquals } from "@std/assert";
import { op, type Request } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, errorOf, TempDir, text } from "../fixtures.ts";

/** Check that requests are refused, each for its reason. */
async function assertRefused(
  run: (request: Request) => Promise<unknown>,
  requests: readonly (readonly [request: Request, reason: string])[],
): Promise<void> {
  for (const [request, reason] of requests) {
    const error = await errorOf(() => run(request));
    assert(error instanceof Deno.errors.NotSupported, `${request.op}: ${error}`);
    assertEquals((error as { code?: string }).code, "ENOTSUP", request.op);
    assert(error.message.includes(reason), `${request.op}: ${error.message}`);
  }
}

forEachBackend("without the native library, what cannot be there says why", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "0123456789");
  await using ioq = await open();
  const fd = await ioq.run(op.open(path, { read: true, write: true }));
  const odd = new Uint8Array([...bytes(`${dir.path}/`), 0xff]);
  await assertRefused((request) => ioq.run(request), [
    [op.stat(path, { bigint: true }), "milliseconds"],
    [op.lstat(path, { bigint: true }), "milliseconds"],
    [op.stat(odd), "not UTF-8"],
    [op.readDirBlock(fd), "as a whole"],
    [op.seek(fd, 3, Deno.SeekMode.Start), "cannot move it"],
    [op.lock(fd, "exclusive"), "lock"],
    [op.allocate(fd, 0, 100), "allocates"],
    [op.advise(fd, "willNeed"), "advises"],
    [op.rename(path, dir.at("other"), { noReplace: true }), "noReplace"],
    [op.open(path, { read: true, direct: true }), "direct"],
  ]);
  // The rest is as if nothing had been
  assertEquals(text(await ioq.run(op.read(fd, 4, 2))), "2345");
  await ioq.run(op.close(fd));
}, ({ library }) => !library);

forEachBackend(
  "without the native library a name that is not UTF-8 is not made up",
  async (row) => {
    using dir = new TempDir();
    const { success } = new Deno.Command("sh", {
      args: ["-c", `touch "$1/a$(printf '\\377')"`, "sh", dir.path],
    }).outputSync();
    assertEquals(success, true);
    await using ioq = await row.open();
    await assertRefused((request) => ioq.run(request), [[op.readDir(dir.path), "not UTF-8"]]);
    // A name that has the very letter that stands for others is one as any other
    using other = new TempDir();
    other.file("\ufffd");
    assertEquals((await ioq.readDir(other.path)).map(({ name }) => name), ["\ufffd"]);
  },
  ({ library }) => !library,
);

forEachBackend("without the native library directories are read as Deno does", async ({ open }) => {
  using dir = new TempDir();
  for (let i = 0; i < 3000; i++) {
    dir.file(`name ${i} ${"ü".repeat(i % 50)}`);
  }
  Deno.mkdirSync(dir.at("directory"));
  Deno.symlinkSync("nowhere", dir.at("link"));
  await using ioq = await open();
  const sorted = (entries: Iterable<Deno.DirEntry>) =>
    [...entries].map(({ name, isFile, isDirectory, isSymlink }) =>
      JSON.stringify([name, isFile, isDirectory, isSymlink])
    ).sort();
  assertEquals(sorted(await ioq.readDir(dir.path)), sorted(Deno.readDirSync(dir.path)));
  const error = await errorOf(() => ioq.readDir(dir.at("link")));
  assert(error instanceof Deno.errors.NotFound, `${error}`);
}, ({ library }) => !library);

forEachBackend("unlink() and rmdir() tell files from directories", async ({ open }) => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("directory"));
  const file = dir.file("file");
  await using ioq = await open();
  assertEquals(
    ((await errorOf(() => ioq.run(op.unlink(dir.at("directory"))))) as { code?: string }).code,
    "EISDIR",
  );
  assertEquals(
    ((await errorOf(() => ioq.run(op.rmdir(file)))) as { code?: string }).code,
    "ENOTDIR",
  );
  await ioq.run(op.unlink(file));
  await ioq.run(op.rmdir(dir.at("directory")));
  assertEquals([...Deno.readDirSync(dir.path)], []);
});

forEachBackend(
  "the worker backend waits for no descriptor and takes no message",
  async ({ open }) => {
    await using ioq = await open();
    await assertRefused((request) => ioq.run(request), [
      [op.poll(0), "busy"],
      [op.post(1, 1), "posted to"],
      [op.receive(), "posted to"],
      [op.timeout(1n, { clock: "boottime", absolute: true }), "clock"],
    ]);
  },
  ({ nativeThreads }) => !nativeThreads,
);
