// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { type ErrorLooks, looksOf, TempDir } from "../fixtures.ts";

/** What a caller can tell of the error of something, if it fails. */
async function outcomeOf(run: () => unknown): Promise<ErrorLooks | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return looksOf(() => Promise.reject(error));
  }
}

forEachBackend("errors are Deno's: class, name, message and code", async ({ open, t }) => {
  using dir = new TempDir();
  const file = dir.file("file");
  Deno.symlinkSync("loop", dir.at("loop"));
  Deno.symlinkSync("nowhere", dir.at("dangling"));
  Deno.mkdirSync(dir.at("closed/inner"), { recursive: true });
  Deno.chmodSync(dir.at("closed"), 0);
  await using ioq = await open();

  const paths: [what: string, path: string | URL, expected: Partial<Record<string, string>>][] = [
    ["missing", "/nope", { stat: "ENOENT", open: "ENOENT", readDir: "ENOENT" }],
    ["missing and relative", "nope/\n'", { stat: "ENOENT" }],
    ["missing, by URL", new URL("file:///nope%20nope"), { stat: "ENOENT" }],
    ["NUL", "a\0b", { stat: "EINVAL", open: "EINVAL", readDir: "EINVAL" }],
    ["NUL, by URL", new URL("file:///a%00b"), { stat: "EINVAL" }],
    ["empty", "", { stat: "ENOENT", open: "ENOENT", readDir: "ENOENT" }],
    ["too long a name", `/${"n".repeat(256)}`, { stat: "ENAMETOOLONG", open: "ENAMETOOLONG" }],
    ["too long a name in bytes", `/${"é".repeat(128)}`, { stat: "ENAMETOOLONG" }],
    ["too long a path", "/x".repeat(2048), { stat: "ENAMETOOLONG", readDir: "ENAMETOOLONG" }],
    ["too long a path in bytes", "/é".repeat(1366), { stat: "ENAMETOOLONG" }],
    ["the longest path", "/x".repeat(2047), { stat: "ENOENT", open: "ENOENT" }],
    ["far too long a path", "/x".repeat(100_000), { stat: "ENAMETOOLONG", open: "ENAMETOOLONG" }],
    ["a file as a directory", `${file}/x`, { stat: "ENOTDIR", open: "ENOTDIR" }],
    ["a file with a slash", `${file}/`, { stat: "ENOTDIR", readDir: "ENOTDIR" }],
    ["a file", file, { readDir: "ENOTDIR" }],
    ["a directory", dir.path, { openForWriting: "EISDIR", create: "EISDIR" }],
    ["a loop", dir.at("loop"), { stat: "ELOOP", open: "ELOOP", readDir: "ELOOP" }],
    ["a dangling link", dir.at("dangling"), { stat: "ENOENT", open: "ENOENT" }],
    ["something there", file, { createNew: "EEXIST" }],
    ["no parent", dir.at("no/parent"), { create: "ENOENT", createNew: "ENOENT" }],
    ["a closed directory", dir.at("closed/inner"), {}],
    // Which even root may not
    ["what nobody may write to", "/sys/kernel/notes", {}],
  ];
  const write = { write: true };
  const calls: Record<
    string,
    [denos: (path: string | URL) => unknown, ours: (path: string | URL) => Promise<unknown>]
  > = {
    stat: [Deno.statSync, (path) => ioq.stat(path)],
    lstat: [Deno.lstatSync, (path) => ioq.lstat(path)],
    readDir: [(path) => [...Deno.readDirSync(path)], (path) => ioq.readDir(path)],
  };
  for (
    const [name, options] of Object.entries({
      open: { read: true },
      openForWriting: write,
      create: { ...write, create: true },
      createNew: { ...write, createNew: true },
    })
  ) {
    calls[name] = [
      (path) => Deno.openSync(path, options).close(),
      async (path) => {
        const fd = await ioq.run(op.open(path, options));
        await ioq.run(op.close(fd));
      },
    ];
  }

  const codes = new Set<unknown>();
  for (const [what, path, expected] of paths) {
    await t.step(what, async () => {
      for (const [name, [denos, ours]] of Object.entries(calls)) {
        if (name.startsWith("create") && !(name in expected)) {
          // It would leave something behind
          continue;
        }
        const theirs = await outcomeOf(() => denos(path));
        assertEquals(await outcomeOf(() => ours(path)), theirs, `${name} ${what}`);
        codes.add(theirs?.code);
        if (name in expected) {
          assertEquals(theirs?.code, expected[name], `${name} ${what}`);
        }
      }
    });
  }
  assert(codes.has("EACCES"), "nothing here is denied");
  assertEquals(ioq.size, 0);
  Deno.chmodSync(dir.at("closed"), 0o700);
});

forEachBackend("reading a directory's bytes is an error", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const fd = await ioq.run(op.open(dir.path));
  const looks = await looksOf(() => ioq.run(op.read(fd, 10)));
  assertEquals(looks, {
    class: "IsADirectory",
    name: "IsADirectory",
    message: `Is a directory (os error 21): read file descriptor ${fd}`,
    code: "EISDIR",
  });
  await ioq.run(op.close(fd));
});

forEachBackend("an error of a device is what it says", async ({ open }) => {
  await using ioq = await open();
  const fd = await ioq.run(op.open("/dev/full", { write: true }));
  const looks = await looksOf(() => ioq.run(op.write(fd, new Uint8Array(1))));
  assertEquals(looks.code, "ENOSPC");
  assertEquals(looks.message, `No space left on device (os error 28): write file descriptor ${fd}`);
  await ioq.run(op.close(fd));
});

forEachBackend("an error in the stream is the one that the promise rejects with", async (bench) => {
  await using ioq = await bench.open();
  ioq.submit(op.stat("/nope"));
  const promised = await looksOf(() => ioq.stat("/nope"));
  for await (const completion of ioq) {
    assert(!completion.ok);
    const { error } = completion as { error: Error };
    assertEquals(await looksOf(() => Promise.reject(error)), promised);
  }
});
