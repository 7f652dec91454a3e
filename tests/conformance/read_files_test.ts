// Copyright 2026 the ioq authors. MIT license.

/** Reading many files, and writing streams. */

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import type { Path } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, descriptorsUnder, sleep, TempDir, text, until, within } from "../fixtures.ts";

/** Make some files; their paths. */
function makeFiles(dir: TempDir, count: number): string[] {
  return Array.from({ length: count }, (_, i) => dir.file(`file${i}`, `text ${i}`.repeat(i)));
}

forEachBackend("readFiles() gives each file once, in any order", async ({ open, t }) => {
  using dir = new TempDir();
  await using ioq = await open({ depth: 16 });
  const paths = makeFiles(dir, 100);
  const check = async (files: AsyncIterable<{ path: Path; bytes: Uint8Array }>) => {
    const seen = new Set<string>();
    for await (const { path, bytes } of files) {
      const i = paths.indexOf(path as string);
      assertEquals(text(bytes), `text ${i}`.repeat(i));
      seen.add(path as string);
    }
    assertEquals(seen.size, paths.length);
  };
  await t.step("of an array", () => check(ioq.readFiles(paths)));
  await t.step("one at a time", () => check(ioq.readFiles(paths, { concurrency: 1 })));
  await t.step(
    "more than the queue is deep",
    () => check(ioq.readFiles(new Set(paths), { concurrency: 50 })),
  );
  await t.step("of an asynchronous iterable", () =>
    check(ioq.readFiles(async function* () {
      for (const path of paths) {
        await Promise.resolve();
        yield path;
      }
    }())));
  await t.step("of nothing", async () => {
    for await (const _ of ioq.readFiles([])) {
      throw new Error("There is a file");
    }
  });
  await t.step("of /proc, as URLs and as bytes", async () => {
    const url = new URL("file:///proc/self/status");
    const raw = bytes(paths[7]!);
    for await (const { path, bytes } of ioq.readFiles([url, raw])) {
      if (path === url) {
        assert(text(bytes).startsWith("Name:"));
      } else {
        assertStrictEquals(path, raw);
        assertEquals(text(bytes), "text 7".repeat(7));
      }
    }
  });
});

forEachBackend("readFiles() takes paths only as fast as they are consumed", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const paths = makeFiles(dir, 100);
  let taken = 0;
  const files = ioq.readFiles(
    function* () {
      for (const path of paths) {
        taken++;
        yield path;
      }
    }(),
    { concurrency: 8 },
  );
  assertEquals(taken, 0);
  for (let consumed = 1; consumed <= 100; consumed++) {
    assertEquals((await files.next()).done, false);
    await sleep(0);
    assert(taken <= consumed + 8, `${taken} taken, ${consumed} consumed`);
  }
  assertEquals((await files.next()).done, true);
  assertEquals((await files.next()).done, true);
});

forEachBackend("readFiles() does about errors what it is told to", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const paths = makeFiles(dir, 20);
  const none = dir.at("none");
  const mixed = [...paths.slice(0, 10), none, dir.path, "a\0b", ...paths.slice(10)];
  const count = async (files: AsyncIterable<unknown>) => {
    let count = 0;
    for await (const _ of files) {
      count++;
    }
    return count;
  };
  await assertRejects(() => count(ioq.readFiles([...paths, none])), Deno.errors.NotFound, none);
  assertEquals(await count(ioq.readFiles(mixed, { onError: "skip" })), 20);
  const missed: unknown[] = [];
  const onError = (error: Error, path: Path) => missed.push([path, error.constructor.name]);
  assertEquals(await count(ioq.readFiles(mixed, { onError })), 20);
  assertEquals(
    missed.sort(),
    [[none, "NotFound"], [dir.path, "IsADirectory"], ["a\0b", "TypeError"]].sort(),
  );
  const stop = () => {
    throw new Error("enough");
  };
  await assertRejects(() => count(ioq.readFiles(mixed, { onError: stop })), Error, "enough");
  const failing = function* () {
    yield paths[0]!;
    throw new Error("no more paths");
  };
  await assertRejects(() => count(ioq.readFiles(failing())), Error, "no more paths");

  assertThrows(() => ioq.readFiles(paths, { concurrency: 0 }), RangeError);
  assertThrows(() => ioq.readFiles(paths, { onError: "ignore" as "skip" }), TypeError);
  assertThrows(() => ioq.readFiles("/etc/hosts" as unknown as string[]), TypeError);
  assertThrows(() => ioq.readFiles(bytes("/etc/hosts") as unknown as string[]), TypeError);
});

