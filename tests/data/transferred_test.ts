// Copyright 2026 the ioq authors. MIT license.

/**
 * Buffers that are transferred or resized after the call: what waits has copies, so that
 * the outcome is Deno's, and what is too much to be copied fails rather than tell of bytes
 * that are not there.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { IoqFile } from "../../mod.ts";
import { giveRoom, KEPT_MAX, takeRoom } from "../../src/kept_bytes.ts";
import { forEachBackend } from "../backends.ts";
import { TempDir } from "../fixtures.ts";

const WRITE = { write: true, create: true, truncate: true };
/** More than is copied of a file by default, but not too much to be. */
const LONG = 5_000_000;
/** More than one piece, of which those to come are copied. */
const PIECES = 4_100_000;

/** What becomes of a buffer. */
const FATES: Record<string, (buffer: ArrayBuffer) => void> = {
  transferred: (buffer) => structuredClone(0, { transfer: [buffer] }),
  shrunk: (buffer) => buffer.resize(buffer.byteLength / 2),
  emptied: (buffer) => buffer.resize(0),
  grown: (buffer) => buffer.resize(2 * buffer.byteLength),
};

/** Bytes that end as long as their buffer does. */
function make(length: number, fill = 7): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length, { maxByteLength: 2 * length })).fill(fill);
}

/** What is in a file: how much, and whether of one kind. */
function look(path: string): [number, number | undefined] {
  const bytes = Deno.readFileSync(path);
  for (let at = 0; at < bytes.length; at += bytes.length > 5000 ? 4001 : 1) {
    assert(bytes[at] === bytes[0], path);
  }
  return [bytes.length, bytes[0]];
}

/** Have no room for copies for a while. */
function noRoom(): Disposable {
  const taken: number[] = [];
  for (let length = KEPT_MAX; length >= 1; length = Math.floor(length / 2)) {
    while (takeRoom(length)) {
      taken.push(length);
    }
  }
  return { [Symbol.dispose]: () => taken.forEach(giveRoom) };
}

forEachBackend("many files are as they were at the call", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  for (const [fate, befall] of Object.entries(FATES)) {
    for (const options of [{}, { atomic: true }, { concurrency: 1 }]) {
      const entries = Array.from({ length: 5 }, (_, at) => ({
        path: dir.file(`${at}`, "old"),
        data: make(1000, at + 1),
      }));
      const call = ioq.writeFiles(entries, options);
      entries.forEach(({ data }) => befall(data.buffer));
      assertEquals(await call, { files: 5, bytes: 5000 }, fate);
      for (const [at, { path }] of entries.entries()) {
        assertEquals(look(path), [1000, at + 1], fate);
      }
    }
  }
});

forEachBackend("an entry whose bytes have gone leaves the old file", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const data = make(1000);
  const path = dir.file("file", "old");
  const call = ioq.writeFiles(new Set([{ path, data }]).values(), { atomic: true });
  FATES.transferred!(data.buffer);
  // Whether it was taken before depends on whether the module was there already
  const told = await call.catch((error) => error);
  assert(
    told instanceof TypeError
      ? Deno.readTextFileSync(path) === "old"
      : told.bytes === 1000 && look(path)[0] === 1000,
    String(told),
  );
  await assertRejects(() => ioq.writeFiles([{ path, data }], { atomic: true }), TypeError);
});

