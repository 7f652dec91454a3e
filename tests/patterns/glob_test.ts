// Copyright 2026 the ioq authors. MIT license.

/** What globs find, beside other implementations; and what is read for it. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { globToRegExp } from "npm:deno-std@1.4.0/path/mod.js";
import { glob as tinyglobby } from "npm:tinyglobby@0.2.17";
import { expandGlob, glob, type GlobOptions, Ioq, walk } from "../../mod.ts";
import { forEachBackend } from "../backends.ts";
import { bytes, descriptorsUnder, TempDir } from "../fixtures.ts";
import { directoriesRead } from "./directories_read.ts";
import { makeTree, paths, Random, type TreeOf } from "./random_tree.ts";

async function find(patterns: string | string[], options: GlobOptions): Promise<string[]> {
  if (options.ioq === undefined) {
    await using ioq = await Ioq.open();
    return await find(patterns, { ...options, ioq });
  }
  const batches = await Array.fromAsync(glob.batches(patterns, options));
  return batches.flat().map((it) => it.relative).sort();
}

/** A project. */
const PROJECT: TreeOf = {
  "package.json": "",
  "README.md": "",
  ".eslintrc": "",
  "src": {
    "main.ts": "",
    "main.d.ts": "",
    "Upper.TS": "",
    "a1.ts": "",
    "b22.js": "",
    ".hidden.ts": "",
    "lib": { "x.ts": "", "y.js": "", "deep": { "z.ts": "", "package.json": "" } },
    ".cache": { "c.ts": "" },
  },
  "packages": {
    "one": { "package.json": "", "src": { "index.ts": "" } },
    "two": { "package.json": "", "src": { "index.ts": "", "index.test.ts": "" } },
    "none": { "src": {} },
  },
  "node_modules": { "dep": { "package.json": "", "index.js": "", "lib": { "i.ts": "" } } },
  "[odd]": { "(a).ts": "", "{b}.ts": "", "c+d.ts": "", "é.ts": "", "a b.ts": "" },
};

const PATTERNS = [
  "**",
  "**/*",
  "*",
  "**/*.ts",
  "*/package.json",
  "packages/*/package.json",
  "packages/*/src/*.ts",
  "src/**",
  "src/**/*",
  "src/**/{a,b}*.{ts,js}",
  "src/lib/deep/z.ts",
  "src/main.ts",
  "src/*.ts",
  "src/?*.ts",
  "src/[ab]*",
  "src/[a-m]*.ts",
  "src/**/*.{ts,js}",
  "{src,packages}/**/*.ts",
  "{src/lib,packages/one}/**/*.ts",
  "src/{lib/deep,lib}/*.ts",
  "**/deep/**",
  "**/src/**/*.ts",
  "**/lib/*",
  "packages/{one,two}/src/index.ts",
  "src/@(main|a1).ts",
  "src/+(a|b|1|2)*",
  "src/?(a1|main).ts",
  "src/*[0-9]*.ts",
  "src/[[:alpha:]]*.js",
  "src/.*",
  ".*",
  "\\[odd\\]/*",
  "\\[odd\\]/\\(a\\).ts",
  "*/\\{b\\}.ts",
  "*/é.ts",
  "*/a b.ts",
  "src/{a1,b22}.{ts,js}",
  "src/{a,b}{1,22}.{t,j}s",
  "src/a{0..3}.ts",
  "./src/*.ts",
  "nothing/**/*.ts",
  "src/main.ts/*",
  "./**/package.json",
  "**/{package.json,*.md}",
];

Deno.test("globs find what tinyglobby finds in a project", async (t) => {
  using dir = new TempDir();
  makeTree(dir.path, PROJECT);
  for (const options of [{}, { dot: true }, { ignore: ["**/node_modules/**", "**/lib/**"] }]) {
    for (const pattern of PATTERNS) {
      const expected = await tinyglobby(pattern, {
        cwd: dir.path,
        expandDirectories: false,
        ...options,
      });
      const found = await find(pattern, { cwd: dir.path, ...options });
      assertEquals(found, expected.sort(), `${pattern} ${JSON.stringify(options)}`);
    }
  }
  await t.step("several in one walk, without doubles", async () => {
    const several = ["src/**/*.ts", "**/*.js", "!**/node_modules", "src/lib/x.ts", "package.json"];
    const expected = await tinyglobby(several, { cwd: dir.path, expandDirectories: false });
    assertEquals(
      await find(several, { cwd: dir.path }),
      expected.filter((it) => !it.includes("node_modules")).sort(),
    );
  });
  await t.step("what picomatch has otherwise", async () => {
    const expected = ["src/Upper.TS", "src/main.d.ts", "src/main.ts"];
    assertEquals(await find("src/[!ab]*", { cwd: dir.path }), expected, "no wildcard is a dot");
    const others = ["src/a1.ts", "src/main.d.ts"];
    assertEquals(await find("src/!(main).ts", { cwd: dir.path }), others, "main.d is not main");
    assertEquals(await find("src/!({main,a1}).ts", { cwd: dir.path }), ["src/main.d.ts"]);
  });
  await t.step("case", async () => {
    const found = await find("SRC/*.ts", { cwd: dir.path, caseInsensitive: true });
    assertEquals(found, ["src/Upper.TS", "src/a1.ts", "src/main.d.ts", "src/main.ts"]);
  });
});

