// Copyright 2026 the ioq authors. MIT license.

/** Case by case: what `walk()` of `@std/fs` finds and throws, ours does. */

import { assert, assertEquals } from "@std/assert";
import { toFileUrl } from "npm:deno-std@1.4.0/path/mod.js";
import { walk, type WalkEntry, type WalkOptions } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { looksOf, TempDir } from "../fixtures.ts";
import { referenceWalk } from "./reference.ts";

/** An order of entries; several links may lead to one path. */
function byPath(a: WalkEntry, b: WalkEntry): number {
  const [one, other] = [a, b].map(({ path, name, isSymlink }) => `${path} ${name} ${isSymlink}`);
  return one! < other! ? -1 : one! > other! ? 1 : 0;
}

/** What an iteration brings: its entries in order, and the error that ends it. */
async function outcomeOf(entries: AsyncIterable<WalkEntry>) {
  const found: WalkEntry[] = [];
  const looks = await looksOf(async () => {
    for await (const entry of entries) {
      found.push(entry);
    }
    throw new Error("none");
  });
  return { found: found.sort(byPath), ...looks };
}

/** A tree with everything that options tell apart. */
function makeTree(dir: TempDir): void {
  for (const path of ["a/b/c", "a/empty", "x.d", "skipped/inner", "deep/1/2/3/4/5/6/7/8/9/10/11"]) {
    Deno.mkdirSync(dir.at(path), { recursive: true });
  }
  for (
    const path of [
      "top.ts",
      "top.txt",
      "noext",
      ".hidden.ts",
      "a/one.ts",
      "a/b/two.ts",
      "a/b/c/three.js",
      "x.d/y.ts",
      "skipped/s.ts",
      "skipped/inner/t.ts",
      "deep/1/2/3/4/5/6/7/8/9/10/11/bottom.ts",
      "a/new\nline.ts",
      "a/日本語.ts",
    ]
  ) {
    dir.file(path, path);
  }
  dir.fifo("a/fifo.ts");
  Deno.symlinkSync("top.ts", dir.at("link.ts"));
  Deno.symlinkSync("../x.d", dir.at("a/to-x"));
  Deno.symlinkSync("../../top.txt", dir.at("a/b/to-top"));
}

const CASES: Record<string, WalkOptions> = {
  "no options": {},
  "maxDepth -1": { maxDepth: -1 },
  "maxDepth 0": { maxDepth: 0 },
  "maxDepth 1": { maxDepth: 1 },
  "maxDepth 2": { maxDepth: 2 },
  "maxDepth 2.5": { maxDepth: 2.5 },
  "maxDepth 11": { maxDepth: 11 },
  "no files": { includeFiles: false },
  "no directories": { includeDirs: false },
  "no links": { includeSymlinks: false },
  "directories only": { includeFiles: false, includeSymlinks: false },
  "exts with dot": { exts: [".ts"] },
  "exts without": { exts: ["ts", "js"] },
  "exts of directories": { exts: ["d"] },
  "no exts": { exts: [] },
  match: { match: [/b/] },
  "match, several": { match: [/two/, /\.d/] },
  "match, global": { match: [/t/g] },
  "match nothing": { match: [] },
  skip: { skip: [/skipped/] },
  "skip, several": { skip: [/skipped/, /a\/b/, /link/] },
  "skip files": { skip: [/\.ts$/] },
  "skip the root": { skip: [/ioq-/] },
  "skip nothing": { skip: [] },
  "all filters": { exts: ["ts"], match: [/o/], skip: [/skipped/] },
  follow: { followSymlinks: true },
  "follow, not canonical": { followSymlinks: true, canonicalize: false },
  "follow, no links": { followSymlinks: true, includeSymlinks: false },
  "follow, files only": { followSymlinks: true, includeDirs: false },
  "follow, no files": { followSymlinks: true, includeFiles: false },
  "follow, maxDepth": { followSymlinks: true, canonicalize: false, maxDepth: 2 },
  "follow, skip": { followSymlinks: true, skip: [/x\.d/] },
  "follow, exts": { followSymlinks: true, canonicalize: false, exts: ["ts"] },
};

/** Ways of walking that must not change what is found. */
const WAYS: Record<string, WalkOptions> = {
  "": {},
  ", in order": { sort: true },
  ", one at a time": { concurrency: 1 },
  ", on one device": { sameDevice: true },
};

forEachBackend("walk() finds what @std/fs finds", async ({ open, t }) => {
  using dir = new TempDir();
  makeTree(dir);
  await using ioq = await open();
  for (const [name, options] of Object.entries(CASES)) {
    for (const [way, more] of Object.entries(WAYS)) {
      await t.step(name + way, async () => {
        const expected = await outcomeOf(referenceWalk(dir.path, options));
        const actual = await outcomeOf(walk(dir.path, { ...options, ...more, ioq }));
        assertEquals(actual, expected);
        const batches = (await Array.fromAsync(walk.batches(dir.path, { ...options, ioq }))).flat();
        assertEquals(batches.sort(byPath), expected.found);
      });
    }
  }
});

