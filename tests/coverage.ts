// Copyright 2026 the ioq authors. MIT license.

/**
 * Runs all tests and tells which lines of `src/` and `ffi/` they do not run:
 * `deno task coverage`.
 *
 * Deno counts in every process and Worker that a test starts with it, as long as they
 * end by themselves: the counts of what is killed or terminated are lost. A file that
 * nothing loads is not in Deno's report at all; here it counts as not covered.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** Percent of the lines that have to be covered. */
const REQUIRED = 95;
const ROOT = new URL("../", import.meta.url);
/** Where Deno puts what it counts. */
const DIRECTORY = "coverage/";
/** What is measured, but for libraries as text. */
const DIRECTORIES = ["src/", "ffi/"];
const DATA = "ffi/embedded/";

/** What is known of a file. */
export interface FileCoverage {
  /** Its lines that can be run. */
  readonly lines: number;
  /** Those that were not. */
  readonly missed: readonly number[];
}

/** Read the records of LCOV, by path below the root. */
export function readLcov(text: string, root: URL): Map<string, FileCoverage> {
  const files = new Map<string, FileCoverage>();
  for (const record of text.split("end_of_record")) {
    const path = /^SF:(.+)$/m.exec(record)?.[1];
    if (path?.startsWith(root.pathname)) {
      const lines = [...record.matchAll(/^DA:(\d+),(\d+)/gm)];
      const missed = lines.filter(([, , count]) => count === "0").map(([, line]) => Number(line));
      files.set(path.slice(root.pathname.length), { lines: lines.length, missed });
    }
  }
  return files;
}

/** Numbers in a row as ranges: `3-5, 9`. */
export function formatRanges(numbers: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const number of numbers) {
    const range = ranges.at(-1);
    if (range?.[1] === number - 1) {
      range[1] = number;
    } else {
      ranges.push([number, number]);
    }
  }
  return ranges.map(([first, last]) => first === last ? first : `${first}-${last}`).join(", ");
}

/** All modules of a directory, by path below the root. */
function* modulesOf(directory: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(directory, ROOT))) {
    if (isDirectory) {
      yield* modulesOf(`${directory}${name}/`);
    } else if (name.endsWith(".ts")) {
      yield directory + name;
    }
  }
}

/** Print what is missing; whether enough is covered. */
function report(files: ReadonlyMap<string, FileCoverage>): boolean {
  let lines = 0;
  let missed = 0;
  const modules = DIRECTORIES.flatMap((it) => [...modulesOf(it)]).sort();
  for (const path of modules.filter((it) => !it.startsWith(DATA))) {
    const file = files.get(path);
    if (file === undefined) {
      const text = Deno.readTextFileSync(new URL(path, ROOT));
      // Types alone leave nothing to run, and so no record
      if (/^(?:export )?(?:async )?(?:function|class|const|let) /m.test(text)) {
        const length = text.split("\n").length;
        lines += length;
        missed += length;
        console.log(`${path}: never loaded`);
      }
      continue;
    }
    lines += file.lines;
    missed += file.missed.length;
    if (file.missed.length > 0) {
      const percent = (1 - file.missed.length / file.lines) * 100;
      console.log(`${path}: ${percent.toFixed(1)} %, not run: ${formatRanges(file.missed)}`);
    }
  }
  const percent = lines === 0 ? 0 : (1 - missed / lines) * 100;
  const enough = percent >= REQUIRED;
  console.log(
    `${percent.toFixed(2)} % of ${lines} lines are covered, ${missed} are not; ` +
      `${REQUIRED} % are required: ${enough ? "enough" : "NOT ENOUGH"}`,
  );
  return enough;
}

/** Run Deno in the root; fails if it does. */
async function deno(...args: string[]): Promise<void> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: fileURLToPath(ROOT),
    stdin: "null",
  }).spawn().status;
  if (code !== 0) {
    throw new Error(`deno ${args[0]} failed`);
  }
}

/** Run the tests, and report. */
async function main(): Promise<boolean> {
  await Deno.remove(new URL(DIRECTORY, ROOT), { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw error;
    }
  });
  await deno("test", "-A", `--coverage=${DIRECTORY}`, "--coverage-raw-data-only");
  // Counts are by JavaScript, which Deno takes from its cache to get back to the sources.
  // Programs that ran without our configuration may have left another there
  await deno("cache", "--quiet", ...DIRECTORIES.flatMap((it) => [...modulesOf(it)]));
  const lcov = `${DIRECTORY}lcov.info`;
  await deno("coverage", DIRECTORY, "--include=/(src|ffi)/", "--lcov", `--output=${lcov}`);
  return report(readLcov(await Deno.readTextFile(new URL(lcov, ROOT)), ROOT));
}

if (import.meta.main) {
  Deno.exitCode = await main() ? 0 : 1;
}
