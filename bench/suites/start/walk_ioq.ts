// Copyright 2026 the ioq authors. MIT license.

/**
 * A script that walks and ends, with this package.
 *
 * @module
 */

import { walk } from "../../../mod.ts";

let count = 0;
for await (const entries of walk.batches(Deno.args[0]!)) {
  count += entries.length;
}
console.log(count);
