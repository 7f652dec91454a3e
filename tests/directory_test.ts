// Copyright 2026 the ioq authors. MIT license.

import { assertEquals } from "@std/assert";
import * as layout from "../ffi/layout.ts";
import { decodeDirectory } from "../src/linux/directory.ts";

const DT_UNKNOWN = 0;
const DT_FIFO = 1;
const DT_DIR = 4;
const DT_REG = 8;
const DT_LNK = 10;

/** A block as the core packs it, somewhere in a larger buffer. */
function makeBlock(entries: [name: Uint8Array, type: number][], flags = 0): Uint8Array {
  const names = entries.flatMap(([name], i) => i === 0 ? [...name] : [0, ...name]);
  const length = layout.DIRECTORY_SIZE + names.length + entries.length;
  const bytes = new Uint8Array(8 + length + 100).fill(0xee).subarray(8, 8 + length);
  const head = new Int32Array(bytes.buffer, 8, layout.DIRECTORY_SIZE / 4).fill(0);
  head[layout.DIRECTORY_COUNT] = entries.length;
  head[layout.DIRECTORY_NAMES_LENGTH] = names.length;
  head[layout.DIRECTORY_FLAGS] = flags;
  bytes.set(names, layout.DIRECTORY_SIZE);
  bytes.set(entries.map(([, type]) => type), layout.DIRECTORY_SIZE + names.length);
  return bytes;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("decodeDirectory() reads an empty block", () => {
  assertEquals(decodeDirectory(makeBlock([])), []);
});

Deno.test("decodeDirectory() reads names and types", () => {
  const block = makeBlock([
    [utf8("file"), DT_REG],
    [utf8("é"), DT_DIR],
    [utf8("\ufeffmark"), DT_LNK],
    [utf8("new\nline"), DT_FIFO],
    [utf8("\u{1f600}"), DT_UNKNOWN],
  ], layout.DIRECTORY_END);
  assertEquals(decodeDirectory(block), [
    { name: "file", isFile: true, isDirectory: false, isSymlink: false },
    { name: "é", isFile: false, isDirectory: true, isSymlink: false },
    { name: "\ufeffmark", isFile: false, isDirectory: false, isSymlink: true },
    { name: "new\nline", isFile: false, isDirectory: false, isSymlink: false },
    { name: "\u{1f600}", isFile: false, isDirectory: false, isSymlink: false },
  ]);
  assertEquals(decodeDirectory(makeBlock([[utf8("\ufeff"), DT_REG]]))[0]!.name, "\ufeff");
});

Deno.test("decodeDirectory() gives rawName to names that are not UTF-8, and no others", () => {
  const odd = Uint8Array.of(0x61, 0xff);
  // A lead byte right before the NUL must not swallow it
  const lead = Uint8Array.of(0xe2, 0x82);
  const block = makeBlock([
    [lead, DT_REG],
    [utf8("plain"), DT_REG],
    [utf8("\ufffd"), DT_REG],
    [odd, DT_DIR],
    [lead, DT_REG],
  ], layout.DIRECTORY_RAW);
  const entries = decodeDirectory(block);
  assertEquals(entries.map(({ name }) => name), ["\ufffd", "plain", "\ufffd", "a\ufffd", "\ufffd"]);
  assertEquals(entries.map(({ rawName }) => rawName), [lead, undefined, undefined, odd, lead]);
  assertEquals(entries.map((entry) => "rawName" in entry), [true, false, false, true, true]);
  // They are the caller's own
  block.fill(0);
  assertEquals(entries[3]!.rawName, odd);
});
