// Copyright 2026 the ioq authors. MIT license.

/**
 * What the documents say, as far as it can be held against the sources. Their examples
 * are run by `snippets_test.ts`.
 */

import { assert } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** The documents that link to files. */
const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...[...Deno.readDirSync(new URL("docs/", ROOT))].map(({ name }) => `docs/${name}`),
];

/** All of our sources, as one text. */
function sources(directory: URL): string {
  return [...Deno.readDirSync(directory)].map(({ name, isDirectory }) =>
    isDirectory
      ? sources(new URL(`${name}/`, directory))
      : Deno.readTextFileSync(new URL(name, directory))
  ).join("\n");
}

/** Messages that are Deno's or the system's, and not in our sources. */
const FOREIGN = [
  "failed to map segment from shared object",
  "run again with the --allow-read flag",
  "Interrupted system call (os error 4)",
  "A dynamic library was loaded during the test, but not unloaded",
];

Deno.test("messages in the troubleshooting table are those of the sources", () => {
  const page = Deno.readTextFileSync(new URL("docs/troubleshooting.md", ROOT));
  const [, section] = /^## Troubleshooting\n([^]*)/m.exec(page)!;
  const messages = [...section!.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, message]) => message!);
  assert(messages.length > 10, section);
  const text = sources(new URL("src/", ROOT)) + sources(new URL("ffi/", ROOT));
  // A template literal's parts are in the source, its values are not
  const literal = text.replaceAll(/\$\{[^{}]*\}/g, "…").replaceAll("the embedded library", "…");
  for (const message of messages.filter((it) => !FOREIGN.includes(it))) {
    const parts = message.split("…");
    assert(parts.every((part) => text.includes(part) || literal.includes(part)), message);
  }
});

/** What plain English has better words for, and that was there once. */
const RIDDLES = [
  "See the module.",
  "for who wants",
  "goes back with",
  "the worst counts",
  "queue of his own",
];

Deno.test("nothing is told in riddles that have been solved", () => {
  const texts = [
    ...DOCUMENTS.map((path) => Deno.readTextFileSync(new URL(path, ROOT))),
    Deno.readTextFileSync(new URL("mod.ts", ROOT)),
    sources(new URL("src/", ROOT)),
    sources(new URL("bench/", ROOT)),
  ].join("\n");
  for (const riddle of RIDDLES) {
    assert(!texts.includes(riddle), riddle);
  }
});

/** What the headings of a document are linked to by. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)]
    .map(([, title]) => title!.toLowerCase().replaceAll(/[^\w\s-]/g, "").replaceAll(" ", "-"));
}

Deno.test("what the documents link to is there", () => {
  for (const path of DOCUMENTS) {
    const url = new URL(path, ROOT);
    const text = Deno.readTextFileSync(url);
    const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)]
      .map(([, link, source]) => link ?? source!);
    assert(links.length > 0 || !text.includes("]("), path);
    for (const link of links.filter((it) => !/^https?:/.test(it))) {
      const target = new URL(link, url);
      const anchor = target.hash.slice(1);
      target.hash = "";
      const found = Deno.statSync(target);
      assert(found.isFile || found.isDirectory, `${path}: ${link}`);
      if (anchor !== "") {
        assert(anchorsOf(Deno.readTextFileSync(target)).includes(anchor), `${path}: ${link}`);
      }
    }
  }
});
