// Copyright 2026 the ioq authors. MIT license.

/** The free-standing functions and the queue that they share. */

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import * as ioq from "../mod.ts";
import { bytes, LIBRARY, MOD, runDeno, TempDir, text } from "./fixtures.ts";

Deno.test("the free-standing functions do what the methods do", async () => {
  // Its end is the library's: nothing may be left open
  await using _ = await ioq.defaultQueue();
  using dir = new TempDir();
  const path = dir.at("file");
  await ioq.writeTextFile(path, "text");
  assertEquals(await ioq.readTextFile(path), "text");
  await ioq.writeFile(path, bytes("bytes"));
  assertEquals(text(await ioq.readFile(path)), "bytes");
  await ioq.chmod(path, 0o600);
  await ioq.utime(path, 1, 2);
  const info = await ioq.stat(path);
  assertEquals([info.size, info.mode! & 0o777, info.mtime], [5, 0o600, new Date(2000)]);
  assertEquals((await ioq.lstat(path, { bigint: true })).size, 5n);
  await ioq.chown(path, null, null);
  await ioq.truncate(path, 2);
  await ioq.copyFile(path, dir.at("copy"));
  await ioq.link(path, dir.at("hard"));
  await ioq.symlink(path, dir.at("soft"));
  assertEquals(await ioq.readLink(dir.at("soft")), path);
  assertEquals(await ioq.realPath(dir.at("soft")), path);
  await ioq.mkdir(dir.at("a/b"), { recursive: true });
  await ioq.rename(dir.at("copy"), dir.at("a/copy"));
  await ioq.remove(dir.at("hard"));
  const names = (await ioq.readDir(dir.path)).map(({ name }) => name);
  assertEquals(names.sort(), ["a", "file", "soft"]);
  {
    await using file = await ioq.openFile(path);
    assertEquals(await file.readAt(new Uint8Array(9), 0), 2);
  }
  const found = [];
  for await (const { bytes } of ioq.readFiles([path, dir.at("a/copy")])) {
    found.push(text(bytes));
  }
  assertEquals(found, ["by", "by"]);
  await assertRejects(() => ioq.stat(dir.at("none")), Deno.errors.NotFound);
  const signal = AbortSignal.abort(new Error("mine"));
  await assertRejects(() => ioq.stat("/", { signal }), Error, "mine");
});

Deno.test("the shared queue is opened once, and again after it was closed", async () => {
  const [first, same] = await Promise.all([ioq.defaultQueue(), ioq.defaultQueue()]);
  assertStrictEquals(first, same);
  assertEquals(first.accepts, true);
  await first.close();
  assertEquals(first.accepts, false);
  assert((await ioq.stat("/")).isDirectory);
  const second = await ioq.defaultQueue();
  assert(second !== first);
  // One that was cancelled takes nothing any more
  second.cancelAll();
  assert((await ioq.stat("/")).isDirectory);
  await second.close();
  await (await ioq.defaultQueue()).close();
});

Deno.test("the shared queue is closed with its last holder", async () => {
  let shared: ioq.Ioq;
  let release = () => {};
  const released = new Promise<void>((resolve) => release = resolve);
  const hold = async (until: Promise<void>) => {
    await using queue = await ioq.defaultQueue();
    shared = queue;
    await until;
  };
  const longer = hold(released);
  await hold(Promise.resolve());
  assertEquals(shared!.accepts, true);
  assert((await ioq.stat("/")).isDirectory);
  release();
  await longer;
  assertEquals(shared!.accepts, false);
  // What holds none does not keep it open
  await ioq.stat("/");
  const [one, other] = [await ioq.defaultQueue(), await ioq.defaultQueue()];
  assertStrictEquals(one, other);
  await one[Symbol.asyncDispose]();
  assertEquals(other.accepts, true);
  await other[Symbol.asyncDispose]();
  assertEquals(other.accepts, false);
});

Deno.test("a process that uses only the functions ends by itself", async () => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  const { code, stdout, stderr } = await runDeno(
    `import { openFile, readFiles, readTextFile, stat } from "${MOD}";
     console.log((await stat(Deno.args[0])).size, await readTextFile(Deno.args[0]));
     for await (const { bytes } of readFiles([Deno.args[0]])) console.log(bytes.length);
     const file = await openFile(Deno.args[0]);
     console.log(await file.readAt(new Uint8Array(9), 0));
     setTimeout(() => console.log("end"), 5);`,
    { args: [path], env: { IOQ_LIBRARY: LIBRARY } },
  );
  assertEquals([code, stdout, stderr], [0, "4 text\n4\n4\nend\n", ""]);
});

Deno.test("where no queue can be had the functions say so, each time", async () => {
  const { stdout, stderr } = await runDeno(
    `import { readFiles, stat } from "${MOD}";
     for (let i = 0; i < 2; i++) {
       console.log(await stat("/").catch((error) => error.name));
       console.log(await readFiles(["/"]).next().catch((error) => error.name));
     }`,
    { env: { IOQ_LIBRARY: "/nowhere.so", IOQ_BACKEND: "threads" } },
  );
  assertEquals([stdout, stderr], ["NotSupported\n".repeat(4), ""]);
});
