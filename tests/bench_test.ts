// Copyright 2026 the ioq authors. MIT license.

/**
 * The benchmarks' command: what it writes, and what it leaves behind.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { fillIn, RESULTS_DOCUMENTS } from "../bench/readme.ts";
import { type BenchResults, readResults } from "../bench/results.ts";

const MAIN = fileURLToPath(new URL("../bench/main.ts", import.meta.url));

/** A text with the comments that tables stand between. */
function withBlocks(names: readonly string[]): string {
  return names.map((it) => `before\n<!-- bench:${it} -->\nold\n<!-- /bench:${it} -->\n`).join("");
}

const NAMES = RESULTS_DOCUMENTS.flatMap(({ blocks }) => blocks);

/** The benchmarks' command, with its temporary files in a directory of their own. */
function bench(directory: string, args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, ...args],
    env: { TMPDIR: directory, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Run a test with a temporary directory, which has to be empty at its end. */
async function withEmptyDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(directory);
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("tables in the documents are those of the stored results", async () => {
  for (const { url, blocks } of RESULTS_DOCUMENTS) {
    const text = await Deno.readTextFile(url);
    assertEquals(
      text,
      fillIn(text, await readResults(), blocks),
      "write them again: deno task bench --readme",
    );
  }
});

Deno.test("results replace what was between the comments, and nothing else", async (t) => {
  const results = await readResults();
  const text = withBlocks(NAMES);
  const filled = fillIn(text, results, NAMES);
  await t.step("each block has its table", () => {
    assert(!filled.includes("\nold\n"));
    assertEquals(filled.match(/^before$/gm)?.length, NAMES.length);
    assertEquals(fillIn(filled, results, NAMES), filled);
  });
  await t.step("each row of a table has as many columns as its head", () => {
    for (const block of filled.matchAll(/((?:^\|.*\|$\n)+)/gm)) {
      const columns = block[1]!.trimEnd().split("\n").map((row) => row.split(" | ").length);
      assertEquals(new Set(columns).size, 1, block[1]);
    }
  });
  await t.step("no number is one that was not measured", () => {
    assert(!/NaN|undefined|null/.test(filled), filled);
  });
  await t.step("who is missing is named, with the reason", () => {
    const table = fillIn(text, {
      ...results,
      suites: results.suites.map((suite) => ({
        ...suite,
        cases: suite.cases.map((item) => ({
          ...item,
          results: item.results.map((it) =>
            suite.name === "walk" && it.role === "peer"
              ? { ...it, missing: "there is none here" }
              : it
          ),
        })),
      })),
    }, NAMES);
    assert(/: missing, there is none here/.test(table));
  });
  await t.step("a block that is unknown, absent or there twice is an error", () => {
    assertThrows(() => fillIn(withBlocks([...NAMES, "other"]), results, NAMES), Error, "'other'");
    assertThrows(() => fillIn(withBlocks(NAMES.slice(1)), results, NAMES), Error, "'measured'");
    assertThrows(() => fillIn(withBlocks([...NAMES, "ops"]), results, NAMES), Error, "'ops'");
  });
  await t.step("so is a suite without results", () => {
    const suites = results.suites.filter(({ name }) => name !== "loop");
    assertThrows(() => fillIn(text, { ...results, suites }, NAMES), Error, "'loop'");
  });
});

Deno.test("a suite prints its tables, writes its results and leaves nothing else", async () => {
  await withEmptyDirectory(async (directory) => {
    const json = await Deno.makeTempFile();
    try {
      const args = ["--quick", "--json", json, "loop"];
      const { code, stdout, stderr } = await bench(directory, args).output();
      const text = new TextDecoder().decode(stdout);
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      // Progress is for terminals
      assertEquals(new TextDecoder().decode(stderr), "");
      for (const part of ["start and await an empty task", "vs async function", "Goals", "Linux"]) {
        assert(text.includes(part), part);
      }
      const { suites } = JSON.parse(await Deno.readTextFile(json)) as BenchResults;
      assertEquals(suites.map(({ name }) => name), ["loop"]);
      assert(suites[0]!.cases.every(({ results }) => results.every(({ ns }) => ns.median > 0)));
    } finally {
      await Deno.remove(json);
    }
  });
});

Deno.test("interrupted, the benchmarks leave no file behind", async (t) => {
  for (const times of [1, 2]) {
    await t.step(`by ${times} of Ctrl-C`, async () => {
      await withEmptyDirectory(async (directory) => {
        const child = bench(directory, ["--quick", "ops"]).spawn();
        const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
        let text = "";
        while (!text.includes("in flight")) {
          const { value, done } = await output.read();
          assert(!done, text);
          text += value;
        }
        for (let i = 0; i < times; i++) {
          child.kill("SIGINT");
        }
        while (!(await output.read()).done) {
          // Nothing may wait for somebody to read
        }
        await child.stderr.cancel();
        assertEquals((await child.status).code, 130);
      });
    });
  }
});

Deno.test("a suite or an option that there is not is a mistake of usage", async () => {
  await withEmptyDirectory(async (directory) => {
    for (const arg of ["nope", "--nope"]) {
      const { code, stderr } = await bench(directory, [arg]).output();
      assertEquals(code, 2);
      assert(new TextDecoder().decode(stderr).includes("nope"));
    }
  });
});
