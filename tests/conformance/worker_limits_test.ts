// Copyright 2026 the ioq authors. MIT license.

/** What the worker backend cannot do says so, and nothing else does. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Ioq, type IoqRequest, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, errorOf, MOD, runDeno, TempDir, text } from "../fixtures.ts";

/** What a limit is about. */
interface Ground {
  readonly ioq: Ioq;
  /** A file of ten bytes. */
  readonly path: string;
  /** Its descriptor. */
  readonly fd: number;
  /** A path that is not UTF-8. */
  readonly odd: Uint8Array;
}

/** A request that is refused, and the reason; see the table in docs/backends.md. */
type Limit = readonly [make: (ground: Ground) => IoqRequest, reason: string];

/** What there is on all backends but those without the native library. */
const LIMITS: readonly Limit[] = [
  [({ path }) => op.stat(path, { bigint: true }), "milliseconds"],
  [({ path }) => op.lstat(path, { bigint: true }), "milliseconds"],
  [({ odd }) => op.stat(odd), "not UTF-8"],
  [({ odd }) => op.unlink(odd), "not UTF-8"],
  [({ fd }) => op.readDirBlock(fd), "as a whole"],
  [({ fd }) => op.seek(fd, 3, Deno.SeekMode.Start), "cannot move it"],
  [({ fd }) => op.lock(fd, "exclusive"), "lock"],
  [({ fd }) => op.allocate(fd, 0, 100), "allocates"],
  [({ fd }) => op.advise(fd, "willNeed"), "advises"],
  [({ fd }) => op.syncRange(fd), "no call"],
  [({ fd }) => op.splice(fd, fd, 1), "no call"],
  [({ path }) => op.getXattr(path, "user.a"), "no call"],
  [({ path }) => op.listXattr(path), "no call"],
  [({ path }) => op.rename(path, `${path} 2`, { noReplace: true }), "noReplace"],
  [({ path }) => op.rename(path, `${path} 2`, { exchange: true }), "noReplace"],
  [({ path }) => op.open(path, { read: true, direct: true }), "direct"],
  [({ fd }) => op.poll(fd), "ready"],
  [() => op.post(1, 1), "queues"],
  [() => op.receive(), "queues"],
];

forEachBackend("what takes the native library says so without it, and why", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "0123456789");
  const odd = new Uint8Array([...bytes(`${dir.path}/`), 0xff]);
  await using ioq = await open();
  const fd = await ioq.run(op.open(path, { read: true, write: true }));
  for (const [make, reason] of LIMITS) {
    const request = make({ ioq, path, fd, odd });
    const error = await errorOf(() => ioq.run(request));
    assert(error instanceof Deno.errors.NotSupported, `${request.op}: ${error}`);
    assertEquals((error as { code?: string }).code, "ENOTSUP", request.op);
    assert(error.message.includes("without the native library"), error.message);
    assert(error.message.includes(reason), `${request.op}: ${error.message}`);
  }
  assertThrows(() => ioq.id, Deno.errors.NotSupported, "without the native library");
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
    const error = await errorOf(() => ioq.readDir(dir.path));
    assert(error instanceof Deno.errors.NotSupported, `${error}`);
    assert(error.message.includes("not UTF-8"), error.message);
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

Deno.test("without the library or /proc/uptime nobody tells the clock 'boottime'", async () => {
  const script = `
    import { Ioq, op } from "${MOD}";
    await using ioq = await Ioq.open({ backend: "worker", library: "/nonexistent" });
    const now = () => ioq.now("boottime");
    const sleep = () => ioq.run(op.timeout(1n, { clock: "boottime", absolute: true }));
    for (const call of [now, sleep]) {
      try {
        console.log(typeof await call());
      } catch (error) {
        console.log(error.name, error.message);
      }
    }
  `;
  const { stdout, stderr } = await runDeno(script, { flags: ["--no-prompt"] });
  assertEquals(stdout.trim().split("\n"), [
    "NotSupported Cannot read the clock 'boottime' without the native library or /proc/uptime",
    "NotSupported Cannot do this without the native library (only Linux's /proc/uptime tells " +
    "that clock, and it cannot be read): timeout",
  ], stderr);
});
