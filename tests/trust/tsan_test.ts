// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { buildReplay, recordAndReplay } from "./tsan.ts";

const cannot = Deno.env.has("ASAN_OPTIONS") || Deno.env.has("IOQ_RECORDS")
  ? "a tool of the same kind is at work"
  : await buildReplay();

Deno.test({
  name: `what the tests call has no data race${cannot === undefined ? "" : ` (cannot: ${cannot})`}`,
  ignore: cannot !== undefined,
  async fn() {
    const file = fileURLToPath(new URL("../conformance/cancel_test.ts", import.meta.url));
    const { tested, replayed, output, requests } = await recordAndReplay([file], true);
    assertEquals([tested, replayed], [0, 0], output);
    assert(requests > 1000, output);
  },
});