const PIECES = [
  "*",
  "**",
  "?",
  "a",
  "b",
  "a*",
  "*b",
  "[ab]",
  "[!a]*",
  "{a,b}",
  "{a,b*}",
  "ab",
  "x",
];

function randomPattern(random: Random): string {
  const names: string[] = [];
  for (let i = random.below(4); i >= 0; i--) {
    names.push(random.below(3) === 0 ? random.text(PIECES, 2) : random.of(PIECES));
  }
  // Two stars beside something else are read in two ways
  return names.map((it) => it.includes("**") ? "**" : it).join("/");
}

/** A tree of few names, so that patterns find something. */
function smallTree(random: Random, depth = 0): TreeOf {
  const tree: TreeOf = {};
  for (let i = random.below(5) + 1; i > 0; i--) {
    const name = random.text(["a", "b", "x"], 2);
    tree[name] = depth < 3 && random.below(2) === 0 ? smallTree(random, depth + 1) : "";
  }
  return tree;
}

Deno.test("random globs find what tinyglobby and @std/path find in random trees", async () => {
  await using ioq = await Ioq.open();
  const rounds = Number(Deno.env.get("IOQ_TEST_ROUNDS") ?? 12);
  const seed = Number(Deno.env.get("IOQ_TEST_SEED") ?? Date.now() % 1e6);
  for (let round = 0; round < rounds; round++) {
    const random = new Random(seed + round);
    using dir = new TempDir();
    const tree = smallTree(random);
    makeTree(dir.path, tree);
    for (let i = 0; i < 12; i++) {
      const pattern = randomPattern(random).replaceAll(/(?:\*\*\/)+\*\*/g, "**");
      const what = `IOQ_TEST_SEED=${seed + round} ${pattern} ${JSON.stringify(tree)}`;
      if (!pattern.endsWith("/**")) {
        // With stars at its end it takes a/** for a file a as well
        const options = { cwd: dir.path, expandDirectories: false, dot: true };
        const expected = (await tinyglobby(pattern, options)).sort();
        assertEquals(await find(pattern, { cwd: dir.path, dot: true, ioq }), expected, what);
      }

      if (pattern.includes("[!")) {
        // There it matches slashes
        continue;
      }
      // A directory that is all there is before the stars is found with what is in it
      const before = pattern === "**" ? ["."] : /(.*)\/\*\*$/.exec(pattern)?.slice(1) ?? [];
      const forms = [pattern, ...before];
      const [whole, itself] = forms.map((it) =>
        globToRegExp(it === "." ? dir.path : `${dir.path}/${it}`)
      );
      const isFound = (it: string) =>
        whole!.test(it) || (itself?.test(it) === true && Deno.lstatSync(it).isDirectory);
      const all = ["", ...paths(tree).map((it) => `/${it}`)].map((it) => dir.path + it);
      const expanded = await Array.fromAsync(expandGlob(pattern, { root: dir.path, ioq }));
      assertEquals(
        expanded.map((it) => it.path).sort(),
        all.filter(isFound).sort(),
        what,
      );
    }
  }
});

Deno.test("globs read the directories in which something may match, and no others", async () => {
  using dir = new TempDir();
  makeTree(dir.path, PROJECT);
  await using ioq = await Ioq.open();
  const cases: [patterns: string | string[], options: GlobOptions, read: string[]][] = [
    ["src/main.ts", {}, []],
    ["src/*.ts", {}, ["src"]],
    ["src/lib/deep/*.ts", {}, ["src/lib/deep"]],
    ["*/package.json", {}, ["."]],
    ["*/src/*.ts", {}, [".", "src"].filter((it) => it === ".")],
    ["packages/*/src/*.ts", {}, [
      "packages",
      "packages/none/src",
      "packages/one/src",
      "packages/two/src",
    ]],
    [["src/*.ts", "packages/one/*"], {}, ["packages/one", "src"]],
    ["src/**/*.ts", {}, ["src", "src/lib", "src/lib/deep"]],
    ["src/**/*.ts", { dot: true }, ["src", "src/.cache", "src/lib", "src/lib/deep"]],
    ["src/**/*.ts", { ignore: "src/lib" }, ["src"]],
    ["src/**/*.ts", { ignore: "**/lib/**" }, ["src"]],
    ["src/**/*.ts", { maxDepth: 2 }, ["src"]],
    ["{src,packages}/*", {}, ["packages", "src"]],
    ["nothing/*", {}, []],
  ];
  if (
    !(await directoriesRead(dir.path, () => Array.fromAsync(walk(dir.path, { ioq })))).includes(
      "src",
    )
  ) {
    // Nobody notes it here
    return;
  }
  for (const [patterns, options, expected] of cases) {
    const read = await directoriesRead(
      dir.path,
      () => find(patterns, { cwd: dir.path, ioq, ...options }),
    );
    assertEquals(read, expected, `${patterns} ${JSON.stringify(options)}`);
  }
});