forEachBackend("walk() finds sockets as @std/fs does", async ({ open }) => {
  using dir = new TempDir();
  await using ioq = await open();
  using _ = Deno.listen({ path: dir.at("socket"), transport: "unix" });
  for (const followSymlinks of [false, true]) {
    const expected = await outcomeOf(referenceWalk(dir.path, { followSymlinks }));
    assertEquals(expected.found.length, 2);
    assertEquals(await outcomeOf(walk(dir.path, { followSymlinks, ioq })), expected);
  }
});

forEachBackend("walk() takes any root that @std/fs takes", async ({ open, t }) => {
  using dir = new TempDir();
  makeTree(dir);
  Deno.symlinkSync("a", dir.at("root-link"));
  const file = dir.file("just a file");
  await using ioq = await open();
  const cwd = Deno.cwd();
  Deno.chdir(dir.path);
  try {
    const roots = [
      ".",
      "./",
      "a",
      "./a/",
      "a//b",
      "a/../x.d",
      "../" + dir.path.split("/").at(-1),
      "root-link",
      dir.path + "/",
      file,
      "missing",
      dir.at("missing"),
      "top.ts/below",
      "",
    ];
    for (const root of roots) {
      for (
        const options of [{}, { maxDepth: 0 }, { includeDirs: false }] satisfies WalkOptions[]
      ) {
        await t.step(`${JSON.stringify(root)} ${JSON.stringify(options)}`, async () => {
          const expected = await outcomeOf(referenceWalk(root, options));
          assertEquals(await outcomeOf(walk(root, { ...options, ioq })), expected);
          const sorted = walk(root, { ...options, ioq, sort: true });
          assertEquals(await outcomeOf(sorted), expected);
        });
      }
    }
  } finally {
    Deno.chdir(cwd);
  }
  const url = toFileUrl(dir.path) as URL;
  const expected = await outcomeOf(referenceWalk(dir.path));
  assertEquals(await outcomeOf(walk(url, { ioq })), expected);
  assertEquals(await outcomeOf(walk(new TextEncoder().encode(dir.path), { ioq })), expected);
});

forEachBackend("walk() throws what @std/fs throws", async ({ open, t }) => {
  await using ioq = await open();
  await t.step("a link that leads nowhere, followed", async () => {
    using dir = new TempDir();
    Deno.symlinkSync("nowhere", dir.at("broken"));
    const options = { followSymlinks: true };
    const expected = await outcomeOf(referenceWalk(dir.path, options));
    assertEquals(expected.class, "NotFound");
    assertEquals(await outcomeOf(walk(dir.path, { ...options, ioq })), expected);
  });
  await t.step("a link to itself, followed", async () => {
    using dir = new TempDir();
    Deno.symlinkSync("self", dir.at("self"));
    const options = { followSymlinks: true };
    const expected = await outcomeOf(referenceWalk(dir.path, options));
    assertEquals(expected.code, "ELOOP");
    assertEquals(await outcomeOf(walk(dir.path, { ...options, ioq })), expected);
  });
  await t.step("neither is an error if not followed", async () => {
    using dir = new TempDir();
    Deno.symlinkSync("nowhere", dir.at("broken"));
    Deno.symlinkSync("self", dir.at("self"));
    const expected = await outcomeOf(referenceWalk(dir.path));
    assertEquals(expected.message, "none");
    assertEquals(await outcomeOf(walk(dir.path, { ioq })), expected);
  });
});

forEachBackend("walk() ends in cycles of links", async ({ open }) => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("a/b"), { recursive: true });
  dir.file("a/b/file");
  Deno.symlinkSync("..", dir.at("a/b/up"));
  Deno.symlinkSync("../..", dir.at("a/b/top"));
  Deno.symlinkSync(".", dir.at("a/self"));
  await using ioq = await open();
  for (const sort of [false, true]) {
    const names: string[] = [];
    const options = { followSymlinks: true, canonicalize: false, ioq, sort };
    for await (const { path, isDirectory } of walk(dir.path, options)) {
      assert(isDirectory || path.endsWith("file"));
      names.push(path.slice(dir.path.length));
    }
    // Each link is found, as the directory that it leads to, and not gone into
    assertEquals(
      names.sort(),
      ["", "/a", "/a/b", "/a/b/file", "/a/b/top", "/a/b/up", "/a/self"],
    );
  }
});

forEachBackend("walk() goes into a directory as often as it is linked", async ({ open }) => {
  using dir = new TempDir();
  Deno.mkdirSync(dir.at("a"));
  dir.file("a/file");
  Deno.symlinkSync("a", dir.at("one"));
  Deno.symlinkSync("a", dir.at("two"));
  await using ioq = await open();
  const options = { followSymlinks: true, canonicalize: false };
  assertEquals(
    await outcomeOf(walk(dir.path, { ...options, ioq })),
    await outcomeOf(referenceWalk(dir.path, options)),
  );
});