forEachBackend("without room, what waits fails or is whole", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open({ depth: 1 });
  await using file = await ioq.openFile(dir.at("turns"), WRITE);
  using _ = noRoom();
  const entries = Array.from({ length: 3 }, (_, at) => ({
    path: dir.file(`${at}`, "old"),
    data: make(1000),
  }));
  const errors: unknown[] = [];
  const call = ioq.writeFiles(entries, {
    atomic: true,
    concurrency: 1,
    onError: (error) => errors.push(error),
  });
  entries.forEach(({ data }) => data.buffer.resize(10));
  const { files, bytes } = await call;
  assertEquals(bytes, files * 1000);
  assertEquals(errors.length, 3 - files);
  assert(errors.every((error) => error instanceof TypeError));
  const sizes = entries.map(({ path }) => Deno.statSync(path).size);
  assertEquals(sizes.filter((size) => size === 1000).length, files);
  assertEquals(sizes.filter((size) => size === 3).length, 3 - files);

  const turns = Array.from({ length: 4 }, () => {
    const data = make(1000);
    const write = file.write(data).catch((error) => error);
    data.buffer.resize(10);
    return write;
  });
  const told = await Promise.all(turns);
  const counts = told.filter((count) => typeof count === "number");
  assert(told.every((count) => count === 1000 || count instanceof TypeError), String(told));
  assertEquals(Deno.statSync(dir.at("turns")).size, counts.length * 1000);
  // The file goes on
  assertEquals(await file.write(make(5)), 5);
});

forEachBackend("a long file is as it was at the call, as with Deno", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  for (const [fate, befall] of Object.entries(FATES)) {
    for (const options of [{}, { atomic: true }]) {
      const theirs = make(LONG);
      const deno = Deno.writeFile(dir.at("theirs"), theirs);
      befall(theirs.buffer);
      await deno;
      const ours = make(LONG);
      const path = dir.file("ours", "old");
      const call = ioq.writeFile(path, ours, options);
      befall(ours.buffer);
      await call;
      assertEquals(look(path)[0], Deno.statSync(dir.at("theirs")).size, fate);
      assertEquals(look(path), [LONG, 7], fate);
    }
  }
});

forEachBackend("a file that cannot be copied is whole, or the call fails", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  using _ = noRoom();
  for (const [fate, befall] of Object.entries(FATES)) {
    for (const atomic of [false, true]) {
      const data = make(LONG);
      const path = dir.file("file", "old");
      const call = ioq.writeFile(path, data, { atomic });
      befall(data.buffer);
      if (fate === "grown") {
        await call;
        assertEquals(look(path), [LONG, 7]);
      } else {
        await assertRejects(() => call, TypeError, "detached or resized");
        if (atomic) {
          assertEquals(Deno.readTextFileSync(path), "old", fate);
        }
      }
    }
  }
});

forEachBackend("what waits in line is as it was at the call", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open({ depth: 1 });
  for (const [fate, befall] of Object.entries(FATES)) {
    const writes = Array.from({ length: 20 }, (_, at) => {
      const data = make(100, at);
      const write = ioq.writeFile(dir.at(`${at}`), data);
      befall(data.buffer);
      return write;
    });
    await Promise.all(writes);
    for (let at = 0; at < 20; at++) {
      assertEquals(look(dir.at(`${at}`)), [100, at], fate);
    }
  }
  // All room was given back, also by what was aborted in line
  const aborted = Array.from({ length: 20 }, () => {
    const signal = AbortSignal.abort.bind(AbortSignal);
    const controller = new AbortController();
    const write = ioq.writeFile(dir.at("aborted"), make(100), { signal: controller.signal });
    controller.abort(signal);
    return write.catch(() => {});
  });
  await Promise.all(aborted);
  const lengths = [KEPT_MAX, KEPT_MAX, KEPT_MAX, KEPT_MAX];
  assertEquals(lengths.filter(takeRoom).length, 4);
  lengths.forEach(giveRoom);
});

/** Calls of a file that write 1000 bytes, of which all but the first wait. */
const CALLS: Record<string, (file: IoqFile, data: Uint8Array, at: number) => Promise<unknown>> = {
  write: (file, data) => file.write(data),
  writeAll: (file, data) => file.writeAll(data),
  writev: (file, data) => file.writev([data.subarray(0, 500), data.subarray(500, 1000)]),
  writeAt: (file, data, at) => file.writeAt(data, at),
  writeAllAt: (file, data, at) => file.writeAllAt(data, at),
  writevAt: (file, data, at) => file.writevAt([data.subarray(0, 10), data.subarray(10, 1000)], at),
};

