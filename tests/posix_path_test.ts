// Copyright 2026 the ioq authors. MIT license.

/** Paths taken apart as Node does it. */

import { assertEquals } from "@std/assert";
import * as node from "node:path/posix";
import * as ours from "../src/posix_path.ts";

const PIECES = ["", "/", "//", "a", ".", "..", "a/", "./", "../", "é"];

Deno.test("paths are taken apart and normalized as node:path/posix does it", () => {
  for (const one of PIECES) {
    for (const two of PIECES) {
      for (const three of PIECES) {
        for (const four of PIECES) {
          const path = one + two + three + four;
          for (const name of ["basename", "dirname", "normalize"] as const) {
            assertEquals(ours[name](path), node[name](path), `${name}(${JSON.stringify(path)})`);
          }
        }
      }
    }
  }
});
