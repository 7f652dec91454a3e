// Copyright 2026 the ioq authors. MIT license.

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { MOD, TempDir } from "../fixtures.ts";
import { buildAsanLibrary, isOurs, runUnderAsan } from "./asan.ts";

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
    await t.step("a leak, and whose it is", async () => {
      const { code, errors, leaks, othersLeaks } = await run("");
      assertEquals([code, errors, leaks], [0, [], []]);
      // Deno itself has some, which shows that they are looked for
      assert(othersLeaks.length > 0);

      const leak = "Direct leak of 8 byte(s) in 1 object(s) allocated from:\n" +
        "    #0 0x7f52 in __interceptor_malloc ../../src/libsanitizer/asan/asan_malloc_linux.cpp:69\n";
      assertEquals(isOurs(`${leak}    #1 0x5565  (/usr/bin/deno+0x1f3ad30)`), false);
      for (
        const frame of [
          "in ioq_open native/queue/open.c:82",
          " (<unknown module>)",
          " (/x/libioq.so+0x12)",
          "in realpath (/lib/x86_64-linux-gnu/libc.so.6+0x12)\n    #2 0x5565 in perform native/calls/perform.c:9",
        ]
      ) {
        assertEquals(isOurs(`${leak}    #1 0x5565 ${frame}`), true, frame);
      }
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

asanTest("the test of exactly-once passes under the sanitizer", async () => {
  const file = fileURLToPath(new URL("../conformance/exactly_once_test.ts", import.meta.url));
  const { code, stdout, errors, leaks } = await runUnderAsan(["test", "-A", file], true);
  assertEquals([errors, leaks], [[], []]);
  assertEquals(code, 0, stdout);
});
