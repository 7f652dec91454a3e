// Copyright 2026 the ioq authors. MIT license.

/**
 * Processes that are killed while they replace files: each file is whole afterwards, of a
 * generation that is no older than what was acknowledged, and nothing accumulates.
 *
 * `IOQ_CRASHES` says how many there are to be; 500 take some minutes.
 */

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { TempDir } from "../fixtures.ts";
import { generationOf, WRITERS } from "./crash_contents.ts";

const CHILD = fileURLToPath(new URL("crash_child.ts", import.meta.url));
const CRASHES = Number(Deno.env.get("IOQ_CRASHES") ?? 6);
/** Temporary files that a killed process leaves at the most: one for each writer. */
const LEFT_MAX = WRITERS.length;

/** Start a child. */
function start(folder: string, backend: string, rounds: number): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", CHILD, folder, backend, String(rounds)],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

/** What a child has said, from its output so far. */
function acknowledged(output: string): Map<string, number> {
  const last = new Map<string, number>();
  for (const line of output.split("\n").slice(0, -1)) {
    const [writer, generation] = line.split(" ").map(Number) as [number, number];
    const { name } = WRITERS[writer]!;
    last.set(name, Math.max(last.get(name) ?? 0, generation));
  }
  return last;
}

/** Start a child, and kill it a while after it has said something. */
async function crash(folder: string, backend: string): Promise<string> {
  const child = start(folder, backend, 1_000_000);
  let output = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    output += decoder.decode(chunk, { stream: true });
    timer ??= setTimeout(() => child.kill("SIGKILL"), Math.random() * 40);
  }
  clearTimeout(timer);
  assertEquals((await child.status).signal, "SIGKILL");
  return output;
}

function temporaryIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.startsWith(".ioq-"));
}

for (const backend of ["native", "none"]) {
  Deno.test(`files that are replaced survive SIGKILL, ${backend}`, async () => {
    using dir = new TempDir();
    let left = 0;
    for (let count = 0; count < CRASHES / 2; count++) {
      const told = acknowledged(await crash(dir.path, backend));
      assert(told.size > 0);
      for (const [name, generation] of told) {
        const found = generationOf(Deno.readFileSync(dir.at(name)));
        // Of two writers the later one's may have been replaced by the earlier one's
        const same = WRITERS.filter((writer) => writer.name === name).length > 1;
        assert(same || found >= generation, `${name}: ${found} is older than ${generation}`);
      }
      const temporary = temporaryIn(dir.path);
      left += temporary.length;
      assert(temporary.length <= LEFT_MAX, temporary.join());
    }
    if (CRASHES >= 100) {
      console.log(`${left} temporary files were left behind and removed`);
    }
    const { success } = await start(dir.path, backend, 2).output();
    assert(success);
    assertEquals(temporaryIn(dir.path), []);
  });
}