forEachBackend("glob() finds by all ways to ask for it", async ({ open, t }) => {
  using dir = new TempDir();
  makeTree(dir.path, PROJECT);
  await using ioq = await open();
  const cwd = dir.path;
  const expected = ["src/lib/deep/z.ts", "src/lib/x.ts"];
  await t.step("batches", async () => {
    assertEquals(await find("src/lib/**/*.ts", { cwd, ioq }), expected);
  });
  await t.step("one by one, by the queue's own function", async () => {
    const found = await Array.fromAsync(ioq.glob("src/lib/**/*.ts", { cwd }));
    assertEquals(found.map((it) => it.path).sort(), expected.map((it) => `${cwd}/${it}`));
  });
  await t.step("sorted, with attributes", async () => {
    const found = await Array.fromAsync(glob("**/*.ts", { cwd, ioq, sort: true, stat: true }));
    const names = found.map((it) => it.relative);
    assertEquals(names, [...names].sort((a, b) => a < b ? -1 : 1));
    assert(found.every((it) => it.info?.isFile));
    const one = await Array.fromAsync(glob("src/main.ts", { cwd, ioq, stat: true }));
    assertEquals(one.map((it) => it.info?.size), [0]);
  });
  await t.step("directories", async () => {
    const options = { cwd, ioq, onlyDirectories: true };
    assertEquals(await find("packages/*", options), [
      "packages/none",
      "packages/one",
      "packages/two",
    ]);
    assertEquals(await find("packages/*/", { cwd, ioq, onlyFiles: false }), [
      "packages/none",
      "packages/one",
      "packages/two",
    ]);
    assertEquals(await find("packages/one", options), ["packages/one"]);
    assertEquals(await find("packages/**", { ...options, maxDepth: 1 }), ["packages"]);
  });
  await t.step("absolute patterns and those that lead up", async () => {
    assertEquals(await find(`${cwd}/src/*.js`, { ioq }), [`${cwd}/src/b22.js`]);
    assertEquals(await find("../lib/*.js", { cwd: `${cwd}/src/.cache`, ioq }), ["../lib/y.js"]);
    const found = await Array.fromAsync(glob("../lib/*.js", { cwd: `${cwd}/src/.cache`, ioq }));
    assertEquals(found.map(({ path }) => Deno.realPathSync(path)), [`${cwd}/src/lib/y.js`]);
    const absolute = await Array.fromAsync(glob("s*/*.js", { cwd, absolute: true, ioq }));
    assertEquals(absolute.map((it) => it.path), [`${cwd}/src/b22.js`]);
  });
  await t.step("contents", async () => {
    const files = await Array.fromAsync(ioq.readFiles(ioq.glob("**/*.md", { cwd })));
    assertEquals(files.map((it) => it.path), [`${cwd}/README.md`]);
    const all = await Array.fromAsync(ioq.readFiles(walk(`${cwd}/src`, { ioq })));
    assertEquals(all.length, 11);
  });
  assertEquals(descriptorsUnder(dir.path), 0);
});

forEachBackend("glob() and links", async ({ open }) => {
  using dir = new TempDir();
  makeTree(dir.path, { real: { "a.ts": "", sub: { "b.ts": "" } }, "top.ts": "" });
  Deno.symlinkSync("real", dir.at("link"));
  Deno.symlinkSync("..", dir.at("real/up"));
  Deno.symlinkSync("nowhere", dir.at("broken.ts"));
  Deno.symlinkSync("top.ts", dir.at("to-top.ts"));
  await using ioq = await open();
  const options = { cwd: dir.path, ioq };
  assertEquals(await find("*.ts", options), ["broken.ts", "to-top.ts", "top.ts"]);
  assertEquals(await find("**/*.ts", options), [
    "broken.ts",
    "real/a.ts",
    "real/sub/b.ts",
    "to-top.ts",
    "top.ts",
  ]);
  assertEquals(await find("link/*.ts", options), ["link/a.ts"]);
  assertEquals(await find("l*k/*.ts", options), []);
  assertEquals(await find(["link/*.ts", "*"], options), [
    "broken.ts",
    "link",
    "link/a.ts",
    "to-top.ts",
    "top.ts",
  ]);
  assertEquals(await find("l*k/*.ts", { ...options, followSymlinks: true }), ["link/a.ts"]);
  const errors: string[] = [];
  const followed = await find("**/*.ts", {
    ...options,
    followSymlinks: true,
    onError: (_, entry) => errors.push(entry.path),
  });
  assertEquals(followed.includes("link/sub/b.ts"), true);
  assertEquals(followed.includes("to-top.ts"), true);
  assertEquals(errors.every((it) => it.endsWith("/broken.ts")), true);
});

