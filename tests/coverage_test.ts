// Copyright 2026 the ioq authors. MIT license.

/**
 * The report of what the tests cover.
 */

import { assertEquals } from "@std/assert";
import { formatRanges, readLcov } from "./coverage.ts";

Deno.test("coverage is read by file: which lines can be run, and which were not", () => {
  const text = [
    "SF:/a/src/x.ts",
    "FN:1,f",
    "DA:1,5",
    "DA:2,0",
    "DA:3,0",
    "DA:9,0",
    "LF:4",
    "end_of_record",
    "SF:/elsewhere/y.ts",
    "DA:1,0",
    "end_of_record",
    "",
  ].join("\n");
  const files = readLcov(text, new URL("file:///a/"));
  assertEquals([...files], [["src/x.ts", { lines: 4, missed: [2, 3, 9] }]]);
});

Deno.test("line numbers in a row become ranges", () => {
  assertEquals(formatRanges([]), "");
  assertEquals(formatRanges([2, 3, 9, 11, 12, 13]), "2-3, 9, 11-13");
});
