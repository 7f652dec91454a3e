// Copyright 2026 the ioq authors. MIT license.

/** What lanes leave unread although they go on below directories by themselves. */

import { assertEquals } from "@std/assert";
import { glob, Ioq, walk, type WalkOptions } from "../../mod.ts";
import { joinRules, nameFilter, skipRules } from "../../src/trees/patterns/lane_rules.ts";
import { forEachBackend } from "../backends.ts";
import { TempDir } from "../fixtures.ts";
import { directoriesRead } from "./directories_read.ts";
import { makeTree, type TreeOf } from "./random_tree.ts";

Deno.test("expressions that are no more than a name are rules for lanes", () => {
  const cases: [RegExp, string | undefined][] = [
    [/node_modules/, "~node_modules"],
    [/\.git$/, "$.git"],
    [/\/\.git$/, "=.git"],
    [/(^|\/)dist(\/|$)/, "=dist"],
    [/(?:^|\/)_/g, "^_"],
    [/a-b/u, "~a-b"],
    [/a|b/, undefined],
    [/a.b/, undefined],
    [/a\d/, undefined],
    [/^a/, undefined],
    [/a/i, undefined],
    [/a\/b/, undefined],
    [/a*/, undefined],
    [new RegExp(""), undefined],
    [/a/y, undefined],
  ];
  for (const [expression, rule] of cases) {
    assertEquals(skipRules(expression)?.join(), rule, String(expression));
  }
  assertEquals(
    nameFilter([/\/\.git$/]),
    undefined,
    "a path that begins with it has no slash before",
  );
  const filter = nameFilter([/(^|\/)dist$/, /node/, /\.d$/, /(^|\/)_/])!;
  const names = ["dist", "a-node-b", "x.d", "_x", "dists", "x.de", "x_"];
  assertEquals(names.map(filter), [true, true, true, true, false, false, false]);
  assertEquals(joinRules(["=a", "=b", "=a"]), "=a\0=b\0");
  assertEquals(joinRules(["=".padEnd(2000, "a")]), undefined);
});

/** A tree that is deep enough for lanes to go on by themselves. */
function makeProject(): TreeOf {
  const part = (): TreeOf => ({
    "x.ts": "",
    ".hidden": { "h.ts": "" },
    build: { out: { "o.ts": "" } },
    node_modules: { dep: { lib: { "i.js": "" } } },
    sub: { "y.ts": "", "z.d": { "q.ts": "" }, node_modules: { other: { "j.js": "" } } },
  });
  return {
    a: part(),
    b: { c: part(), ".gitignore": "z.d\n", d: { e: part() } },
    nested: { ".git": { info: { exclude: "sub" } }, f: part() },
  };
}

/** What git does not list: the repository within has rules of its own. */
const RULED = /^[ab]\/(.*\/)?(node_modules|build)|^b\/.*z\.d|^nested\/f\/sub|\.git$|\.git\//;

const CASES: Record<string, [options: WalkOptions, unread: RegExp]> = {
  "skip, a name": [{ skip: [/node_modules/] }, /node_modules/],
  "skip, several": [{ skip: [/\/build$/, /\.d$/, /(^|\/)\.hidden$/] }, /\/build|\.d|\.hidden/],
  "skip, any expression": [{ skip: [/o[du]{1}/] }, /o[du]/],
  "rules": [{ gitignore: true }, RULED],
  "rules and skip": [
    { gitignore: true, skip: [/^.*\/a$/] },
    new RegExp(`^a|${RULED.source}`),
  ],
};

forEachBackend("lanes read nothing that is passed over", async ({ open, t }) => {
  using dir = new TempDir();
  makeTree(dir.path, { ...makeProject(), ".gitignore": "node_modules/\n/a/build\nbuild\n" });
  await using ioq = await open();
  const all = await directoriesRead(
    dir.path,
    () => Array.fromAsync(walk.batches(dir.path, { ioq })),
  );
  if (all.length < 20) {
    // Nobody notes it here
    return;
  }
  for (const [name, [options, unread]] of Object.entries(CASES)) {
    for (const sort of [false, true]) {
      await t.step(sort ? `${name}, in order` : name, async () => {
        const found: string[] = [];
        const read = await directoriesRead(dir.path, async () => {
          for await (const { path } of walk(dir.path, { ...options, sort, ioq })) {
            found.push(path.slice(dir.path.length + 1));
          }
        });
        assertEquals(read, all.filter((it) => it === "." || !unread.test(it)));
        if (sort) {
          const key = (path: string) => path.replaceAll("/", "\0");
          assertEquals(found, found.toSorted((a, b) => key(a) < key(b) ? -1 : 1));
        }
      });
    }
  }
  await t.step("globs", async () => {
    const options = { cwd: dir.path, ignore: ["**/node_modules", "**/z.*/**", "a/build"], ioq };
    const read = await directoriesRead(
      dir.path,
      () => Array.fromAsync(glob.batches("**/*.ts", options)),
    );
    const unread = /node_modules|z\.d|^a\/build|\.hidden|\.git/;
    assertEquals(read, all.filter((it) => it === "." || !unread.test(it)));
  });
});

Deno.test("entries come in order however lanes read them", async () => {
  using dir = new TempDir();
  makeTree(dir.path, makeProject());
  await using ioq = await Ioq.open();
  const paths = async (options: WalkOptions) =>
    (await Array.fromAsync(walk(dir.path, { ...options, ioq }))).map((it) => it.path);
  const expected: string[] = [];
  const visit = (path: string) => {
    expected.push(path);
    for (
      const entry of Array.from(Deno.readDirSync(path)).sort((a, b) => a.name < b.name ? -1 : 1)
    ) {
      const below = `${path}/${entry.name}`;
      entry.isDirectory ? visit(below) : expected.push(below);
    }
  };
  visit(dir.path);
  assertEquals(await paths({ sort: true }), expected);
  assertEquals(await paths({ sort: true, stat: true }), expected);
  assertEquals(await paths({ sort: true, concurrency: 1 }), expected);
  assertEquals((await paths({ sort: "directory" })).sort(), expected.toSorted());
});
