// Copyright 2026 the ioq authors. MIT license.

import { statSync } from "node:fs";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type BigIntFileInfo, type FileInfo, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { TempDir } from "../fixtures.ts";

/** Deno 2.9.6 gives whole seconds of `ctime`: compare as much of it as it has. */
function assertSame(ours: FileInfo, denos: Deno.FileInfo, what: string): void {
  const seconds = (date: Date | null) => Math.floor(date!.getTime() / 1000);
  assertEquals(seconds(ours.ctime), seconds(denos.ctime), what);
  assertEquals({ ...ours, ctime: null }, { ...denos, ctime: null }, what);
  assertEquals(Object.keys(ours).sort(), Object.keys(denos).sort(), what);
}

/** Times that are different from each other, and odd. */
const TIMES: readonly (readonly [name: string, atime: number, mtime: number])[] = [
  ["now", 1_789_012_345.678, 1_789_012_346.789],
  ["epoch", 0, 0.001],
  ["before 1970", -1.5, -123_456_789.25],
  ["after 2038", 2 ** 31 + 0.125, 2 ** 32 + 12_345.5],
];

/** Files of all kinds. */
function makeFiles(dir: TempDir): { path: string; name: string }[] {
  dir.file("hard", "linked");
  Deno.linkSync(dir.at("hard"), dir.at("link to hard"));
  Deno.symlinkSync(dir.file("target", "some text"), dir.at("symlink"));
  dir.fifo("fifo");
  Deno.mkdirSync(dir.at("directory/inner"), { recursive: true });
  Deno.chmodSync(dir.file("odd mode"), 0o6751);
  const sparse = dir.file("sparse");
  Deno.truncateSync(sparse, 5 * 2 ** 32 + 7);
  for (const [name, atime, mtime] of TIMES) {
    Deno.utimeSync(dir.file(name), atime, mtime);
  }
  const names = [...Deno.readDirSync(dir.path)].map(({ name }) => name);
  return [
    ...names.map((name) => ({ name, path: dir.at(name) })),
    ...["/dev/null", "/dev/tty", "/", "/proc/self/status", "."].map((path) => ({
      name: path,
      path,
    })),
  ];
}

forEachBackend("every field of stat() and lstat() is Deno's", async ({ open }) => {
  using dir = new TempDir();
  using _ = Deno.listen({ transport: "unix", path: dir.at("socket") });
  await using ioq = await open();
  const files = makeFiles(dir);
  assertEquals(files.length, 18);
  for (const { name, path } of files) {
    assertSame(await ioq.stat(path), Deno.statSync(path), name);
    assertSame(await ioq.lstat(path), Deno.lstatSync(path), name);
  }
  assertEquals((await ioq.stat(dir.at("sparse"))).size, 5 * 2 ** 32 + 7);
  assertEquals((await ioq.stat(dir.at("fifo"))).isFifo, true);
  assertEquals((await ioq.stat(dir.at("socket"))).isSocket, true);
  assertEquals((await ioq.stat("/dev/null")).isCharDevice, true);
  assertEquals((await ioq.lstat(dir.at("symlink"))).isSymlink, true);
  assertEquals((await ioq.stat(dir.at("symlink"))).isSymlink, false);
  assertEquals((await ioq.stat(dir.at("hard"))).nlink, 2);
  for (const [name, atime, mtime] of TIMES) {
    const info = await ioq.stat(dir.at(name));
    assertEquals(info.mtime.getTime(), mtime * 1000, name);
    assertEquals(info.atime.getTime(), atime * 1000, name);
  }
});

forEachBackend("{ bigint: true } gives what node:fs gives", async ({ open }) => {
  using dir = new TempDir();
  using _ = Deno.listen({ transport: "unix", path: dir.at("socket") });
  await using ioq = await open();
  for (const { name, path } of makeFiles(dir)) {
    const ours: BigIntFileInfo = await ioq.stat(path, { bigint: true });
    const nodes = statSync(path, { bigint: true });
    for (const field of ["dev", "ino", "nlink", "rdev", "size", "blocks"] as const) {
      assertEquals(ours[field], nodes[field], `${field} of ${name}`);
    }
    for (const field of ["mode", "uid", "gid", "blksize"] as const) {
      assertEquals(BigInt(ours[field]), nodes[field], `${field} of ${name}`);
    }
    assertEquals(ours.mtimeNs / 1_000_000n, nodes.mtimeMs, name);
    assertEquals(ours.atimeNs / 1_000_000n, nodes.atimeMs, name);
    assertEquals(ours.isFile, nodes.isFile());
    assertEquals(ours.isDirectory, nodes.isDirectory());
    assertEquals(ours.isSymlink, nodes.isSymbolicLink());
    assertEquals(ours.isFifo, nodes.isFIFO());
    assertEquals(ours.isSocket, nodes.isSocket());
    assertEquals(ours.isBlockDevice, nodes.isBlockDevice());
    assertEquals(ours.isCharDevice, nodes.isCharacterDevice());

    // And the exact form is what the other one rounds
    const rounded = await ioq.stat(path);
    assertEquals(ours.ctimeNs / 1_000_000n, BigInt(rounded.ctime.getTime()), name);
    const birth = rounded.birthtime;
    assertEquals(ours.birthtimeNs && ours.birthtimeNs / 1_000_000n, birth && BigInt(+birth), name);
  }
  const link: BigIntFileInfo = await ioq.lstat(dir.at("symlink"), { bigint: true });
  assertEquals(link.isSymlink, true);
}, ({ library }) => library);

