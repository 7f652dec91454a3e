// Copyright 2026 the ioq authors. MIT license.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";

// deno-lint-ignore no-explicit-any
const any = (value: unknown): any => value;

type ErrorClass = new (...args: never[]) => Error;

const NO_PATHS = [undefined, null, 1, true, {}, [], new ArrayBuffer(3), new Uint16Array(3)];
const NO_NUMBERS = [undefined, null, "1", 1n, {}];
const NO_FDS = [-1, 1.5, NaN, Infinity, 2 ** 31];

/** Everything that must not get into a queue, and what it throws. */
function* wrongRequests(): Generator<[what: string, ErrorClass, () => unknown]> {
  const path = "/";
  for (const wrong of NO_PATHS) {
    for (const name of ["open", "stat", "lstat", "openDir", "readDir"] as const) {
      yield [`${name}(${wrong})`, TypeError, () => any(op)[name](wrong)];
    }
  }
  for (
    const wrong of [
      "a\0b",
      new Uint8Array([0x61, 0, 0x62]),
      new URL("http://x/"),
      new URL("data:,x"),
    ]
  ) {
    for (const name of ["open", "stat", "lstat", "openDir", "readDir"] as const) {
      yield [`${name}(${wrong})`, TypeError, () => any(op)[name](wrong)];
    }
  }
  for (const name of ["close", "closeDir", "readDirBlock"] as const) {
    for (const wrong of NO_NUMBERS) {
      yield [`${name}(${wrong})`, TypeError, () => any(op)[name](wrong)];
    }
    for (const wrong of NO_FDS) {
      yield [`${name}(${wrong})`, RangeError, () => any(op)[name](wrong)];
    }
  }
  for (const at of [null, "1", {}]) {
    yield [`at: ${at}`, TypeError, () => op.stat(path, { at: any(at) })];
    yield [`at: ${at}`, TypeError, () => op.open(path, { read: true, at: any(at) })];
  }
  for (const at of [-100, -1, 0.5, NaN]) {
    yield [`at: ${at}`, RangeError, () => op.lstat(path, { at })];
    yield [`at: ${at}`, RangeError, () => op.readDir(path, { at })];
  }
  for (const wrong of NO_NUMBERS) {
    yield [`length ${wrong}`, TypeError, () => op.read(0, any(wrong))];
    if (wrong !== undefined) {
      yield [`mode ${wrong}`, TypeError, () => op.open(path, { read: true, mode: any(wrong) })];
      yield [`offset ${wrong}`, TypeError, () => op.read(0, 1, any(wrong))];
      yield [`offset ${wrong}`, TypeError, () => op.write(0, new Uint8Array(1), any(wrong))];
    }
  }
  for (const wrong of [-1, 1.5, NaN, 2 ** 31, 2147479553]) {
    yield [`length ${wrong}`, RangeError, () => op.read(0, wrong)];
  }
  for (const wrong of [-1, 1.5, NaN, 2 ** 53]) {
    yield [`offset ${wrong}`, RangeError, () => op.read(0, 1, wrong)];
    yield [`offset ${wrong}`, RangeError, () => op.write(0, new Uint8Array(1), wrong)];
  }
  for (const wrong of [-1, 0o200000, 1.5]) {
    yield [`mode ${wrong}`, RangeError, () => op.open(path, { read: true, mode: wrong })];
  }
  for (
    const wrong of [
      undefined,
      null,
      "text",
      [1],
      new ArrayBuffer(1),
      new DataView(new ArrayBuffer(1)),
    ]
  ) {
    yield [`bytes ${wrong}`, TypeError, () => op.write(0, any(wrong))];
  }
  for (
    const options of [{}, { truncate: true }, { create: true }, { read: true, createNew: true }]
  ) {
    yield [JSON.stringify(options), Error, () => op.open(path, options)];
  }
}

forEachBackend("wrong arguments throw before anything is queued", async ({ open }) => {
  await using ioq = await open();
  for (const [what, errorClass, make] of wrongRequests()) {
    assertThrows(() => ioq.submit(any(make())), errorClass, undefined, what);
    assertEquals(ioq.size, 0);
  }
  for (const request of [undefined, null, {}, { op: "nop" }, "nop", 1, () => op.nop(), op]) {
    assertThrows(() => ioq.submit(any(request)), TypeError, "request");
    await assertRejects(() => ioq.run(any(request)), TypeError, "request");
    assertEquals(ioq.size, 0);
  }
});

forEachBackend("wrong arguments of promise forms reject, they do not throw", async ({ open }) => {
  await using ioq = await open();
  for (const path of [...NO_PATHS, "a\0b", new URL("http://x/")]) {
    for (const name of ["stat", "lstat", "readDir"] as const) {
      const promise: Promise<unknown> = ioq[name](any(path));
      await assertRejects(() => promise, TypeError);
      assertEquals(ioq.size, 0);
    }
  }
  await assertRejects(() => ioq.stat(new URL("http://x/")), TypeError, "Must be a file URL");
  await assertRejects(() => ioq.stat("/", { at: -1 }), RangeError, "at");
  assertThrows(() => op.stat(new URL("https://x/")), TypeError, "Must be a file URL");
});

forEachBackend("wrong options reject when opening", async ({ open }) => {
  for (const name of ["depth", "threads"]) {
    for (const value of [0, -1, 1.5, NaN, Infinity, name === "depth" ? 65537 : 257]) {
      await assertRejects(() => open({ [name]: value }), RangeError, name);
    }
    for (const value of ["8", null, 8n, {}]) {
      await assertRejects(() => open({ [name]: value }), TypeError, name);
    }
  }
  for (const value of ["", "io_uring", "URING", null, 1, {}]) {
    await assertRejects(() => open({ backend: any(value) }), TypeError, "backend");
  }
  for (const value of [1, null, {}, new URL("http://x/"), "a\0b"]) {
    await assertRejects(() => open({ library: any(value) }), TypeError);
  }
  // The least and the most
  for (const options of [{ depth: 1, threads: 1 }, { depth: 65536, threads: 256 }]) {
    await using ioq = await open(options);
    assertEquals(ioq.depth, options.depth);
    assertEquals((await ioq.stat("/")).isDirectory, true);
  }
});
