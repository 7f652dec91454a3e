// Copyright 2026 the ioq authors. MIT license.

/** `writeFiles()`. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { defaultQueue, type FileToWrite, writeFiles, type WriteFilesProgress } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, descriptorsUnder, errorOf, TempDir, text, until } from "../fixtures.ts";

/** Files in some directories. */
function* entriesIn(dir: TempDir, count: number): Generator<FileToWrite> {
  for (let i = 0; i < count; i++) {
    yield { path: dir.at(`${i % 3}/${i % 5}/${i}`), data: `file ${i}` };
  }
}

forEachBackend("writeFiles() writes all of them, and makes directories", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const progress: WriteFilesProgress[] = [];
  const written = await ioq.writeFiles(entriesIn(dir, 200), {
    parents: true,
    concurrency: 16,
    onProgress: (it) => progress.push(it),
  });
  assertEquals(written, { files: 200, bytes: 200 * 5 + 10 + 90 * 2 + 100 * 3 });
  for (let i = 0; i < 200; i++) {
    assertEquals(Deno.readTextFileSync(dir.at(`${i % 3}/${i % 5}/${i}`)), `file ${i}`);
  }
  assertEquals(progress.length, 200);
  assertEquals(progress.at(-1)!.files, 200);
  assertEquals(new Set(progress.map(({ path }) => path)).size, 200);
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("writeFiles() takes what writeFile() takes", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const umask = Deno.umask(0o022);
  try {
    const large = Uint8Array.from({ length: 5_000_001 }, (_, i) => i >> 4);
    const streamed = ReadableStream.from([bytes("a"), bytes("stream")]);
    dir.file("old", "longer than what is written");
    for (const options of [{}, { atomic: true }, { durable: true }]) {
      await ioq.writeFiles(
        (async function* () {
          yield { path: bytes(dir.at("old")), data: bytes("new"), mode: 0o600 };
          yield { path: new URL(`file://${dir.at("text")}`), data: "äöü" };
          await ioq.nop();
          yield { path: dir.at("large"), data: large };
        })(),
        { mode: 0o640, ...options },
      );
      assertEquals(Deno.readTextFileSync(dir.at("old")), "new");
      assertEquals(Deno.readTextFileSync(dir.at("text")), "äöü");
      assertEquals(Deno.statSync(dir.at("large")).size, large.length);
      assertEquals(Deno.statSync(dir.at("old")).mode! & 0o777, 0o600);
      assertEquals(Deno.statSync(dir.at("text")).mode! & 0o777, 0o640);
    }
    const { bytes: count } = await ioq.writeFiles(
      [{ path: dir.at("new/folder/file"), data: streamed }],
      { parents: true },
    );
    assertEquals(count, 0);
    assertEquals(Deno.readTextFileSync(dir.at("new/folder/file")), "astream");
    await assertRejects(
      () => ioq.writeFiles([{ path: dir.at("old"), data: "x" }], { createNew: true }),
      Deno.errors.AlreadyExists,
    );
  } finally {
    Deno.umask(umask);
  }
  assertEquals(await ioq.writeFiles([]), { files: 0, bytes: 0 });
});

forEachBackend("writeFiles() takes entries when there is room for them", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  let taken = 0;
  let written = 0;
  let most = 0;
  await ioq.writeFiles(
    (function* () {
      for (let i = 0; i < 100; i++) {
        most = Math.max(most, ++taken - written);
        yield { path: dir.at(String(i)), data: "x" };
      }
    })(),
    { concurrency: 4, onProgress: () => void written++ },
  );
  assertEquals(written, 100);
  assert(most <= 5, String(most));
});

forEachBackend("writeFiles() does about errors what it is told", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  Deno.mkdirSync(dir.at("directory"));
  const entries = (): FileToWrite[] => [
    { path: dir.at("one"), data: "1" },
    { path: dir.at("directory"), data: "2" },
    { path: dir.at("missing/file"), data: "3" },
    { path: 4 as unknown as string, data: "4" },
    null as unknown as FileToWrite,
    { path: dir.at("five"), data: 5 as unknown as string },
    { path: dir.at("six"), data: "6" },
  ];
  const ours = await errorOf(() => ioq.writeFiles(entries().slice(0, 2)));
  const denos = await errorOf(() => Deno.writeFile(dir.at("directory"), bytes("2")));
  assertEquals(ours.message, denos.message);
  const missed: unknown[] = [];
  const { files } = await ioq.writeFiles(entries().filter(Boolean), {
    onError: (_, path) => void missed.push(path),
  });
  assertEquals(files, 2);
  assertEquals(
    new Set(missed),
    new Set([
      dir.at("directory"),
      dir.at("missing/file"),
      4,
      dir.at("five"),
    ]),
  );
  assertEquals((await ioq.writeFiles(entries().filter(Boolean), { onError: "skip" })).files, 2);
  await assertRejects(() => ioq.writeFiles(entries().slice(4)), TypeError);
  const thrown = new Error("told");
  const told = await errorOf(() =>
    ioq.writeFiles(entries().slice(1), {
      onError() {
        throw thrown;
      },
    })
  );
  assert(told === thrown);
  let ended = 0;
  const failing = (function* () {
    try {
      yield* entriesIn(dir, 1000);
    } finally {
      ended++;
    }
  })();
  await assertRejects(() => ioq.writeFiles(failing, { concurrency: 2 }), Deno.errors.NotFound);
  assertEquals(ended, 1);
  const broken = (function* (): Generator<FileToWrite> {
    yield { path: dir.at("before"), data: "x" };
    throw new Error("no more entries");
  })();
  await assertRejects(() => ioq.writeFiles(broken), Error, "no more entries");
  for (const wrong of ["a path", 5, null, undefined]) {
    await assertRejects(
      () => ioq.writeFiles(wrong as unknown as FileToWrite[]),
      TypeError,
      "Expected entries to be an iterable of files to write",
    );
  }
  await assertRejects(() => ioq.writeFiles([], { concurrency: 0 }), RangeError);
  await assertRejects(
    () => ioq.writeFiles([], { onerror: "skip" } as never),
    TypeError,
    "it is 'onError'",
  );
});

