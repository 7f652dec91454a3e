// Copyright 2026 the ioq authors. MIT license.

/**
 * Links that lead out of what is granted, without FFI: Deno asks for the path that it is
 * given, and what is refused leaves nothing behind.
 */

import { assertEquals } from "@std/assert";
import { MOD, runDeno, TempDir } from "../fixtures.ts";

Deno.test("a link that leads out of what is granted, without FFI", async () => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("granted"));
  Deno.mkdirSync(dir.at("out"));
  Deno.writeTextFileSync(dir.at("out/file"), "text");
  Deno.symlinkSync("../out", dir.at("granted/link"));
  const script = `
    import { Ioq } from "${MOD}";
    const path = Deno.args[0] + "/link/file";
    await using ioq = await Ioq.open();
    const said = [Deno.readTextFileSync(path), await ioq.readTextFile(path)];
    said.push((await ioq.readFile(path)).length);
    for await (const { bytes, error } of ioq.readFiles([path])) said.push(error?.name ?? bytes.length);
    for (const path of [Deno.args[0] + "/link/file", Deno.args[0] + "/link/new"]) {
      const write = ioq.writeTextFile(path, "other", { atomic: true });
      said.push(await write.then(() => "written", (error) => error.name));
    }
    console.log(said.join());
  `;
  const granted = dir.at("granted");
  const flags = [`--allow-read=${granted}`, `--allow-write=${granted}`];
  const { stdout, stderr } = await runDeno(script, { flags, args: [granted] });
  assertEquals([stdout, stderr], ["text,text,4,4,NotCapable,NotCapable\n", ""]);
  assertEquals([...Deno.readDirSync(dir.at("out"))].map(({ name }) => name), ["file"]);
  assertEquals(Deno.readTextFileSync(dir.at("out/file")), "text");
});