forEachBackend("names that are not UTF-8 are found, and directories of them", async ({ open }) => {
  using dir = new TempDir();
  const odd = new Uint8Array([...bytes(`${dir.path}/a`), 0xff]);
  await using ioq = await open();
  await ioq.mkdir(odd);
  await ioq.writeFile(new Uint8Array([...odd, ...bytes("/b.ts")]), bytes("x"));
  const found = await Array.fromAsync(glob("a?/*.ts", { cwd: dir.path, ioq }));
  assertEquals(found.map((it) => it.relative), ["a\ufffd/b.ts"]);
  assertEquals(found[0]!.rawPath, new Uint8Array([...odd, ...bytes("/b.ts")]));
}, ({ library }) => library);

Deno.test("patterns that have regular expressions go astray take no time", async () => {
  using dir = new TempDir();
  dir.file("a".repeat(255));
  dir.file(`${"a".repeat(200)}b`);
  for (
    const pattern of [
      `${"*a".repeat(100)}b`,
      `${"*a".repeat(100)}c`,
      `${"+(a|aa)".repeat(20)}c`,
      `${"*(a|*a)".repeat(20)}c`,
      "+(+(+(+(a))))b",
      `${"{a,aa}".repeat(40)}c`,
      `${"**/".repeat(200)}x`,
      `${"?(a)".repeat(60)}c`,
      "!(!(*a*))c",
      `[${"a-z".repeat(300)}]*`,
      `${"*{a,*}".repeat(30)}c`,
    ]
  ) {
    assert((await find(pattern, { cwd: dir.path })).length <= 2, pattern);
  }
});

Deno.test("patterns beyond measure are refused", async () => {
  for (
    const pattern of [
      "{a/b,c}".repeat(11),
      `!(*${"a?".repeat(30)})`,
      "{1..100000}",
      "(".repeat(100),
      "@(".repeat(100) + ")".repeat(100),
      "{".repeat(100) + "a,b" + "}".repeat(100),
      "a".repeat(70000),
    ].filter((it) => it !== "(".repeat(100))
  ) {
    await assertRejects(() => find(pattern, {}), RangeError, undefined, pattern.slice(0, 20));
  }
  await assertRejects(() => find("*/../a", {}), TypeError, "'..' after a wildcard");
});

Deno.test("what is no option of glob() is refused", () => {
  assertThrows(
    () => glob("*", { onlyfiles: true } as GlobOptions),
    TypeError,
    "Unknown option 'onlyfiles' of glob(), it is 'onlyFiles'",
  );
  assertThrows(() => glob(1 as unknown as string), TypeError, "patterns");
  assertThrows(() => glob("a\0b"), TypeError, "NUL");
  assertThrows(() => glob("*", { dot: 1 as unknown as boolean }), TypeError, "dot");
  assertThrows(() => expandGlob("*", { dot: 1 } as never), TypeError, "Unknown option 'dot'");
});

Deno.test("a signal, a time limit and an early end stop a glob", async () => {
  using dir = new TempDir();
  makeTree(dir.path, PROJECT);
  await using ioq = await Ioq.open();
  const cwd = dir.path;
  await assertRejects(
    () => find("**", { cwd, ioq, signal: AbortSignal.abort(new Error("no")) }),
    Error,
    "no",
  );
  for await (const _ of glob("**", { cwd, ioq })) {
    break;
  }
  const batches = glob.batches("**", { cwd, ioq });
  await batches.next();
  await batches.return!();
  assertEquals((await batches.next()).done, true);
  const all = glob("**", { cwd, ioq });
  const [a, b, c] = await Promise.all([all.next(), all.next(), all.next()]);
  assertEquals(new Set([a, b, c].map((it) => it.value.path)).size, 3);
  await ioq.close();
  await assertRejects(() => find("**", { cwd, ioq }));
  assertEquals(descriptorsUnder(dir.path), 0);
});