forEachBackend("a signal, a time limit or the end of the queue ends it", async ({ open }) => {
  using dir = new TempDir();
  const endless = (): AsyncIterable<FileToWrite> => ({
    async *[Symbol.asyncIterator]() {
      yield { path: dir.at("first"), data: "x" };
      await new Promise(() => {});
    },
  });
  await using ioq = await open();
  const end = new AbortController();
  const aborted = ioq.writeFiles(endless(), {
    signal: end.signal,
    onError: "skip",
    onProgress: () => end.abort(new Error("enough")),
  });
  await assertRejects(() => aborted, Error, "enough");
  await assertRejects(
    () => ioq.writeFiles(endless(), { timeoutMs: 1, onError: "skip" }),
    Deno.errors.TimedOut,
  );
  const closed = await open();
  let begun = false;
  const half = closed.writeFiles(endless(), { onProgress: () => begun = true, onError: "skip" });
  half.catch(() => {});
  await until(() => begun, "the first file");
  await closed.close();
  await assertRejects(() => half, Deno.errors.BadResource);
  await assertRejects(() => closed.writeFiles(endless()), Deno.errors.BadResource);
  const streams = new AbortController();
  const waiting = ioq.writeFiles([
    { path: dir.at("a"), data: new ReadableStream() },
    { path: dir.at("b"), data: new ReadableStream() },
  ], { signal: streams.signal, atomic: true });
  streams.abort(new Error("no stream"));
  await assertRejects(() => waiting, Error, "no stream");
  assertEquals(descriptorsUnder(dir.path), 0);
  assertEquals([...Deno.readDirSync(dir.path)].map(({ name }) => name), ["first"]);
});

Deno.test("writeFiles() is a function as well", async () => {
  using dir = new TempDir();
  await using _ = await defaultQueue();
  assertEquals(await writeFiles([{ path: dir.at("file"), data: "text" }]), { files: 1, bytes: 4 });
});

/** Files that exist, and entries that replace them, the last of which fails. */
function withFailing(dir: TempDir, count: number, old: string): FileToWrite[] {
  const entries = Array.from({ length: count }, (_, i): FileToWrite => {
    dir.file(`${i}`, old);
    return { path: dir.at(`${i}`), data: new Uint8Array(200_000).fill(i + 1) };
  });
  entries.splice(count >> 1, 0, { path: dir.at("missing/file"), data: "x" });
  return entries;
}

forEachBackend("what fails beside a file does not interrupt its writing", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const count = 24;
  const end = new Error("of the caller's");
  const throws = () => {
    throw end;
  };
  for (const options of [{}, { onError: throws }, { onProgress: throws }]) {
    const entries = withFailing(dir, count, "old");
    const error = await errorOf(() => ioq.writeFiles(entries, { ...options, concurrency: 16 }));
    assert(error instanceof Deno.errors.NotFound || error === end);
    const now = Array.from({ length: count }, (_, i) => Deno.readFileSync(dir.at(`${i}`)));
    for (const [i, contents] of now.entries()) {
      const isOld = text(contents) === "old";
      assert(isOld || contents.length === 200_000 && contents.every((byte) => byte === i + 1));
    }
    // Those beside it were begun with it, and it is over
    assert(now.some(({ length }) => length === 200_000));
    for (let i = 0; i < count; i++) {
      dir.file(`${i}`, "the caller's");
    }
    await ioq.nop();
    for (let i = 0; i < count; i++) {
      assertEquals(Deno.readTextFileSync(dir.at(`${i}`)), "the caller's");
    }
  }
});

forEachBackend("nothing is written after writeFiles() was ended", async ({ open }) => {
  using dir = new TempDir();
  const count = 24;
  const data = new Uint8Array(1_000_000);
  const paths = Array.from({ length: count }, (_, i) => dir.at(`${i}`));
  for (let round = 0; round < 6; round++) {
    const timeoutMs = round % 2 === 0 ? undefined : 3;
    const ioq = await open();
    const end = new AbortController();
    const writing = ioq.writeFiles(paths.map((path) => ({ path, data })), {
      concurrency: 16,
      signal: end.signal,
      timeoutMs,
      onProgress: () => timeoutMs === undefined && end.abort(new Error("enough")),
    });
    await errorOf(() => writing);
    assertEquals(descriptorsUnder(dir.path), 0);
    for (const path of paths) {
      Deno.writeTextFileSync(path, "the caller's");
    }
    // Waits for all that is still in progress
    await ioq.close();
    for (const path of paths) {
      assertEquals(Deno.readTextFileSync(path), "the caller's");
    }
  }
});
