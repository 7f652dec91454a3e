// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { MOD, TempDir } from "../fixtures.ts";
import { buildAsanLibrary, runUnderAsan } from "./asan.ts";

// Without a shared runtime of the sanitizer, and when this itself runs under one
const cannot = Deno.env.has("ASAN_OPTIONS") ? "runs already" : await buildAsanLibrary();

/** A test that takes the sanitizer. */
function asanTest(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test({
    name: `${name}${cannot === undefined ? "" : ` (cannot: ${cannot})`}`,
    ignore: cannot !== undefined,
    fn,
  });
}

/** Run a script against the library under ASan. */
async function run(script: string) {
  using dir = new TempDir();
  const file = dir.file("main.ts", script);
  return await runUnderAsan(["run", "-A", "--no-lock", "--no-config", "--quiet", file], true);
}

asanTest(
  "the sanitizer sees the library's memory: leaks and what is used after it was freed",
  async (t) => {
    await t.step("nothing", async () => {
      const { code, stdout, errors, leaks } = await run(`
      import { Ioq } from "${MOD}";
      await using ioq = await Ioq.open({ backend: "threads" });
      console.log((await ioq.stat("/")).isDirectory, (await ioq.readDir("/")).length > 0);
    `);
      assertEquals([code, stdout, errors, leaks], [0, "true true\n", [], []]);
    });

    const open = `
    import { loadLibrary } from "${MOD.replace("mod.ts", "ffi/library.ts")}";
    import * as layout from "${MOD.replace("mod.ts", "ffi/layout.ts")}";
    const { symbols } = loadLibrary();
    const options = new Uint32Array(layout.OPTIONS_SIZE / 4);
    options[layout.OPTIONS_DEPTH] = 4;
    options[layout.OPTIONS_LANES] = 1;
    const ioq = symbols.ioq_open(new Uint8Array(options.buffer), new Uint8Array(layout.INFO_SIZE));
  `;
    await t.step("a leak", async () => {
      const { code, errors, leaks } = await run(`${open}
      symbols.ioq_stage(ioq, 0, new Uint8Array(16384), 16384);
    `);
      assertEquals([code, errors], [0, []]);
      assert(leaks.some((leak) => leak.includes("16384 byte")), leaks.join("\n"));
    });
    await t.step("a use after free", async () => {
      const { code, errors } = await run(`${open}
      symbols.ioq_close(ioq);
      symbols.ioq_close(ioq);
    `);
      assert(code !== 0);
      assertEquals(errors.length, 1);
      assert(errors[0]!.includes("heap-use-after-free"), errors[0]);
    });
  },
);

asanTest(
  "the tests of exactly-once, of cancelling and of closing pass under the sanitizer",
  async () => {
    const files = ["exactly_once", "cancel", "close"].map((name) =>
      fileURLToPath(new URL(`../conformance/${name}_test.ts`, import.meta.url))
    );
    const { code, stdout, errors, leaks } = await runUnderAsan(["test", "-A", ...files], true);
    assertEquals([errors, leaks], [[], []]);
    assertEquals(code, 0, stdout);
  },
);