forEachBackend("{ bigint: true } is exact to the nanosecond", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  for (
    const [time, ns, ms] of [
      ["1234567890.123456789", 1_234_567_890_123_456_789n, 1_234_567_890_123],
      ["-1.500500001", -1_500_500_001n, -1500],
      ["-0.000000001", -1n, 0],
      ["0.999999999", 999_999_999n, 999],
      ["4294967296.000000001", 4_294_967_296_000_000_001n, 4_294_967_296_000],
    ] as const
  ) {
    const { success } = new Deno.Command("touch", { args: ["-d", `@${time}`, path] }).outputSync();
    assertEquals(success, true, "touch");
    const exact: BigIntFileInfo = await ioq.stat(path, { bigint: true });
    assertEquals(exact.mtimeNs, ns);
    assertEquals(exact.atimeNs, ns);
    const info = await ioq.stat(path);
    assertEquals(info.mtime.getTime(), ms);
    assertEquals(info.mtime, Deno.statSync(path).mtime!);
  }
}, ({ library }) => library);

forEachBackend("paths may be strings, URLs and bytes", async ({ open }) => {
  using dir = new TempDir();
  const name = "é #?%41 \n";
  const path = dir.file(name, "found");
  const url = new URL(`file://${dir.path}/${encodeURIComponent(name)}`);
  const bytes = new TextEncoder().encode(path);
  await using ioq = await open();
  for (const form of [path, url, bytes]) {
    const info = await ioq.stat(form);
    assertEquals(info.size, 5);
    assertEquals(info.ino, Deno.statSync(path).ino);
  }
  // The caller may change the bytes at once
  const request = op.stat(bytes);
  bytes.fill(0x78);
  assertEquals((await ioq.run(request)).size, 5);

  using odd = new TempDir();
  for (const name of ["\ufeffmark", "ÿ", "日本語".repeat(28), "\u{1f600}", "a".repeat(255)]) {
    odd.file(name, name);
    const { size } = await ioq.stat(odd.at(name));
    assertEquals(size, new TextEncoder().encode(name).length, name);
  }
});

forEachBackend("{ at } takes the path from a directory's descriptor", async ({ open }) => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("inner"));
  dir.file("file", "1");
  dir.file("inner/file", "22");
  dir.file("inner/other", "333");
  Deno.symlinkSync("file", dir.at("inner/link"));
  await using ioq = await open();
  const at = await ioq.run(op.openDir(dir.at("inner")));
  assertEquals((await ioq.stat("file", { at })).size, 2);
  assertEquals((await ioq.stat("../file", { at })).size, 1);
  assertEquals((await ioq.stat("link", { at })).size, 2);
  assertEquals((await ioq.lstat("link", { at })).isSymlink, true);
  assertEquals((await ioq.stat("other", { at, bigint: true })).size, 3n);
  assertEquals((await ioq.readDir("..", { at })).map(({ name }) => name).sort(), ["file", "inner"]);
  // An absolute path is none of its business
  assertEquals((await ioq.stat(dir.at("file"), { at })).size, 1);
  const fd = await ioq.run(op.open("other", { read: true, at }));
  assertEquals((await ioq.run(op.read(fd, 10))).length, 3);
  const again = await ioq.run(op.openDir(".", { at }));
  assertNotEquals(again, at);
  for (const open of [fd, again, at]) {
    await ioq.run(op.close(open));
  }
  const gone = await ioq.stat("file", { at }).catch((error) => error);
  assert(gone instanceof Error);
  assertEquals((gone as Error & { code?: string }).code, "EBADF");
}, ({ library }) => library);
