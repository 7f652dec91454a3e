// Copyright 2026 the ioq authors. MIT license.

/** What lanes leave unread although they go on below directories by themselves. */

import { assertEquals } from "@std/assert";
import { glob, Ioq, walk, type WalkOptions } from "../../mod.ts";
import { nameFilter, skipRules, wantedRules } from "../../src/trees/patterns/expression_rules.ts";
import { joinRules } from "../../src/trees/patterns/lane_rules.ts";
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
    [/a|b/, "~a,~b"],
    [/\.(git|hg)$|^tmp/, "$.git,$.hg,^tmp"],
    [/[a-c]x?$/, "$a,$ax,$b,$bx,$c,$cx"],
    [/dist\/|dist$/, "$dist"],
    [/dist\//, undefined],
    [/[^a]/, undefined],
    [/a$b/, undefined],
    [/(?=a)/, undefined],
    [/(a|b)+/, undefined],
    [/(a|)/, undefined],
    [/[a-z][a-z]/, undefined],
    [/(?<n>a)/, undefined],
    [/\u{61}/u, undefined],
    [/a\ufffd/, undefined],
    [/a.b/, undefined],
    [/a\d/, undefined],
    [/^a/, "^a"],
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
  assertEquals(nameFilter([/^a/]), undefined, "only the whole path begins with it");
  const either = nameFilter([/(^|\/)(dist|out)(\/|$)/, /\.(git|hg)$/])!;
  assertEquals(["dist", "out", "x.git", ".hg", "outs", "git"].map(either), [
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
  const filter = nameFilter([/(^|\/)dist$/, /node/, /\.d$/, /(^|\/)_/])!;
  const names = ["dist", "a-node-b", "x.d", "_x", "dists", "x.de", "x_"];
  assertEquals(names.map(filter), [true, true, true, true, false, false, false]);
  assertEquals(joinRules(["=a", "=b", "=a"]), "=a\0=b\0");
  assertEquals(joinRules(["=".padEnd(2000, "a")]), undefined);
});

Deno.test("endings that are no more than texts are rules for what is wanted", () => {
  const cases: [suffixes: string[] | undefined, match: RegExp[] | undefined, rules: string][] = [
    [[".ts", ".d.ts"], [/x/], "+$.ts,+$.d.ts"],
    [[".a/b"], undefined, "+=b"],
    [[".a/"], undefined, ""],
    [[".\ufffd"], undefined, ""],
    [undefined, [/\.[jt]sx?$/], "+$.js,+$.jsx,+$.ts,+$.tsx"],
    [undefined, [/\.h$/, /\/Makefile$/], "+$.h,+=Makefile"],
    [undefined, [/src\/main\.c$/], "+=main.c"],
    [undefined, [/\.h$/, /x/], ""],
    [undefined, [/\.h$/i], ""],
    [undefined, [/\.h$|/], ""],
    [undefined, [], ""],
    [[], undefined, ""],
    [undefined, undefined, ""],
  ];
  for (const [suffixes, match, rules] of cases) {
    assertEquals(wantedRules(suffixes, match).join(), rules, String(suffixes ?? match));
  }
});

forEachBackend("lanes tell of no file that is not wanted", async ({ open, row: { library } }) => {
  using dir = new TempDir();
  const files = (more: TreeOf): TreeOf => {
    const names = Array.from({ length: 60 }, (_, i) => `${i}.${["ts", "js", "t\u00e4"][i % 3]}`);
    return { ...Object.fromEntries(names.map((name) => [name, ""])), ...more };
  };
  makeTree(dir.path, files({ "x.ts": files({ "deep.ts": files({}) }), other: files({}) }));
  await using ioq = await open();
  const all: string[] = [];
  for await (const { path } of walk(dir.path, { ioq })) {
    all.push(path);
  }
  const cases: [WalkOptions, RegExp][] = [
    [{ match: [/\.ts$/] }, /\.ts$/],
    [{ match: [/\.t(s|\u00e4)$/, /(^|\/)1\.js$/] }, /\.ts$|\.t\u00e4$|\/1\.js$/],
    [{ match: [/x\.ts\/\d\.ts$/] }, /x\.ts\/\d\.ts$/],
    [{ exts: ["ts"] }, /\.ts$/],
    [{ exts: [".t\u00e4"], match: [/[12]/] }, /[12].*\.t\u00e4$/],
  ];
  for (const [options, expected] of cases) {
    const asked: string[] = [];
    const match = options.match?.map((it) =>
      Object.defineProperty(new RegExp(it), "test", {
        value(path: string) {
          asked.push(path);
          return RegExp.prototype.test.call(it, path);
        },
      })
    );
    for (const more of [{}, { stat: true }, { sort: true }, { maxDepth: 2 }]) {
      const found = (await Array.fromAsync(walk(dir.path, { ...options, ...more, match, ioq })))
        .map((it) => it.path);
      const within = (path: string) =>
        more.maxDepth === undefined || path.slice(dir.path.length).split("/").length <= 3;
      const wanted = all.filter((it) => expected.test(it) && within(it));
      assertEquals(found.toSorted(), wanted.toSorted(), JSON.stringify([options, more]));
    }
    if (library && options.match?.[0]?.source === "\\.ts$") {
      // What is asked is what has come back: of directories all
      const files = new Set(asked.filter((it) => !/(x\.ts|deep\.ts|other)$/.test(it)));
      assertEquals([...files].filter((it) => !it.endsWith(".ts") && it !== dir.path), []);
    }
  }
});

forEachBackend("names come as JavaScript compares strings", async ({ open }) => {
  using dir = new TempDir();
  const parts = ["a", "aaaaaaa", "aaaaaaaa", "aaaaaaaab", "\u00e9", "\ud7ff", "\ue000", "\ufffd"];
  const names = [...parts, "\u{10000}", "\u{10ffff}", "\uffff", "A", "-", "a.b", "a b", "ab\ue000"]
    .flatMap((name) => [name, `same-long-beginning${name}`, `${name}\u{1f600}`, `${name}\uff00x`]);
  for (const name of names) {
    Deno.writeTextFileSync(dir.file(name), "");
  }
  await using ioq = await open();
  const expected = [...new Set(names)].sort();
  for (const stat of [false, true]) {
    const found = await Array.fromAsync(walk(dir.path, { ioq, sort: true, stat }));
    assertEquals(found.map((it) => it.name).slice(1), expected);
  }
  // With a name that is no text
  Deno.mkdirSync(`${dir.path}/raw`);
  const raw = new Uint8Array([...new TextEncoder().encode(`${dir.path}/raw/b`), 0xff]);
  await ioq.writeFile(raw, new Uint8Array()).then(() => true, () => false);
  Deno.writeTextFileSync(`${dir.path}/raw/a`, "");
  Deno.writeTextFileSync(`${dir.path}/raw/c`, "");
  const found = await Array.fromAsync(
    walk(`${dir.path}/raw`, { ioq, sort: true, onError: "skip" }),
  );
  const sorted = found.map((it) => it.name);
  assertEquals(sorted.slice(1), sorted.slice(1).toSorted());
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