forEachBackend("what waits for its turn is as it was at the call", async ({ open }) => {
  using dir = new TempDir();
  for (const depth of [1, 64]) {
    await using ioq = await open({ depth });
    for (const [fate, befall] of Object.entries(FATES)) {
      using theirs = await Deno.open(dir.at("theirs"), WRITE);
      const expected = await Promise.all(Array.from({ length: 5 }, () => {
        // Of what is resized Deno writes as much as there is by then
        const data = fate === "transferred" ? make(1000) : new Uint8Array(1000);
        const write = theirs.write(data);
        if (fate === "transferred") {
          befall(data.buffer);
        }
        return write;
      }));
      for (const [name, call] of Object.entries(CALLS)) {
        await using file = await ioq.openFile(dir.at("ours"), WRITE);
        const told = await Promise.all(Array.from({ length: 5 }, (_, at) => {
          const data = make(1000);
          const write = call(file, data, at * 1000);
          befall(data.buffer);
          return write;
        }));
        const counts = told.map((count) => count === undefined ? 1000 : count);
        assertEquals(counts, expected, `${name} ${fate} ${depth}`);
        assertEquals(look(dir.at("ours")), [5000, 7], `${name} ${fate} ${depth}`);
      }
    }
  }
});

forEachBackend("pieces to come are as they were at the call", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  for (const [fate, befall] of Object.entries(FATES)) {
    for (const name of ["write", "writeAll", "writeAt", "writeAllAt"] as const) {
      await using file = await ioq.openFile(dir.at("ours"), WRITE);
      const data = make(PIECES);
      const call = CALLS[name]!(file, data, 0);
      befall(data.buffer);
      assertEquals(await call ?? PIECES, PIECES, `${name} ${fate}`);
      assertEquals(look(dir.at("ours")), [PIECES, 7], `${name} ${fate}`);
    }
  }
});

forEachBackend("pieces to come that cannot be copied fail", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  using _ = noRoom();
  for (const fate of ["transferred", "shrunk", "emptied"]) {
    for (const name of ["write", "writeAll", "writeAt", "writeAllAt"] as const) {
      await using file = await ioq.openFile(dir.at("ours"), WRITE);
      const data = make(LONG);
      const call = CALLS[name]!(file, data, 0);
      FATES[fate]!(data.buffer);
      await assertRejects(() => call, TypeError, "detached or resized", `${name} ${fate}`);
      // The next one has its turn
      assertEquals(await file.write(make(5)), 5);
    }
  }
});

forEachBackend("a chunk that has gone in its stream is not passed over", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const file = await ioq.openFile(dir.at("file"), WRITE);
  const writer = file.writable.getWriter();
  // Until the stream has started, all chunks wait
  await writer.write(make(1));
  const chunks = [make(1000), make(1000)];
  const writes = chunks.map((chunk) => {
    const write = writer.write(chunk).catch((error) => error);
    FATES.transferred!(chunk.buffer);
    return write;
  });
  writer.closed.catch(() => {});
  assertEquals(await writes[0], undefined);
  assert(await writes[1] instanceof TypeError);
  assertEquals(look(dir.at("file")), [1001, 7]);
});

forEachBackend("bytes that had gone before the call are none, as with Deno", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  const data = new Uint8Array(10);
  FATES.transferred!(data.buffer);
  await Deno.writeFile(dir.file("theirs", "old"), data);
  await ioq.writeFile(dir.file("ours", "old"), data);
  assertEquals(Deno.statSync(dir.at("ours")).size, Deno.statSync(dir.at("theirs")).size);
  await using file = await ioq.openFile(dir.at("ours"), WRITE);
  assertEquals(await file.write(data), 0);
  await file.writeAll(data);
  assertEquals(await file.writev([data, make(3), data]), 3);
});
