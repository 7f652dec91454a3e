// Copyright 2026 the ioq authors. MIT license.

/**
 * Bytes that are not what they say, or not any more what they were: an error or what the
 * bytes really are, and never memory beyond them.
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Ioq, op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, TempDir } from "../fixtures.ts";

// deno-lint-ignore no-explicit-any
const any = (value: unknown): any => value;

const LIE = 4 << 20;

/** Says that it is longer than it is, gives away others for parts of itself, and takes nothing. */
class Liar extends Uint8Array<ArrayBuffer> {
  static get [Symbol.species](): never {
    throw new Error("whoever asks makes arrays of a caller's class");
  }
  override set(): void {}
  override fill(): this {
    return this;
  }
  override [Symbol.iterator](): never {
    throw new Error("whoever asks is told of the caller's items");
  }
  override get byteLength(): number {
    return LIE;
  }
  override get length(): number {
    return LIE;
  }
  override get byteOffset(): number {
    return LIE;
  }
  override subarray(): Uint8Array<ArrayBuffer> {
    return new Liar(new ArrayBuffer(8));
  }
  override slice(): Uint8Array<ArrayBuffer> {
    return new Liar(new ArrayBuffer(8));
  }
}

/** Bytes that lie in each way, eight of them. */
function liars(): Uint8Array<ArrayBuffer>[] {
  const own = new Uint8Array(8);
  Object.defineProperties(own, { byteLength: { value: LIE }, length: { value: LIE } });
  return [new Liar(new ArrayBuffer(8)), own];
}

/** What the next eight bytes of a transfer become. */
async function transfers(ioq: Ioq, path: string, liar: Uint8Array<ArrayBuffer>): Promise<void> {
  const fd = await ioq.run(op.open(path, { read: true, write: true }));
  Uint8Array.prototype.fill.call(liar, 0x61);
  assertEquals(await ioq.run(op.write(fd, liar, 0)), 8);
  assertEquals(await ioq.run(op.writev(fd, [liar, liar], 8)), 16);
  assertEquals(Deno.readTextFileSync(path), "a".repeat(24) + "b".repeat(76));
  Uint8Array.prototype.fill.call(liar, 0);
  assertEquals(await ioq.run(op.readInto(fd, liar, 20)), 8);
  assertEquals([...new Uint8Array(liar.buffer)], [...bytes("aaaabbbb")]);
  const second = new Uint8Array(8);
  assertEquals(await ioq.run(op.readv(fd, [liar, second], 20)), 16);
  assertEquals([...second], [...bytes("bbbbbbbb")]);
  await ioq.run(op.close(fd));
  await ioq.run(op.writeFile(path, liar));
  assertEquals(Deno.readTextFileSync(path), "aaaabbbb");
}

/** What a file reads into some bytes, or writes of them, by each of its members. */
async function memberTransfers(
  ioq: Ioq,
  path: string,
  liar: Uint8Array<ArrayBuffer>,
  hasSync: boolean,
) {
  const plain = new Uint8Array(liar.buffer);
  const { length } = plain;
  const contents = Uint8Array.from({ length }, (_, i) => i % 251 + 1);
  Deno.writeFileSync(path, contents);
  await using file = await ioq.openFile(path, { read: true, write: true });
  const reads: readonly (() => unknown)[] = [
    () => file.read(liar),
    () => file.readAt(liar, 0),
    () => file.readExactAt(liar, 0),
    () => file.readv([liar]),
    () => file.readvAt([liar], 0),
    () => file.readRangesInto(liar, [{ offset: 0, length }]),
    ...(hasSync ? [() => file.readSync(liar)] : []),
    async () => {
      // More than the cached ones that are read at once
      await Promise.all([file.readAt(new Uint8Array(8), 0), file.readAt(liar, 0)]);
    },
  ];
  for (const read of reads) {
    plain.fill(0);
    await file.seek(0, Deno.SeekMode.Start);
    await read();
    assertEquals(plain.findIndex((byte, i) => byte !== contents[i]), -1, String(read));
  }
  const writes: readonly (() => unknown)[] = [
    () => file.write(liar),
    () => file.writeAt(liar, 0),
    () => file.writeAll(liar),
    () => file.writeAllAt(liar, 0),
    () => file.writev([liar]),
    () => file.writevAt([liar], 0),
    ...(hasSync ? [() => file.writeSync(liar)] : []),
    () => ioq.writeFile(path, liar),
    () => ioq.writeFile(path, liar, { atomic: true }),
    () => ioq.writeFile(path, ReadableStream.from([liar])),
    () => ioq.writeFiles([{ path, data: liar }]),
    () =>
      ioq.writeFiles([{ path: "/dev/null", data: "" }, { path, data: liar }], { concurrency: 1 }),
  ];
  for (const write of writes) {
    Deno.truncateSync(path);
    await file.seek(0, Deno.SeekMode.Start);
    await write();
    const written = Deno.readFileSync(path);
    assertEquals(written.length, length, String(write));
    assertEquals(written.findIndex((byte, i) => byte !== contents[i]), -1, String(write));
  }
}

