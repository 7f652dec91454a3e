// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { type DirEntry, type Ioq, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, descriptorsUnder, looksOf, TempDir } from "../fixtures.ts";

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}

/** Entries in an order that is the same for all. */
function sorted(entries: Iterable<Deno.DirEntry>): Deno.DirEntry[] {
  return [...entries].sort(byName);
}

/** A directory by the three operations, block by block. */
async function readByBlocks(ioq: Ioq, path: string): Promise<DirEntry[]> {
  const fd = await ioq.run(op.openDir(path));
  const entries: DirEntry[] = [];
  for (let ended = 0; ended < 2;) {
    const block = await ioq.run(op.readDirBlock(fd));
    entries.push(...block);
    // The end stays the end
    ended += Number(block.length === 0);
  }
  await ioq.run(op.closeDir(fd));
  return entries;
}

/** Make a file whose name is any bytes. */
async function makeFile(ioq: Ioq, dir: string, name: Uint8Array): Promise<Uint8Array> {
  const path = Uint8Array.from([...bytes(`${dir}/`), ...name]);
  const fd = await ioq.run(op.open(path, { write: true, createNew: true }));
  await ioq.run(op.write(fd, name));
  await ioq.run(op.close(fd));
  return path;
}

forEachBackend("readDir() gives the entries that Deno gives", async ({ open }) => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("empty"));
  Deno.mkdirSync(dir.at("kinds/inner"), { recursive: true });
  dir.file("kinds/file");
  dir.file("kinds/.hidden");
  dir.file("kinds/..two dots");
  dir.fifo("kinds/fifo");
  Deno.symlinkSync("file", dir.at("kinds/link"));
  Deno.symlinkSync("nowhere", dir.at("kinds/dangling"));
  Deno.mkdirSync(dir.at("names"));
  for (
    const name of [
      "new\nline",
      "\n",
      "\ufeffmark",
      "\ufeff",
      "replacement \ufffd",
      "日本語",
      "\u{1f600}",
      "combining e\u0301",
      "a".repeat(255),
      "é".repeat(127),
      " ",
      "back\\slash",
      "\x7f\x01",
    ]
  ) {
    dir.file(`names/${name}`);
  }
  await using ioq = await open();
  for (
    const path of [
      "/etc",
      "/",
      "/dev",
      "/usr/bin",
      ...["empty", "kinds", "names"].map((n) => dir.at(n)),
    ]
  ) {
    const expected = sorted(Deno.readDirSync(path));
    assertEquals(sorted(await ioq.readDir(path)), expected, path);
    assertEquals(sorted(await readByBlocks(ioq, path)), expected, path);
    ioq.submit(op.readDir(path));
    for await (const completion of ioq) {
      assert(completion.ok);
      assertEquals(sorted((completion as { value: DirEntry[] }).value), expected, path);
    }
  }
  assertEquals(await ioq.readDir(dir.at("empty")), []);
  assertEquals(descriptorsUnder(dir.path), 0);
}, ({ library }) => library);

forEachBackend("readDir() of large directories gives every entry", async ({ open }) => {
  using dir = new TempDir();
  using other = new TempDir();
  // Names of one file take much less time than files
  const file = other.file("file");
  const expected: string[] = [];
  for (let i = 0; i < 5000; i++) {
    // Together more than a turn hands out at once
    const name = `${i} `.padEnd(120, "é");
    expected.push(name);
    Deno.linkSync(file, dir.at(name));
  }
  expected.sort();
  await using ioq = await open();
  const all = await Promise.all(Array.from({ length: 6 }, () => ioq.readDir(dir.path)));
  for (const entries of [...all, await readByBlocks(ioq, dir.path)]) {
    assertEquals(entries.length, 5000);
    assert(
      entries.every(({ isFile, isDirectory, isSymlink }) => isFile && !isDirectory && !isSymlink),
    );
    assert(entries.every((entry) => !("rawName" in entry)));
    assertEquals(entries.map(({ name }) => name).sort(), expected);
  }
}, ({ library }) => library);

forEachBackend("names that are not UTF-8 survive as rawName", async ({ open }) => {
  using dir = new TempDir();
  const odd = [
    [0xff],
    [0x61, 0x80, 0x62],
    // An overlong form, a surrogate, a lead without its rest, beyond the last plane
    [0xc0, 0xaf],
    [0xed, 0xa0, 0x80],
    [0x7a, 0xe2, 0x82],
    [0xf4, 0x90, 0x80, 0x80],
    [0xff, ...bytes("a".repeat(254))],
    // With a mark that must not get lost
    [0xef, 0xbb, 0xbf, 0xff],
  ].map((name) => Uint8Array.from(name));
  const even = ["plain", "\ufffd", "é", "\ufeffmark"];
  await using ioq = await open();
  const paths = new Map<string, Uint8Array>();
  for (const name of odd) {
    paths.set(`${name}`, await makeFile(ioq, dir.path, name));
  }
  even.forEach((name) => dir.file(name));

  for (const entries of [await ioq.readDir(dir.path), await readByBlocks(ioq, dir.path)]) {
    assertEquals(entries.length, odd.length + even.length);
    const raw = entries.filter(({ rawName }) => rawName !== undefined);
    assertEquals(raw.map(({ rawName }) => `${rawName}`).sort(), odd.map(String).sort());
    for (const { name, rawName, isFile } of raw) {
      assertEquals(isFile, true);
      assertEquals(name, new TextDecoder("utf-8", { ignoreBOM: true }).decode(rawName));
      assert(name.includes("\ufffd"));
      // The bytes lead back to the file
      const path = Uint8Array.from([...bytes(`${dir.path}/`), ...rawName!]);
      assertEquals(path, paths.get(`${rawName}`));
      assertEquals((await ioq.stat(path)).size, rawName!.length);
    }
    const others = entries.filter((entry) => !("rawName" in entry));
    assertEquals(others.map(({ name }) => name).sort(), [...even].sort());
  }
  const missing = Uint8Array.from([...bytes(`${dir.path}/`), 0xfe]);
  assertEquals((await looksOf(() => ioq.stat(missing))).code, "ENOENT");
}, ({ library }) => library);

forEachBackend("readDirBlock() gives a large directory in several blocks", async ({ open }) => {
  using dir = new TempDir();
  using other = new TempDir();
  const file = other.file("file");
  for (let i = 0; i < 1000; i++) {
    Deno.linkSync(file, dir.at(`${i}`.padEnd(200, "x")));
  }
  await using ioq = await open();
  const fd = await ioq.run(op.openDir(dir.path));
  const first = await ioq.run(op.readDirBlock(fd));
  assert(first.length > 0 && first.length < 1000, `${first.length}`);
  const names = new Set(first.map(({ name }) => name));
  let block;
  while ((block = await ioq.run(op.readDirBlock(fd))).length > 0) {
    block.forEach(({ name }) => names.add(name));
  }
  assertEquals(names.size, 1000);
  await ioq.run(op.closeDir(fd));
  assertEquals(descriptorsUnder(dir.path), 0);
}, ({ library }) => library);

forEachBackend("openDir() and readDirBlock() refuse what is no directory", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  const looks = await looksOf(() => ioq.run(op.openDir(path)));
  assertEquals(looks.code, "ENOTDIR");
  assertEquals(looks.class, "NotADirectory");
  assertEquals(looks.message, `Not a directory (os error 20): opendir '${path}'`);
  const fd = await ioq.run(op.open(path));
  assertEquals((await looksOf(() => ioq.run(op.readDirBlock(fd)))).code, "ENOTDIR");
  await ioq.run(op.close(fd));
}, ({ library }) => library);
