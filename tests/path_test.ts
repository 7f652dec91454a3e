// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { PATH_MAX } from "../ffi/layout.ts";
import { encodePath, pathBound, pathText, TOO_LONG, toPath } from "../src/path.ts";

Deno.test("toPath() takes strings, file URLs and bytes", () => {
  assertEquals(toPath("", "stat"), "");
  assertEquals(toPath("a/b", "stat"), "a/b");
  assertEquals(toPath(new URL("file:///a%20b/%C3%A9"), "stat"), "/a b/é");
  const bytes = Uint8Array.of(0x61, 0xff);
  const path = toPath(bytes, "stat");
  assertEquals(path, bytes);
  bytes[0] = 0;
  assertEquals(path, Uint8Array.of(0x61, 0xff));
});

Deno.test("toPath() refuses what is no path", () => {
  for (const wrong of [undefined, null, 1, {}, [], new ArrayBuffer(1)]) {
    assertThrows(() => toPath(wrong as string, "stat"), TypeError, "Expected a path");
  }
  for (const url of ["http://x/", "data:,x", "blob:x"]) {
    assertThrows(() => toPath(new URL(url), "stat"), TypeError, "Must be a file URL");
  }
  for (const wrong of ["a\0b", Uint8Array.of(0x61, 0, 0x62), new URL("file:///a%00b")]) {
    const error = assertThrows(
      () => toPath(wrong, "stat"),
      TypeError,
      "unexpected NUL byte: stat '",
    );
    assertEquals((error as { code?: string }).code, "EINVAL");
  }
});

Deno.test("pathText() keeps a leading U+FEFF and replaces what is not UTF-8", () => {
  assertEquals(pathText("\ufeffa"), "\ufeffa");
  assertEquals(pathText(new TextEncoder().encode("\ufeffé")), "\ufeffé");
  assertEquals(pathText(Uint8Array.of(0x61, 0xff)), "a\ufffd");
});

Deno.test("encodePath() writes UTF-8 where it is told to, and nothing before", () => {
  const encoder = new TextEncoder();
  const paths = [
    "",
    "/",
    "ascii only",
    "é",
    "ends in é",
    "é begins",
    "a\u{1f600}b",
    "\ufeff",
    "lone \ud800 surrogate",
    "a".repeat(PATH_MAX),
    "é".repeat(PATH_MAX >> 1),
    Uint8Array.of(0xff, 0x61),
  ];
  for (const path of paths) {
    for (const at of [0, 7]) {
      const into = new Uint8Array(4 * PATH_MAX).fill(0x2a);
      const expected = typeof path === "string" ? encoder.encode(path) : path;
      const length = encodePath(path, into, at);
      assertEquals(length, expected.length);
      assert(length <= pathBound(path));
      assertEquals(into.subarray(at, at + length), expected);
      assert(into.subarray(0, at).every((byte) => byte === 0x2a));
      assert(into.subarray(at + pathBound(path)).every((byte) => byte === 0x2a));
    }
  }
});

Deno.test("encodePath() tells which paths are too long", () => {
  const long = "a".repeat(PATH_MAX + 1);
  for (const path of [long, new TextEncoder().encode(long), "é".repeat(PATH_MAX + 1)]) {
    assertEquals(pathBound(path), 0);
    assertEquals(encodePath(path, new Uint8Array(0), 0), TOO_LONG);
  }
  // Short enough in units, too long in bytes
  const path = "é".repeat(PATH_MAX);
  const into = new Uint8Array(pathBound(path));
  assert(encodePath(path, into, 0) > PATH_MAX);
  assert(TOO_LONG > PATH_MAX);
});
