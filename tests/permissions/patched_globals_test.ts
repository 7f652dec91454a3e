// Copyright 2026 the ioq authors. MIT license.

/** What a program makes of Deno's globals after the import changes nothing of what is allowed. */

import { assertEquals } from "@std/assert";
import { LIBRARY, MOD, runDeno, TempDir } from "../fixtures.ts";

Deno.test("patched globals grant nothing", async () => {
  using granted = new TempDir();
  using other = new TempDir();
  Deno.writeTextFileSync(granted.at("file"), "granted");
  Deno.writeTextFileSync(other.at("file"), "secret");
  const script = `
    import { Ioq } from "${MOD}";
    const [granted, other] = Deno.args;
    const ioq = await Ioq.open({ library: "${LIBRARY}" });
    const bytes = new TextEncoder().encode(other);
    const patches = [
      [Deno.permissions, "querySync", () => ({ state: "granted", partial: false })],
      [Deno.Permissions.prototype, "querySync", () => ({ state: "granted", partial: false })],
      [TextDecoder.prototype, "decode", () => granted],
      [TextEncoder.prototype, "encode", () => bytes],
      [TextEncoder.prototype, "encodeInto", (_, into) => {
        into.set(bytes);
        return { read: bytes.length, written: bytes.length };
      }],
    ];
    const said = [];
    for (const [object, name, value] of patches) {
      const own = Object.getOwnPropertyDescriptor(object, name);
      Object.defineProperty(object, name, { value, configurable: true });
      for (const path of [other, bytes, granted + "é"]) {
        await new Promise((resolve) => setTimeout(resolve));
        const call = ioq.readFile(path).then((read) => "read " + read.length, (error) => error.name);
        said.push(await call);
      }
      if (own === undefined) delete object[name];
      else Object.defineProperty(object, name, own);
    }
    console.log([...new Set(said)].join());
    await ioq.close();
  `;
  const flags = [`--allow-ffi=${LIBRARY}`, `--allow-read=${granted.path}`];
  const args = [granted.at("file"), other.at("file")];
  const { stdout, stderr } = await runDeno(script, { flags, args });
  assertEquals([stdout, stderr], ["NotCapable,NotFound\n", ""]);
});
