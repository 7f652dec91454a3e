// Copyright 2026 the ioq authors. MIT license.

/**
 * Writes files again and again until it is killed, and says so after each:
 * `deno run -A crash_child.ts FOLDER BACKEND ROUNDS`.
 */

import { Ioq } from "../../mod.ts";
import { contentsOf, WRITERS } from "./crash_contents.ts";

const [folder, backend, rounds] = Deno.args as [string, string, string];
const encoder = new TextEncoder();

await using ioq = await Ioq.open(
  backend === "none" ? { backend: "worker", library: "/nonexistent/libioq.so" } : {},
);

async function write(writer: number): Promise<void> {
  const { name, durable } = WRITERS[writer]!;
  // Those who write one file tell their generations apart
  for (let round = 0; round < Number(rounds); round++) {
    const generation = Date.now() * 1000 + round * 10 + writer;
    const bytes = contentsOf(generation);
    const half = bytes.length >> 1;
    const data = generation % 5 === 0
      ? ReadableStream.from([bytes.subarray(0, half), bytes.subarray(half)])
      : bytes;
    await ioq.writeFile(`${folder}/${name}`, data, { atomic: true, durable });
    Deno.stdout.writeSync(encoder.encode(`${writer} ${generation}\n`));
  }
}

await Promise.all(WRITERS.map((_, writer) => write(writer)));
