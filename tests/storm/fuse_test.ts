// Copyright 2026 the ioq authors. MIT license.

/** The file system that other tests mount: Deno finds in it what it was asked for. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { contentsOf, mountFuse, testOnFuse } from "./fuse.ts";

/** The code of what a promise rejects with. */
async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
}

testOnFuse("a tree is there from the start", async () => {
  await using fs = await mountFuse({ tree: { directories: 7, files: 3, bytes: 1000, fan: 2 } });
  assertEquals([...Deno.readDirSync(fs.path)].map(({ name }) => name), ["d0"]);
  const names = [...Deno.readDirSync(fs.at("d0"))].map(({ name }) => name).sort();
  assertEquals(names, ["d1", "d2", "f0", "f1", "f2"]);
  // The sixth directory's second file
  assertEquals(await Deno.readFile(fs.at("d0/d2/d5/f1")), contentsOf(16, 1000));
  assertEquals((await Deno.stat(fs.at("d0/d2/d5/f1"))).size, 1000);
  assertEquals((await fs.counts()).open, { requests: 1, failed: 0 });
});

testOnFuse("files, directories and links can be made, changed and removed", async () => {
  await using fs = await mountFuse({ tree: { directories: 1, files: 1, bytes: 100 } });
  const big = contentsOf(5, 3_000_000);
  await Deno.writeFile(fs.at("big"), big);
  assertEquals(await Deno.readFile(fs.at("big")), big);
  await Deno.truncate(fs.at("big"), 10);
  await Deno.truncate(fs.at("big"), 20);
  assertEquals(
    await Deno.readFile(fs.at("big")),
    Uint8Array.from([...big.slice(0, 10), ...new Uint8Array(10)]),
  );
  await Deno.writeTextFile(fs.at("d0/f0"), "x", { append: true });
  assertEquals((await Deno.readTextFile(fs.at("d0/f0"))).length, 101);
  await Deno.mkdir(fs.at("d/e/f"), { recursive: true });
  await Deno.symlink("../big", fs.at("d/link"));
  assertEquals(await Deno.readLink(fs.at("d/link")), "../big");
  await Deno.link(fs.at("big"), fs.at("d/e/hard"));
  assertEquals((await Deno.stat(fs.at("d/link"))).nlink, 2);
  await Deno.rename(fs.at("d/e"), fs.at("e"));
  assertEquals((await Deno.stat(fs.at("e/hard"))).size, 20);
  await Deno.utime(fs.at("e"), 1, 2);
  await Deno.chmod(fs.at("e"), 0o700);
  const { mtime, mode } = await Deno.stat(fs.at("e"));
  assertEquals([mtime?.getTime(), mode! & 0o7777], [2000, 0o700]);
  assertEquals(await codeOf(Deno.remove(fs.at("e"))), "ENOTEMPTY");
  for (const { name } of Deno.readDirSync(fs.path)) {
    await Deno.remove(fs.at(name), { recursive: true });
  }
  assertEquals([...Deno.readDirSync(fs.path)], []);
});

testOnFuse("answers are as late as told, side by side", async () => {
  await using fs = await mountFuse({
    latencyUs: { lookup: 5000, readdir: 20_000 },
    tree: { directories: 1, files: 50 },
  });
  let start = performance.now();
  await Array.fromAsync(Deno.readDir(fs.at("d0")));
  assert(performance.now() - start >= 25);
  start = performance.now();
  for (let i = 0; i < 4; i++) {
    await Deno.stat(fs.at(`d0/f${i}`));
  }
  assert(performance.now() - start >= 40);
  // One server takes them one by one
  await fs.tell({ servers: 1 });
  start = performance.now();
  await Promise.all(Array.from({ length: 5 }, (_, i) => Deno.stat(fs.at(`d0/f${i}`))));
  assert(performance.now() - start >= 30);
});

testOnFuse("faults happen when told, and are counted", async () => {
  await using fs = await mountFuse({
    faults: [
      { at: "write", nth: 2, errno: "EIO" },
      { at: "open", errno: "EINTR" },
      { at: "create", nth: 2, errno: "EINTR", count: 2 },
    ],
    tree: { directories: 1, files: 1, bytes: 10 },
  });
  // Deno opens again when it was interrupted
  (await Deno.open(fs.at("d0/f0"))).close();
  await Deno.writeTextFile(fs.at("a"), "one");
  assertEquals(await codeOf(Deno.writeTextFile(fs.at("b"), "x")), "EIO");
  const { open, create } = await fs.counts();
  assertEquals([open.failed, create], [1, { requests: 4, failed: 2 }]);
  await Deno.writeTextFile(fs.at("b"), "y");
  assertEquals(await Deno.readTextFile(fs.at("b")), "y");
  assertEquals((await fs.counts()).write, { requests: 3, failed: 1 });
  // The kernel asks again for what it failed to read ahead
  await fs.tell({ faults: [{ at: "read", errno: "EIO", count: 2 }] });
  assertEquals(await codeOf(Deno.readFile(fs.at("b"))), "EIO");
});

testOnFuse("transfers fall short, and room runs out", async () => {
  await using fs = await mountFuse({
    directIo: true,
    capacityBytes: 100_000,
    shortages: [{ at: "write", bytes: 1000 }, { at: "read", bytes: 7, every: 2 }],
  });
  using file = await Deno.open(fs.at("file"), { create: true, read: true, write: true });
  assertEquals(await file.write(new Uint8Array(5000)), 1000);
  await file.seek(0, Deno.SeekMode.Start);
  const buffer = new Uint8Array(100);
  assertEquals([await file.read(buffer), await file.read(buffer)], [100, 7]);
  await fs.reset();
  assertEquals(await codeOf(Deno.writeFile(fs.at("more"), new Uint8Array(200_000))), "ENOSPC");
  assertEquals((await Deno.stat(fs.at("more"))).size, 99_000);
});

testOnFuse("files may tell 0 as their size, and inode numbers be huge", async () => {
  const inodeBase = 2n ** 63n + 1n;
  await using fs = await mountFuse({
    tellZero: true,
    inodeBase,
    tree: { directories: 1, files: 2, bytes: 100_000 },
  });
  assertEquals((await Deno.stat(fs.at("d0/f1"))).size, 0);
  assertEquals(await Deno.readFile(fs.at("d0/f1")), contentsOf(1, 100_000));
  assertEquals((await Deno.stat(fs.at("d0/f1"))).ino, Number(inodeBase + 3n));
});

testOnFuse("it goes with whoever mounted it, and what waits for it then fails", async () => {
  const fs = await mountFuse({
    latencyUs: { getattr: 60_000_000 },
    tree: { directories: 1, files: 1 },
  });
  const stat = assertRejects(() => Deno.stat(fs.at("d0/f0")));
  while ((await fs.counts()).getattr.requests === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await fs[Symbol.asyncDispose]();
  await stat;
  assertEquals(Deno.readTextFileSync("/proc/mounts").includes(fs.path), false);

  const script = `
    import { mountFuse } from ${JSON.stringify(new URL("./fuse.ts", import.meta.url).href)};
    console.log((await mountFuse()).path);
    Deno.kill(Deno.pid, "SIGKILL");`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", script],
    stderr: "null",
  }).output();
  const path = new TextDecoder().decode(stdout).trim();
  assert(path.length > 0);
  while (Deno.readTextFileSync("/proc/mounts").includes(path)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  Deno.removeSync(path);
});
