// Copyright 2026 the ioq authors. MIT license.

import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "@std/assert";
import * as layout from "../ffi/layout.ts";
import { symbols } from "../ffi/symbols.ts";
import { TempDir, text } from "./fixtures.ts";

const NATIVE = fileURLToPath(new URL("../native", import.meta.url));

/** Whether a program can be run. */
function has(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
}

Deno.test({
  name: "ffi/layout.ts is what the compiler makes of the header",
  ignore: !has("make") || !has("cc"),
  fn() {
    using dir = new TempDir();
    const layoutProgram = dir.at("layout");
    const make = new Deno.Command("make", {
      args: ["-s", "-C", NATIVE, `BUILD=${dir.path}`, layoutProgram],
    }).outputSync();
    assert(make.success, text(make.stderr));
    const { stdout } = new Deno.Command(layoutProgram).outputSync();
    const stored = Deno.readTextFileSync(new URL("../ffi/layout.ts", import.meta.url));
    assertEquals(stored, text(stdout), "ffi/layout.ts is stale: make -C native layout");
  },
});

Deno.test("records are aligned as their 64-bit words need it", () => {
  for (
    const bytes of [
      layout.REQUEST_SIZE,
      layout.COMPLETION_SIZE,
      layout.TURN_SIZE,
      layout.TURN_REQUESTS_AT,
      layout.TURN_COMPLETIONS_AT,
      layout.STAT_SIZE,
      layout.DIRECTORY_SIZE,
    ]
  ) {
    assertEquals(bytes % 8, 0);
  }
  const requests = layout.TURN_REQUESTS * layout.REQUEST_SIZE;
  assertEquals(layout.TURN_COMPLETIONS_AT, layout.TURN_REQUESTS_AT + requests);
});

Deno.test("every function of the library is declared in the header", () => {
  const header = Deno.readTextFileSync(`${NATIVE}/ioq.h`);
  const declared = [...header.matchAll(/^IOQ_EXPORT [^;]*?\b(ioq_\w+)\(([^)]*)\);/gm)];
  assertEquals(declared.map(([, name]) => name).sort(), Object.keys(symbols).sort());
  for (const [, name, parameters] of declared) {
    const count = parameters === "void" ? 0 : parameters!.split(",").length;
    assertEquals(symbols[name as keyof typeof symbols].parameters.length, count, name);
  }
});