forEachBackend("leaving readFiles() early frees what it holds", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const paths = makeFiles(dir, 200);
  let returned = 0;
  const source = function* () {
    try {
      yield* paths;
    } finally {
      returned++;
    }
  };
  for (let round = 0; round < 10; round++) {
    let seen = 0;
    for await (const _ of ioq.readFiles(source(), { concurrency: 50 })) {
      if (++seen > round) {
        break;
      }
    }
  }
  assertEquals(returned, 10);
  // Someone who waits is told
  const files = ioq.readFiles(paths);
  const waiting = Array.from({ length: 5 }, () => files.next());
  await files.return!();
  for (const next of waiting) {
    await within(5000, next, "next()");
  }
  assertEquals((await files.next()).done, true);
  await until(() => ioq.size === 0 && descriptorsUnder(dir.path) === 0, "nothing is left");
});

forEachBackend("a signal ends readFiles()", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const paths = makeFiles(dir, 100);
  const controller = new AbortController();
  const reason = new Error("mine");
  let seen = 0;
  await assertRejects(
    async () => {
      for await (const _ of ioq.readFiles(paths, { signal: controller.signal })) {
        if (++seen === 3) {
          controller.abort(reason);
        }
      }
    },
    Error,
    "mine",
  );
  assertEquals(seen, 3);
  const again = ioq.readFiles(paths, { signal: controller.signal });
  await assertRejects(() => again.next(), Error, "mine");
  assertEquals((await again.next()).done, true);
  await until(() => ioq.size === 0 && descriptorsUnder(dir.path) === 0, "nothing is left");
});

forEachBackend("writeFile() takes streams", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const path = dir.file("file", "longer than this");
  const parts = ["one ", "two ", "three"];
  const stream = () => ReadableStream.from(parts);
  await ioq.writeTextFile(path, stream());
  assertEquals(Deno.readTextFileSync(path), parts.join(""));
  await ioq.writeFile(path, ReadableStream.from([bytes("+"), bytes("+")]), { append: true });
  assertEquals(Deno.readTextFileSync(path), `${parts.join("")}++`);
  await ioq.writeTextFile(dir.at("private"), stream(), { mode: 0o600 });
  assertEquals(Deno.statSync(dir.at("private")).mode! & 0o7777, 0o600);
  await ioq.writeTextFile(dir.at("new"), stream(), { createNew: true });
  assertEquals(Deno.readTextFileSync(dir.at("new")), parts.join(""));

  let cancelled: unknown;
  const unread = () => new ReadableStream({ cancel: (reason) => void (cancelled = reason) });
  await assertRejects(
    () => ioq.writeFile(path, unread(), { createNew: true }),
    Deno.errors.AlreadyExists,
  );
  assert(cancelled instanceof Deno.errors.AlreadyExists);
  await assertRejects(
    () => ioq.writeFile(dir.at("none"), unread(), { create: false }),
    Deno.errors.NotFound,
  );
  const failing = new ReadableStream({ pull: (controller) => controller.error(new Error("mine")) });
  await assertRejects(() => ioq.writeFile(path, failing), Error, "mine");
  const controller = new AbortController();
  const { signal } = controller;
  const writing = ioq.writeFile(path, unread(), { signal });
  setTimeout(() => controller.abort(new Error("aborted")), 5);
  await assertRejects(() => writing, Error, "aborted");
  await until(() => descriptorsUnder(dir.path) === 0, "nothing is left");
});

forEachBackend(
  "readFiles() takes no longer than it may, and no option that there is not",
  async ({ open }) => {
    await using ioq = await open();
    const never = {
      async *[Symbol.asyncIterator]() {
        await new Promise(() => {});
        yield "never";
      },
    };
    const files = ioq.readFiles(never, { timeoutMs: 5 });
    await assertRejects(() => files.next(), Deno.errors.TimedOut);
    assertEquals((await files.next()).done, true);
    assertThrows(() => ioq.readFiles([], { nope: 1 } as never), TypeError, "nope");
    assertThrows(() => ioq.readFiles([], { timeoutMs: -1 }), RangeError);
  },
);
