// Copyright 2026 the ioq authors. MIT license.

/**
 * Runs all tests, or those whose path has one of the given words in it:
 * `deno task test`, `deno task test walk tree`.
 *
 * Tests of one process come one after the other and leave half the machine idle. So
 * files are put into groups, each group is a `deno test` of its own, and as many groups
 * run at a time as there are processors, the largest first:
 *
 *     conformance 1 ┐
 *     conformance 2 ├─▶ processors ─▶ a group's closing line; all it printed if it failed
 *     native, docs  ┘
 *
 * Types are checked once, as a group of its own. What changes the machine for everyone,
 * such as switching io_uring off, runs alone after all others.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Files of a group, at most: each group costs a start of Deno. */
const FILES_PER_GROUP = 5;
/** What switches io_uring off for the whole machine if the environment allows it. */
const ALONE = "tests/fallback_test.ts";
/** Longer than any group takes; only a hang reaches it. */
const GROUP_TIMEOUT_MS = 15 * 60_000;

/** Tests that run in one process. */
interface Group {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** How much there is to do, to begin with the largest: bytes of test code. */
  readonly weight: number;
}

/** What a group printed, and whether all of it passed. */
interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}

/** The test files below a folder, by path from the root. */
function testFiles(folder: string): string[] {
  const files: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(ROOT + folder)) {
    if (isDirectory) {
      files.push(...testFiles(`${folder}/${name}`));
    } else if (name.endsWith("_test.ts")) {
      files.push(`${folder}/${name}`);
    }
  }
  return files.sort();
}

function denoTest(name: string, files: readonly string[]): Group {
  return {
    name,
    command: Deno.execPath(),
    args: ["test", "-A", "--no-check", ...files],
    weight: files.reduce((sum, file) => sum + Deno.statSync(ROOT + file).size, 0),
  };
}

/** The files in groups: those of a room together, as evenly as their sizes allow. */
function groupFiles(files: readonly string[]): Group[] {
  const rooms = Map.groupBy(files, (file) => file.split("/").slice(1, -1).join("/") || "tests");
  return [...rooms].flatMap(([room, all]) => {
    const count = Math.ceil(all.length / FILES_PER_GROUP);
    const size = (file: string) => Deno.statSync(ROOT + file).size;
    const bins = Array.from({ length: count }, () => ({ files: [] as string[], bytes: 0 }));
    for (const file of all.toSorted((a, b) => size(b) - size(a))) {
      const bin = bins.reduce((least, it) => it.bytes < least.bytes ? it : least);
      bin.files.push(file);
      bin.bytes += size(file);
    }
    return bins.map((bin, i) => denoTest(count === 1 ? room : `${room} ${i + 1}`, bin.files));
  });
}

/** All groups that the words ask for: all if there are none. */
function chooseGroups(words: readonly string[]): { together: Group[]; alone: Group[] } {
  const wanted = (name: string) => words.length === 0 || words.some((word) => name.includes(word));
  const files = testFiles("tests").filter(wanted);
  const together = groupFiles(files.filter((file) => file !== ALONE));
  const others: Group[] = [
    ...["plain", "asan", "tsan"].map((flavour): Group => ({
      name: `native ${flavour}`,
      command: "make",
      args: ["-s", "--no-print-directory", "-C", "native", "test", `SANITIZERS=${flavour}`],
      weight: 60_000,
    })),
    {
      name: "docs",
      command: Deno.execPath(),
      // Those of documents run in an empty folder: snippets_test.ts
      args: ["test", "-A", "--doc", "--permit-no-files", "--ignore=tests,README.md,docs"],
      weight: 40_000,
    },
    { name: "types", command: Deno.execPath(), args: ["check"], weight: 30_000 },
  ];
  return {
    together: [...together, ...others.filter(({ name }) => wanted(name))]
      .sort((a, b) => b.weight - a.weight),
    alone: files.includes(ALONE) ? [denoTest("fallback", [ALONE])] : [],
  };
}

/** Groups that are running: Ctrl-C ends them. */
const running = new Set<Deno.ChildProcess>();

async function run(group: Group): Promise<Outcome> {
  const child = new Deno.Command(group.command, {
    args: [...group.args],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  running.add(child);
  const timer = setTimeout(() => child.kill("SIGKILL"), GROUP_TIMEOUT_MS);
  // Both in the order in which they come, as a terminal would show them
  const parts: Uint8Array[] = [];
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    for await (const part of stream) {
      parts.push(part);
    }
  };
  const [{ success }] = await Promise.all([
    child.status,
    collect(child.stdout),
    collect(child.stderr),
  ]);
  clearTimeout(timer);
  running.delete(child);
  return {
    ok: success,
    output: new TextDecoder().decode(await new Blob(parts as BlobPart[]).bytes()),
  };
}

/** The lines that tell how many tests passed. */
function closingLines(output: string): string {
  // deno-lint-ignore no-control-regex
  const plain = (text: string) => text.replaceAll(/\x1b\[[0-9;]*m/g, "");
  return plain(output).split("\n")
    .filter((line) => /^(?:ok|FAILED) \| |^native.*: \d+ passed/.test(line))
    .join("\n");
}

if (import.meta.main) {
  const { together, alone } = chooseGroups(Deno.args);
  const total = together.length + alone.length;
  if (total === 0) {
    console.error(`No test has ${Deno.args.join(" or ")} in its path`);
    Deno.exit(2);
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      for (const child of running) {
        child.kill("SIGTERM");
      }
      Deno.exit(130);
    });
  }
  const terminal = Deno.stdout.isTerminal();
  const failed: string[] = [];
  let done = 0;
  const runAll = async (groups: Group[]) => {
    for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
      const start = performance.now();
      const { ok, output } = await run(group);
      done++;
      const seconds = Math.round((performance.now() - start) / 1000);
      if (!ok) {
        failed.push(group.name);
      }
      console.log(`${terminal ? "\r\x1b[K" : ""}[${done}/${total}] ${group.name}, ${seconds} s`);
      console.log(ok ? closingLines(output) : output);
      if (terminal && done < total) {
        Deno.stdout.writeSync(new TextEncoder().encode(`${total - done} groups to go`));
      }
    }
  };
  await Promise.all(
    Array.from({ length: Math.max(2, navigator.hardwareConcurrency) }, () => runAll(together)),
  );
  await runAll(alone);
  if (failed.length > 0) {
    console.error(`Failed: ${failed.join(", ")}`);
    Deno.exit(1);
  }
}
