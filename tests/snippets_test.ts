// Copyright 2026 the ioq authors. MIT license.

/**
 * Every example of the documents is a program that runs in an empty folder, as it does for
 * somebody who copies it: with the permissions that the README names, and with the output
 * that the document shows. Examples in comments of sources are run by `deno test --doc`,
 * which passes over what is marked otherwise: so nothing may be.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../", import.meta.url);

/** What the README says that a program needs. */
const README_PERMISSIONS = ["--allow-read", "--allow-ffi"];
/** Other documents also write, to temporary files. */
const PERMISSIONS = [...README_PERMISSIONS, "--allow-write"];

/** Languages of blocks that are no programs. */
const OTHERS = ["sh", "text", "mermaid"];

/** A program in a document. */
interface Snippet {
  readonly document: string;
  readonly line: number;
  readonly code: string;
  /** The output that the document shows for it. */
  readonly output: string | undefined;
}

/** A block between fences: what follows the opening one, and what is in it. */
interface Block {
  readonly language: string;
  readonly line: number;
  readonly text: string;
}

function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let open: { language: string; line: number; lines: string[] } | undefined;
  text.split("\n").forEach((line, i) => {
    const fence = /^\s*```(.*)$/.exec(line);
    if (fence === null) {
      open?.lines.push(line);
    } else if (open === undefined) {
      open = { language: fence[1]!, line: i + 1, lines: [] };
    } else {
      blocks.push({ language: open.language, line: open.line, text: open.lines.join("\n") + "\n" });
      open = undefined;
    }
  });
  assertEquals(open, undefined, "a block has no end");
  return blocks;
}

function documents(): string[] {
  const names = (directory: string) =>
    [...Deno.readDirSync(new URL(directory, ROOT))]
      .filter(({ name }) => name.endsWith(".md")).map(({ name }) => directory + name);
  return [...names("./"), ...names("docs/")].map((it) => it.replace("./", "")).sort();
}

function snippetsOf(document: string): Snippet[] {
  const blocks = blocksOf(Deno.readTextFileSync(new URL(document, ROOT)));
  const snippets: Snippet[] = [];
  for (const [i, { language, line, text }] of blocks.entries()) {
    if (OTHERS.includes(language)) {
      continue;
    }
    assertEquals(language, "ts", `${document}:${line}: programs are marked by "ts", and all run`);
    const shown = blocks.slice(i + 1).find((it) => it.language !== "sh");
    snippets.push({
      document,
      line,
      code: text,
      output: shown?.language === "text" ? shown.text : undefined,
    });
  }
  return snippets;
}

const SNIPPETS = documents().flatMap(snippetsOf);

/** A new folder, with what `deno add` leaves there and a program. */
async function withProgram(code: string, test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const imports = {
      "@ioq/ioq": new URL("mod.ts", ROOT).href,
      "@ioq/ioq/loop": new URL("src/loop/mod.ts", ROOT).href,
    };
    // Local sources are checked with the importer's options, unlike those of a registry
    const { compilerOptions } = JSON.parse(
      await Deno.readTextFile(new URL("deno.json", ROOT)),
    );
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports, compilerOptions }));
    await Deno.writeTextFile(`${folder}/main.ts`, code);
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function deno(cwd: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  return decoder.decode(stdout);
}

for (const { document, line, code, output } of SNIPPETS) {
  Deno.test(`the program in ${document}, line ${line}, runs in an empty folder`, async () => {
    await withProgram(code, async (folder) => {
      const permissions = document === "README.md" ? README_PERMISSIONS : PERMISSIONS;
      const printed = await deno(folder, "run", "--no-check", ...permissions, "main.ts");
      if (output !== undefined) {
        assertEquals(printed, output);
      }
      // What stands behind a call of console.log() is what it prints
      const lines = printed.split("\n");
      for (const [, expected] of code.matchAll(/console\.log\(.*\/\/ (.+)$/gm)) {
        assert(lines.includes(expected!), `${expected} is not printed, but:\n${printed}`);
      }
    });
  });
}

Deno.test("the README's stream loses nothing of a list that is longer than the queue", async () => {
  const stream = SNIPPETS.find(({ document, code }) =>
    document === "README.md" && code.includes("submit(")
  )!;
  const files = await Deno.makeTempDir();
  try {
    for (let i = 0; i < 3000; i++) {
      Deno.writeTextFileSync(`${files}/${i}`, "");
    }
    await withProgram(stream.code.replaceAll("/etc", files), async (folder) => {
      const printed = await deno(folder, "run", "--no-check", ...README_PERMISSIONS, "main.ts");
      assertEquals(printed, "true\n");
    });
  } finally {
    await Deno.remove(files, { recursive: true });
  }
});

Deno.test("programs in documents have no type errors", async () => {
  await withProgram("", async (folder) => {
    const names = await Promise.all(SNIPPETS.map(async ({ document, line, code }) => {
      const name = `${document.replaceAll("/", "_")}_${line}.ts`;
      await Deno.writeTextFile(`${folder}/${name}`, `${code}\nexport {};\n`);
      return name;
    }));
    await deno(folder, "check", "--quiet", ...names);
  });
});

Deno.test("the README has a program, the line that runs it, and what it prints", () => {
  const readme = Deno.readTextFileSync(new URL("README.md", ROOT));
  assert(readme.includes(`deno run ${README_PERMISSIONS.join(" ")} main.ts`));
  assert(SNIPPETS.some(({ document, output }) => document === "README.md" && output));
  assert(readme.includes("./dev demo") && readme.includes("./dev test"));
});

Deno.test("examples in comments are marked to be run", () => {
  /** The sources below a directory, and what is in them. */
  function* sources(directory: URL): Generator<[string, string]> {
    for (const { name, isDirectory } of Deno.readDirSync(directory)) {
      const url = new URL(isDirectory ? `${name}/` : name, directory);
      if (isDirectory) {
        yield* sources(url);
      } else if (name.endsWith(".ts")) {
        yield [fileURLToPath(url), Deno.readTextFileSync(url)];
      }
    }
  }
  const files: [string, string][] = [
    ...sources(new URL("src/", ROOT)),
    ...["mod.ts", "cli.ts"].map((name): [string, string] => [
      name,
      Deno.readTextFileSync(new URL(name, ROOT)),
    ]),
  ];
  let examples = 0;
  for (const [file, text] of files) {
    for (const [comment] of text.matchAll(/^ *\/\*\*[^]*?\*\//gm)) {
      for (const { language, line } of blocksOf(comment.replaceAll(/^ *\* ?/gm, ""))) {
        assert([...OTHERS, "ts"].includes(language), `${file}: ${language}, line ${line}`);
        examples += language === "ts" ? 1 : 0;
      }
    }
  }
  assert(examples > 20, String(examples));
});