forEachBackend("no method of a caller's bytes is called", async ({ open, row }) => {
  using dir = new TempDir();
  await using ioq = await open();
  for (const length of [8, 3_000_001]) {
    // Files of a Worker's are not this thread's
    const hasSync = row.library || !row.concurrent;
    await memberTransfers(ioq, dir.at("file"), new Liar(new ArrayBuffer(length)), hasSync);
  }
  const path = new Liar(new ArrayBuffer(dir.path.length));
  new Uint8Array(path.buffer).set(bytes(dir.path));
  assertEquals((await ioq.stat(path)).isDirectory, true);
});

forEachBackend("bytes that lie about their length are taken as they are", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  for (const liar of liars()) {
    await transfers(ioq, dir.file("file", "b".repeat(100)), liar);
  }
});

forEachBackend("what only looks like bytes is refused", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  for (
    const wrong of [
      new Proxy(new Uint8Array(8), {}),
      Object.create(Uint8Array.prototype),
      Object.setPrototypeOf(new Uint16Array(8), Uint8Array.prototype),
      Object.setPrototypeOf({ length: 8, byteLength: 8 }, Uint8Array.prototype),
    ]
  ) {
    assertThrows(() => op.write(3, wrong), TypeError, "Uint8Array");
    assertThrows(() => op.readInto(3, wrong), TypeError, "Uint8Array");
    assertThrows(() => op.readv(3, [wrong]), TypeError, "Uint8Array");
    assertThrows(() => op.writeFile(path, wrong), TypeError, "Uint8Array");
    await assertRejects(() => ioq.writeFile(path, wrong), TypeError);
  }
});

/** Ways in which bytes go, after the request was made. */
const GOING: readonly [what: string, make: () => [Uint8Array<ArrayBuffer>, go: () => void]][] = [
  ["detached", () => {
    const it = new Uint8Array(64).fill(0x61);
    return [it, () => structuredClone(it, { transfer: [it.buffer] })];
  }],
  ["shrunk", () => {
    const buffer = new ArrayBuffer(64, { maxByteLength: 128 });
    return [new Uint8Array(buffer), () => buffer.resize(8)];
  }],
  ["cut off", () => {
    const buffer = new ArrayBuffer(64, { maxByteLength: 128 });
    return [new Uint8Array(buffer, 0, 64), () => buffer.resize(63)];
  }],
  ["grown", () => {
    const buffer = new ArrayBuffer(64, { maxByteLength: 1 << 20 });
    return [new Uint8Array(buffer), () => buffer.resize(1 << 20)];
  }],
];

for (const [what, make] of GOING) {
  forEachBackend(
    `bytes that were ${what} before the turn are no longer those of the call`,
    async ({ open }) => {
      using dir = new TempDir();
      const path = dir.file("file", "b".repeat(128));
      await using ioq = await open();
      const fd = await ioq.run(op.open(path, { read: true, write: true }));
      for (
        const build of [
          (it: Uint8Array<ArrayBuffer>) => op.write(fd, it, 0),
          (it: Uint8Array<ArrayBuffer>) => op.writev(fd, [it], 0),
          (it: Uint8Array<ArrayBuffer>) => op.readInto(fd, it, 0),
          (it: Uint8Array<ArrayBuffer>) => op.readv(fd, [it], 0),
          (it: Uint8Array<ArrayBuffer>) => op.writeFile(path, it),
        ]
      ) {
        const [it, go] = make();
        const request = build(it);
        go();
        if (what === "grown" && !/^read/.test(request.op)) {
          // What there was at the call is still there to be written
          await ioq.run<unknown>(request);
          assertEquals(Deno.readFileSync(path).subarray(0, 64), new Uint8Array(64));
          Deno.writeTextFileSync(path, "b".repeat(128));
          continue;
        }
        await assertRejects(() => ioq.run<unknown>(request), TypeError, "detached or resized");
      }
      // And those that go while it is on its way
      for (
        const build of [
          op.readInto,
          (fd: number, it: Uint8Array<ArrayBuffer>) => op.readv(fd, [it]),
        ]
      ) {
        const [it, go] = make();
        const read = ioq.run(build(fd, it, 0));
        go();
        await assertRejects(
          () => any(read),
          TypeError,
          "detached or resized",
        );
      }
      await ioq.run(op.close(fd));
      assertEquals(Deno.readTextFileSync(path), "b".repeat(128));
    },
  );
}

forEachBackend("memory that is shared is transferred as Deno does it", async ({ open }) => {
  using dir = new TempDir();
  const path = dir.file("file");
  await using ioq = await open();
  const shared = new Uint8Array(new SharedArrayBuffer(8)).fill(0x63);
  await ioq.writeFile(path, shared);
  assertEquals(Deno.readTextFileSync(path), "cccccccc");
  const fd = await ioq.run(op.open(path));
  shared.fill(0);
  assertEquals(await ioq.run(op.readInto(fd, any(shared), 0)), 8);
  assertEquals([...shared], [...bytes("cccccccc")]);
  await ioq.run(op.close(fd));
});
