// Copyright 2026 the ioq authors. MIT license.

/** The rules of `.gitignore`, with git itself as the oracle. */

import { assertEquals } from "@std/assert";
import { comparedName, IgnoreFile, IgnoreRules } from "../../src/trees/patterns/ignore_rules.ts";
import { binaryText } from "../../src/trees/patterns/gitignore_syntax.ts";
import { makeTree, paths, Random, randomTree, type TreeOf } from "./random_tree.ts";
import { git, hasGit } from "./git.ts";

const encoder = new TextEncoder();

/** Which paths of a tree are ignored, by our rules. */
function ignoredOf(tree: TreeOf): string[] {
  const found: string[] = [];
  const visit = (entries: TreeOf, path: string, above: IgnoreRules) => {
    const own = entries[".gitignore"];
    const rules = typeof own === "string"
      ? above.with(0, new IgnoreFile(encoder.encode(own)))
      : above;
    for (const [name, entry] of Object.entries(entries)) {
      const compared = comparedName(name, undefined);
      const isDirectory = typeof entry !== "string";
      if (rules.ignores(compared, isDirectory)) {
        found.push(path + name);
        if (isDirectory) {
          found.push(...paths(entry, `${path}${name}/`));
        }
      } else if (isDirectory) {
        visit(entry, `${path}${name}/`, rules.below(compared));
      }
    }
  };
  visit(tree, "", new IgnoreRules(1));
  return found.sort();
}

/** Compare trees with git's opinion: each is a directory of one repository. */
async function compare(trees: readonly TreeOf[], nameOf: (index: number) => string): Promise<void> {
  const root = Deno.makeTempDirSync({ prefix: "ioq-gitignore-" });
  try {
    trees.forEach((tree, i) => makeTree(root, { [i]: tree }));
    await git(root, ["init", "-q"]);
    const all = trees.flatMap((tree, i) => paths(tree, `${i}/`));
    const out = await git(root, ["check-ignore", "--no-index", "--stdin", "-z"], all.join("\0"));
    const ignored = out.split("\0");
    trees.forEach((tree, i) => {
      const expected = ignored.filter((it) => it.startsWith(`${i}/`)).map((it) =>
        it.slice(`${i}/`.length)
      );
      assertEquals(ignoredOf(tree), expected.sort(), nameOf(i));
    });
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

const FILES: TreeOf = {
  "a": "",
  "b.o": "",
  "ab": "",
  "a b": "",
  "a ": "",
  "#x": "",
  "!x": "",
  "é": "",
  "😀": "",
  "foobar": "",
  "[a]": "",
  "a]": "",
  "a\\b": "",
  ".h": "",
  "*": "",
  "d": { "a": "", "b.o": "", "x": { "a": "", "b.o": "", ".h": "", "d": { "a": "" } } },
  "foo": { "bar": "", "x": { "bar": "", "y": { "bar": "" } } },
  "foox": { "bar": "", "y": { "bar": "" } },
  "-": { "a": "" },
};

/** What is easily read in another way than git does. */
const HOSTILE = [
  "a\n",
  "/a\n",
  "a/\n",
  "d/\n!d/a\n",
  "*\n!d\n!d/a\n",
  "/*\n!/d\n/d/*\n!/d/x\n",
  "*.o\n!b.o\n",
  "d/a\n",
  "x/a\n",
  "**/a\n",
  "d/**\n",
  "d/**/a\n",
  "**/x/**\n",
  "foo**/bar\n",
  "foo**\n",
  "**foo/bar\n",
  "foo/**/**/bar\n",
  "foo/*/bar\n",
  "foo/***/bar\n",
  "**\n!d\n",
  "a \n",
  "a\\ \n",
  "a\\  \n",
  "a b\n",
  "\\#x\n",
  "#x\n",
  "\\!x\n",
  "!x\n",
  "?\n",
  "??\n",
  "????\n",
  "[a]\n",
  "[]a]\n",
  "[!a]\n",
  "[^a]\n",
  "[a\n",
  "[a-c]?\n",
  "[c-a]*\n",
  "[[:alpha:]]\n",
  "[[:alpha:]-]\n",
  "[[:nope:]]\n",
  "[[:alpha]\n",
  "[a-\\]]\n",
  "[\\a]\n",
  "\\[a\\]\n",
  "d[/]a\n",
  "d[!x]a\n",
  "d?a\n",
  "a\\\n",
  "a\\\\b\n",
  "*\\\n",
  "\\*\n",
  "\r\na\r\n",
  "a\r\n",
  "\ufeffa\n",
  "a",
  "/\n",
  "//a\n",
  "!\n",
  "!/\n",
  " \n",
  "./a\n",
  "d//a\n",
  "d/x/\n!d/x/\n",
  "d/*\n!d/x\n",
  "é\n",
  "[é]\n",
  "*é*\n",
  ".*\n",
  "*.\n",
  "-/\n",
  "d/./a\n",
  "d/../a\n",
  "d\\/a\n",
  "**\\/a\n",
  "d/**\\/a\n",
  "*/a\n",
  "*/\n",
  "**/\n",
  "/**/a\n",
  "/**\n",
  "d/**/\n",
  "a\0b\n",
  "b.?\n",
  "*[.]o\n",
  "x\n!d/x\n",
];

Deno.test({
  name: "what is easily read otherwise is ignored as git does",
  ignore: !hasGit,
  async fn() {
    const trees = HOSTILE.map((rules): TreeOf => ({ ".gitignore": rules, ...FILES }));
    await compare(trees, (i) => JSON.stringify(HOSTILE[i]));
  },
});

Deno.test({
  name: "random rules at several levels ignore what git ignores",
  ignore: !hasGit,
  async fn() {
    const rounds = Number(Deno.env.get("IOQ_TEST_ROUNDS") ?? 40);
    const seed = Number(Deno.env.get("IOQ_TEST_SEED") ?? Date.now() % 1e6);
    const trees = Array.from(
      { length: rounds },
      (_, i) => randomTree(new Random(seed + i), { gitignore: true }),
    );
    await compare(trees, (i) => `IOQ_TEST_SEED=${seed + i}: ${JSON.stringify(trees[i])}`);
  },
});

Deno.test("names are compared as bytes", () => {
  const rules = new IgnoreRules(1).with(0, new IgnoreFile(new Uint8Array([0xff, 0x3f, 0x0a])));
  assertEquals(rules.ignores(comparedName("\ufffda", new Uint8Array([0xff, 0x61])), false), true);
  assertEquals(rules.ignores(comparedName("\ufffda", undefined), false), false);
  assertEquals(comparedName("é", undefined), binaryText(encoder.encode("é")));
});

Deno.test("rules that have regular expressions go astray take no time", () => {
  const names = ["a".repeat(255), `${"a".repeat(254)}b`];
  for (
    const source of [
      `${"*a".repeat(100)}b`,
      `${"a*".repeat(120)}c`,
      `${"**/".repeat(300)}x`,
      `${"*/".repeat(300)}x`,
      `${"[a-b]*".repeat(200)}c`,
      `${"?*".repeat(120)}c`,
      `${"a/**/".repeat(200)}b`,
    ]
  ) {
    const rules = new IgnoreRules(1).with(0, new IgnoreFile(encoder.encode(source)));
    for (const name of names) {
      rules.ignores(name, false);
      let deep = rules;
      for (let i = 0; i < 20; i++) {
        deep = deep.below("a");
      }
      deep.ignores(name, false);
    }
  }
});
