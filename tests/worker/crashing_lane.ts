// Copyright 2026 the ioq authors. MIT license.

/**
 * A lane that crashes when it is asked for a path that has `crash` in it: with an
 * error if that has `error` in it as well, and otherwise without a word.
 */

import process from "node:process";
import { LibraryExecutor } from "../../src/backends/worker/with_library.ts";
import { DenoExecutor } from "../../src/backends/worker/without_library.ts";

for (const { prototype } of [LibraryExecutor, DenoExecutor]) {
  const { perform } = prototype;
  prototype.perform = function (record, at, input, start, length): number {
    const text = new TextDecoder().decode(input.slice(start, start + length));
    if (text.includes("crash")) {
      if (text.includes("error")) {
        throw new Error("It was asked to crash");
      }
      process.exit(1);
    }
    return perform.call(this, record, at, input, start, length);
  };
}

await import("../../src/backends/worker/lane.ts");
