// Copyright 2026 the ioq authors. MIT license.

import { assertEquals } from "@std/assert";
import { MOD, runDeno } from "./fixtures.ts";

Deno.test("importing the module needs no permission and does nothing", async () => {
  const script = `
    import * as ioq from "${MOD}";
    console.log(Object.keys(ioq).sort().join());
    console.log(Object.keys(ioq.op).length > 10, ioq.op.stat("/").op);
  `;
  const { code, stdout, stderr } = await runDeno(script, { flags: [] });
  assertEquals(stderr, "");
  assertEquals(code, 0);
  const [exported, operations] = stdout.split("\n");
  assertEquals(exported!.split(",").includes("Ioq"), true, exported);
  assertEquals(exported!.split(",").includes("op"), true, exported);
  assertEquals(operations, "true stat");
});

Deno.test("importing the module does not load the library", async () => {
  const script = `
    import { Ioq } from "${MOD}";
    const maps = () => Deno.readTextFileSync("/proc/self/maps").includes("libioq");
    const before = maps();
    const ioq = await Ioq.open({ backend: "threads" });
    const open = maps();
    await ioq.close();
    console.log(before, open, maps());
  `;
  const { stdout, stderr } = await runDeno(script);
  assertEquals([stdout, stderr], ["false true false\n", ""]);
});
