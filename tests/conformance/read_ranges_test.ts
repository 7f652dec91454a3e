// Copyright 2026 the ioq authors. MIT license.

/** Many ranges of a file by one call, beside what Deno reads of it. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { errorOf, TempDir } from "../fixtures.ts";

const LENGTH = 300_000;
const CONTENTS = Uint8Array.from({ length: LENGTH }, (_, i) => (i * 7 + (i >> 8)) % 251);

/** What Deno reads of a range. */
function expected(path: string, offset: number, length: number): Uint8Array {
  using file = Deno.openSync(path);
  file.seekSync(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  let done = 0;
  for (let count; done < length && (count = file.readSync(bytes.subarray(done))) !== null;) {
    done += count;
  }
  return bytes.subarray(0, done);
}

/** Ranges of all kinds: scattered, the same twice, empty, over the end and beyond it. */
const RANGES = [
  ...Array.from({ length: 200 }, (_, i) => ({ offset: (i * 7919) % LENGTH, length: 1 + i * 13 })),
  { offset: 5, length: 10 },
  { offset: 5, length: 10 },
  { offset: 100, length: 0 },
  { offset: LENGTH - 3, length: 10 },
  { offset: LENGTH, length: 10 },
  { offset: 2 ** 40, length: 10 },
  { offset: 0, length: 2 * LENGTH },
];

forEachBackend("readRanges() reads what Deno does", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.at("file");
  Deno.writeFileSync(path, CONTENTS);
  await using ioq = await open({ depth: 16 });
  await using file = await ioq.openFile(path);
  const wanted = RANGES.map(({ offset, length }) => expected(path, offset, length));
  const limit = { timeoutMs: 60_000 };
  for (const options of [undefined, limit]) {
    const parts = await file.readRanges(RANGES, options);
    parts.forEach((part, i) => assertEquals(part, wanted[i]));

    const sum = RANGES.reduce((sum, { length }) => sum + length, 0);
    const buffer = new Uint8Array(sum + 5).fill(255);
    const counts = await file.readRangesInto(buffer, RANGES, options);
    assertEquals([...counts], wanted.map(({ length }) => length));
    let at = 0;
    for (const [i, { length }] of RANGES.entries()) {
      assertEquals(buffer.subarray(at, at + counts[i]!), wanted[i]);
      at += length;
    }
    assertEquals(buffer.subarray(sum), new Uint8Array(5).fill(255));
  }
  assertEquals(await file.readRanges([]), []);
  assertEquals((await file.readRangesInto(new Uint8Array(), [])).length, 0);
  // The position is where it was
  assertEquals(await file.read(new Uint8Array(1)), 1);
});

forEachBackend("readRanges() past the cache reads what Deno does", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.at("file");
  Deno.writeFileSync(path, CONTENTS);
  await using ioq = await open({ depth: 4 });
  const file = await ioq.openFile(path, { read: true, direct: true }).catch(() => undefined);
  if (file === undefined) {
    // Neither every file system nor every backend has that
    return;
  }
  const ranges = [
    // More than one request can have, some of them in a row
    ...Array.from({ length: 1_500 }, (_, i) => ({ offset: 4096 * (i % 71), length: 4096 })),
    { offset: 4096 * 73, length: 4096 },
    { offset: 0, length: 0 },
    { offset: 4096 * 75, length: 4096 },
    { offset: 4096, length: 256 * 1024 },
  ];
  await using _ = file;
  const sum = ranges.reduce((sum, { length }) => sum + length, 0);
  const buffer = new Uint8Array(sum).fill(254);
  const counts = await file.readRangesInto(buffer, ranges);
  let at = 0;
  for (const [i, { offset, length }] of ranges.entries()) {
    const wanted = CONTENTS.subarray(offset, offset + length);
    assertEquals(counts[i], wanted.length);
    assertEquals(buffer.subarray(at, at + counts[i]!), wanted);
    // Nobody's bytes come behind the end of the file
    assertEquals(buffer.subarray(at + counts[i]!, at + length).every((byte) => byte === 254), true);
    at += length;
  }
  const parts = await file.readRanges(ranges, { timeoutMs: 60_000 });
  assertEquals(parts.map(({ length }) => length), [...counts]);
});

