// Copyright 2026 the ioq authors. MIT license.

/** Who is asked on a terminal, for what, and how often: as Deno asks. */

import { assertEquals } from "@std/assert";
import { LIBRARY, MOD, TempDir } from "../fixtures.ts";

/** Whether a terminal can be had. */
const hasTerminal = await (async () => {
  try {
    const args = ["-qec", "true", "/dev/null"];
    return (await new Deno.Command("script", { args, stdin: "null", stdout: "null" }).output())
      .success;
  } catch {
    return false;
  }
})();

const SCRIPT = `
  const [who, path] = Deno.args;
  let ioq;
  if (who !== "deno") {
    const { Ioq } = await import("${MOD}");
    ioq = await Ioq.open({ library: "${LIBRARY}", backend: who });
  }
  const { readTextFile, stat } = ioq === undefined ? Deno : {
    readTextFile: (path) => ioq.readTextFile(path),
    stat: (path) => ioq.stat(path),
  };
  for (const call of [readTextFile, readTextFile, stat]) {
    console.log("SAID", await call(path).then(() => "ok", ({ name }) => name));
  }
  await ioq?.close();
`;

/** What is asked on a terminal where this is always answered, and what comes of it. */
async function ask(dir: TempDir, who: string, path: string, answer: string): Promise<string[]> {
  const main = dir.file("main.ts", SCRIPT);
  const command = [
    ...[Deno.execPath(), "run", "--quiet", "--no-lock", "--no-check", "--no-config"],
    ...[`--allow-ffi=${LIBRARY}`, "--allow-env", main, who, path],
  ].join(" ");
  const child = new Deno.Command("script", {
    args: ["-qec", command, "/dev/null"],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  let said = "";
  // What was typed before it asked does not count, so that it may take another time
  const timer = setInterval(() => {
    if (said.lastIndexOf("Allow?") > said.lastIndexOf("SAID")) {
      writer.write(new TextEncoder().encode(`${answer}\n`)).catch(() => {});
    }
  }, 200);
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    said += text;
  }
  clearInterval(timer);
  await writer.close().catch(() => {});
  await child.status;
  return said.match(/requests [a-z]+ access to "[^"]*"|SAID \w+/g) ?? [];
}

Deno.test({
  name: `where a permission is asked for, it is as Deno asks${hasTerminal ? "" : " (cannot)"}`,
  ignore: !hasTerminal,
  async fn(t) {
    using dir = new TempDir();
    Deno.mkdirSync(dir.at("real"));
    dir.file("real/file");
    Deno.symlinkSync("real/file", dir.at("link"));
    for (const [name, answer] of [["link", "y"], ["real/../link", "n"]] as const) {
      const expected = await ask(dir, "deno", dir.at(name), answer);
      // Granted once, it is for good; refused, too, as far as this process goes
      assertEquals(expected.filter((line) => line.startsWith("requests")).length, 1);
      for (const who of ["uring", "threads", "worker"]) {
        await t.step(`${name}, ${answer}: ${who}`, async () => {
          assertEquals(await ask(dir, who, dir.at(name), answer), expected);
        });
      }
    }
  },
});
