// Copyright 2026 the ioq authors. MIT license.

/**
 * An operation is described in one row, and named in few places: this lists them, so
 * that nobody has to search for the others when another one is added.
 */

import { assertEquals } from "@std/assert";
import { OP } from "../ffi/layout.ts";
import { op } from "../mod.ts";
import { operationNames, operationOf, plainRuns } from "../src/operations/operation.ts";

const SRC = new URL("../src/", import.meta.url);

/** All modules below a folder, as paths in it. */
function* modules(folder: URL, prefix = ""): Generator<[path: string, text: string]> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) {
      yield* modules(new URL(`${name}/`, folder), `${prefix}${name}/`);
    } else {
      yield [prefix + name, Deno.readTextFileSync(new URL(name, folder))];
    }
  }
}

/** Code without comments. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

const CODE = new Map([...modules(SRC)].map(([path, text]) => [path, withoutComments(text)]));

/** Where a name stands as a word. */
function placesOf(name: string): string[] {
  const word = new RegExp(`\\b${name}\\b`);
  // Node's names, some of which are the same, are those of its functions
  const own = [...CODE].filter(([path]) => !path.startsWith("node/"));
  return own.filter(([, text]) => word.test(text)).map(([path]) => path).sort();
}

/** Where an operation is described that has a promise form and a function, and where not. */
const PLACES: { readonly [name: string]: readonly string[] } = {
  removeXattr: [
    "forms.ts",
    "functions.ts",
    "operations/values.ts",
    "operations/xattrs.ts",
  ],
  listXattr: [
    "forms.ts",
    "functions.ts",
    "operations/values.ts",
    "operations/xattrs.ts",
  ],
  kernelNop: ["operations/values.ts", "operations/waiting.ts"],
  rmdir: ["operations/names.ts", "operations/values.ts"],
};

Deno.test("an operation is named in its family, in the types and in its forms", () => {
  for (const [name, places] of Object.entries(PLACES)) {
    assertEquals(placesOf(name), places, name);
  }
});

Deno.test("each operation has one row, and each code has one", () => {
  const rows = [...CODE].flatMap(([path, text]) =>
    [...text.matchAll(/\bdefine\("(\w+)"/g)].map(([, name]) => [name!, path])
  );
  assertEquals(rows.map(([name]) => name).sort(), operationNames().toSorted());
  assertEquals(rows.filter(([, path]) => !path!.startsWith("operations/")), []);
  const codes = new Set(operationNames().map((name) => operationOf(name).code));
  assertEquals([...codes].sort((a, b) => a - b), Object.values(OP));
});

Deno.test("the function of op stands with the row", () => {
  // Variants, and parts of what takes several requests
  const exact = /BigInt$|^replace|^readRanges$/;
  assertEquals(
    Object.keys(op).sort(),
    operationNames().filter((name) => !exact.test(name)).sort(),
  );
});

Deno.test("what there is no call for without the library says why", () => {
  const without = plainRuns();
  const missing = operationNames().filter((name) => without[operationOf(name).code] === undefined);
  // Waited for elsewhere, or said by the reason that nothing better is known of
  assertEquals(missing.sort(), [
    "getXattr",
    "listXattr",
    "poll",
    "post",
    "rawSqe",
    "readRanges",
    "receive",
    "removeXattr",
    "setXattr",
    "sleep",
    "splice",
    "syncRange",
    "timeout",
  ]);
});