forEachBackend(
  "readRanges() that is aborted gives up, and the file can be used",
  async ({ open }) => {
    using dir = new TempDir();
    const path = dir.at("file");
    Deno.writeFileSync(path, CONTENTS);
    await using ioq = await open();
    await using file = await ioq.openFile(path);
    const reason = new Error("enough");
    for (let i = 0; i < 20; i++) {
      const controller = new AbortController();
      const reading = file.readRanges(RANGES, { signal: controller.signal });
      // Before it is submitted, or after some turns of the event loop
      for (let turns = i % 4; turns > 0; turns--) {
        await ioq.run(op.nop());
      }
      controller.abort(reason);
      const parts = await reading.catch((error) => error);
      if (parts !== reason) {
        assertEquals(parts.length, RANGES.length);
      }
    }
    const [part] = await file.readRanges([{ offset: 3, length: 4 }]);
    assertEquals(part, CONTENTS.slice(3, 7));
  },
);

forEachBackend("readRanges() into bytes that go away fails", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.at("file");
  Deno.writeFileSync(path, CONTENTS);
  await using ioq = await open();
  await using file = await ioq.openFile(path);
  const buffer = new Uint8Array(200);
  const reading = file.readRangesInto(buffer, [{ offset: 0, length: 100 }, {
    offset: 7,
    length: 100,
  }], {
    timeoutMs: 60_000,
  });
  buffer.buffer.transfer();
  await assertRejects(() => reading, TypeError);
  assertEquals((await file.readRanges([{ offset: 0, length: 3 }]))[0], CONTENTS.slice(0, 3));
});

forEachBackend("readRanges() reads what was written just before", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "aaaaaaaaaa");
  await using ioq = await open();
  await using file = await ioq.openFile(path, { read: true, write: true });
  const write = file.writeAt(new Uint8Array([98, 98]), 2);
  const [part] = await write.then(() => file.readRanges([{ offset: 1, length: 4 }]));
  assertEquals(new TextDecoder().decode(part), "abba");
});

forEachBackend("readRanges() refuses what it cannot read, before anything is", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file", "text");
  await using ioq = await open();
  await using file = await ioq.openFile(path);
  const ok = { offset: 0, length: 1 };
  const read = (ranges: unknown) => file.readRanges(ranges as (typeof ok)[]);
  for (const wrong of [undefined, {}, "ab", [undefined], [ok, null], [ok, { offset: 0 }]]) {
    await assertRejects(() => read(wrong), TypeError);
  }
  for (
    const wrong of [
      { offset: -1, length: 1 },
      { offset: 0.5, length: 1 },
      { offset: 2 ** 53, length: 1 },
      { offset: 0, length: -1 },
      { offset: 0, length: NaN },
      { offset: 0, length: 2 ** 31 },
    ]
  ) {
    await assertRejects(() => read([ok, wrong]), RangeError);
  }
  await assertRejects(() => read(Array.from({ length: 65_537 }, () => ok)), RangeError);
  await assertRejects(
    () => read(Array.from({ length: 3 }, () => ({ offset: 0, length: 1 << 30 }))),
    RangeError,
  );
  await assertRejects(() => file.readRangesInto(new Uint8Array(1), [ok, ok]), RangeError);
  // What is inherited is not given
  await assertRejects(() => read([Object.create(ok)]), TypeError);
  // A getter is asked once
  let asked = 0;
  const [part] = await read([{
    offset: 1,
    get length() {
      return ++asked === 1 ? 2 : 1_000;
    },
  }]);
  assertEquals([part!.length, asked], [2, 1]);

  const controller = new AbortController();
  controller.abort(new Error("enough"));
  assertEquals(
    (await errorOf(() => file.readRanges([ok], { signal: controller.signal }))).message,
    "enough",
  );
  await file.close();
  await assertRejects(() => read([ok]), Deno.errors.BadResource);
});

forEachBackend("readRanges() of what cannot be read is an error", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  await using written = await ioq.openFile(dir.file("file", "text"), { write: true });
  const error = await errorOf(() =>
    written.readRanges([{ offset: 4, length: 0 }, { offset: 3, length: 1 }])
  );
  assertEquals((error as { code?: string }).code, "EBADF");
  assertMatch(error.message, /, range 1 at offset 3$/);
  await using directory = await ioq.openFile(dir.path);
  assertEquals(
    (await errorOf(() => directory.readRanges([{ offset: 0, length: 1 }])) as { code?: string })
      .code,
    "EISDIR",
  );
  // The queue goes on
  assertEquals(await ioq.run(op.nop()), undefined);
});
