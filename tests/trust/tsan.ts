// Copyright 2026 the ioq authors. MIT license.

/**
 * The TypeScript tests under ThreadSanitizer, in two steps, because it may not live in
 * V8's address space: the tests run with a library that records every call through the
 * ABI, and a C program makes those calls again under the sanitizer (`native/replay/`).
 *
 * `deno run -A tests/trust/tsan.ts [arguments of deno test]`
 */

import { fileURLToPath } from "node:url";
import { TempDir, text } from "../fixtures.ts";

const NATIVE = fileURLToPath(new URL("../../native", import.meta.url));

/** What became of it. */
export interface Replayed {
  /** The exit status of the tests. */
  readonly tested: number;
  /** The exit status of the replay: not 0 if the sanitizer had anything to report. */
  readonly replayed: number;
  /** What the replay said. */
  readonly output: string;
  /** Requests that were made again. */
  readonly requests: number;
}

/** Build what it takes. Returns why that cannot be, if so. */
export async function buildReplay(): Promise<string | undefined> {
  try {
    const { success, stderr } = await new Deno.Command("make", {
      args: ["-s", "-C", NATIVE, "replay"],
      stdout: "null",
    }).output();
    return success ? undefined : text(stderr).trim();
  } catch (error) {
    return `make: ${error}`;
  }
}

/** Run tests, then what they called. */
export async function recordAndReplay(args: string[], quiet = false): Promise<Replayed> {
  using dir = new TempDir();
  const { code: tested } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...args],
    env: {
      IOQ_LIBRARY: `${NATIVE}/build/librecord.so`,
      IOQ_RECORDED: `${NATIVE}/build/libioq.so`,
      IOQ_RECORDS: dir.path,
    },
    stdin: "null",
    stdout: quiet ? "null" : "inherit",
    stderr: quiet ? "null" : "inherit",
  }).spawn().status;

  let replayed = 0;
  let output = "";
  let requests = 0;
  const files = [...Deno.readDirSync(dir.path)].map(({ name }) => dir.at(name));
  // As many as a command line takes
  for (let i = 0; i < files.length; i += 1000) {
    const { code, stdout, stderr } = await new Deno.Command("setarch", {
      // How much the kernel randomizes addresses may be too much for the sanitizer
      args: [
        "-R",
        `${NATIVE}/fuzz/caged`,
        `${NATIVE}/build/tsan/replay`,
        ...files.slice(i, i + 1000),
      ],
      stdin: "null",
    }).output();
    replayed ||= code;
    output += text(stdout) + text(stderr);
    requests += Number(/^replay: (\d+) requests/m.exec(text(stdout))?.[1] ?? 0);
  }
  return { tested, replayed, output, requests };
}

if (import.meta.main) {
  const cannot = await buildReplay();
  if (cannot !== undefined) {
    console.error(`cannot: ${cannot}`);
    Deno.exit(2);
  }
  const { tested, replayed, output } = await recordAndReplay(Deno.args);
  console.log(output);
  Deno.exit(tested || replayed);
}
