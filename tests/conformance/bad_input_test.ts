// Copyright 2026 the ioq authors. MIT license.

/** Sources of paths that fail, paths of any bytes, and options that are wrong. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { copyTree, type Ioq, removeTree, walk } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, TempDir, text } from "../fixtures.ts";

/** Paths that end in an error. */
async function* failingPaths(dir: TempDir, error: Error): AsyncGenerator<string> {
  yield dir.at("file");
  await Promise.resolve();
  throw error;
}

forEachBackend("readFiles() ends with the error of where its paths come from", async ({ open }) => {
  using dir = new TempDir();
  dir.file("file", "text");
  await using ioq = await open();
  const error = new Error("no more paths");
  const thrown = await assertRejects(async () => {
    for await (const { bytes } of ioq.readFiles(failingPaths(dir, error), { concurrency: 1 })) {
      assertEquals(text(bytes), "text");
    }
  });
  assertEquals(thrown, error);
  assertThrows(() => ioq.readFiles([], { signal: {} as AbortSignal }), TypeError, "signal");
  assertEquals(ioq.size, 0);
});

forEachBackend(
  "a walk that is given an error ends with it and leaves nothing",
  async ({ open }) => {
    using dir = new TempDir();
    dir.file("file");
    await using ioq = await open();
    const error = new Error("thrown into it");
    for (const entries of [walk(dir.path, { ioq }), walk.batches(dir.path, { ioq })]) {
      assertEquals((await entries.next()).done, false);
      assertEquals(await assertRejects(() => entries.throw!(error)), error);
      assertEquals(await entries.next() as unknown, { done: true, value: undefined });
    }
    assertEquals(ioq.size, 0);
  },
);

/** The path of something in a directory by its bytes. */
function below(dir: TempDir, ...name: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array([...bytes(`${dir.path}/`), ...name]);
}

forEachBackend("sorting tells names apart that look alike as text", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const names = [[0xff], [0xfe], [0xfe, 0xff], [0xfe, 0xfd]];
  for (const name of names) {
    await ioq.writeFile(below(dir, ...name), new Uint8Array());
  }
  const found = await Array.fromAsync(walk(dir.path, { ioq, sort: true, includeDirs: false }));
  assertEquals(found.map(({ rawName }) => [...rawName!]), [
    [0xfe],
    [0xff],
    [0xfe, 0xfd],
    [0xfe, 0xff],
  ]);
}, ({ library }) => library);

/** Copy and remove a tree whose paths are bytes that no text stands for. */
async function copyByBytes(ioq: Ioq, dir: TempDir): Promise<void> {
  const from = below(dir, 0xff, 0x2f);
  const to = below(dir, 0xfe, 0x2f, 0x2f);
  await ioq.mkdir(from);
  await ioq.writeFile(new Uint8Array([...from, ...bytes("file")]), bytes("text"));
  await copyTree(from, to, { ioq });
  assertEquals(text(await ioq.readFile(new Uint8Array([...to, ...bytes("file")]))), "text");
  await removeTree(from, { ioq });
  await removeTree(to, { ioq });
  assertEquals(await ioq.readDir(dir.path), []);
}

forEachBackend("trees are copied and removed by paths of any bytes", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await copyByBytes(ioq, dir);
  for (const option of ["overwrite", "preserveTimestamps"]) {
    const options = { ioq, [option]: "yes" };
    await assertRejects(() => copyTree(dir.path, dir.at("to"), options), TypeError, option);
  }
}, ({ library }) => library);

forEachBackend("a file tells what it is when it is printed", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  await using file = await ioq.openFile(path);
  assertEquals(Deno.inspect(file), `IoqFile { path: "${path}", fd: ${file.fd} }`);
});

forEachBackend("a signal that is none is refused by whatever takes one", async ({ open }) => {
  await using ioq = await open();
  using dir = new TempDir();
  const path = dir.file("file", "text");
  using file = await ioq.openFile(path);
  const options = { signal: "now" as never };
  const message = "Expected signal to be an AbortSignal";
  for (
    const work of [
      () => ioq.stat(path, options),
      () => ioq.readFile(path, options),
      () => ioq.writeFile(path, new Uint8Array(), options),
      () => ioq.mkdir(dir.at("made"), options),
      () => ioq.sleep(1, options),
      () => file.readAt(new Uint8Array(1), 0, options),
      () => file.read(new Uint8Array(1), options),
      () => file.write(new Uint8Array(1), options),
      async () => await Array.fromAsync(walk(dir.path, { ...options, ioq })),
      async () => await Array.fromAsync(ioq.readFiles([path], options)),
      () => removeTree(dir.path, { ...options, ioq }),
    ]
  ) {
    await assertRejects(work, TypeError, message);
  }
  assertEquals(await ioq.readTextFile(path), "text");
  await assertRejects(() => ioq.stat(dir.at("made")), Deno.errors.NotFound);
});
