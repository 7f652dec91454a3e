// Copyright 2026 the ioq authors. MIT license.

/** Trees, names and patterns at random, the same for the same seed. */

/** A directory: what is in it by name; files by their contents. */
export interface TreeOf {
  [name: string]: string | TreeOf;
}

/** Numbers at random. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed * 2654435761 >>> 0 || 1;
  }

  /** A whole number below a limit. */
  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }

  /** One of several. */
  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** Some of several, one after the other. */
  text(items: readonly string[], most: number): string {
    let text = "";
    for (let i = 1 + this.below(most); i > 0; i--) {
      text += this.of(items);
    }
    return text;
  }
}

const LETTERS = [
  "a",
  "b",
  "ab",
  ".",
  "c.o",
  "é",
  " ",
  "-",
  "]",
  "[",
  "\\",
  "!",
  "#",
  "*",
  "{",
  "x",
];
const PIECES = [
  ...["a", "b", "a", "b", "c", ".o", "x", "é", " ", "-"],
  ...["/", "/", "/", "*", "*", "**", "**/", "/**", "/**/", "?", "[a-c]", "[!a]", "[]-]", "[a-\\]]"],
  ...["\\", "!", "#", "[", "]", "[^b]", "[[:alpha:]]", "[:", "{a,b}", "\\*", "\\/", "\t"],
];

function randomName(random: Random): string {
  for (;;) {
    const name = random.text(LETTERS, 3);
    if (name !== "." && name !== ".." && name !== ".git" && name !== ".gitignore") {
      return name;
    }
  }
}

function randomRules(random: Random, names: readonly string[]): string {
  let rules = "";
  for (let i = random.below(5); i >= 0; i--) {
    rules += random.below(4) === 0 ? "!" : "";
    rules += random.below(4) === 0 ? "/" : "";
    rules += random.below(2) === 0 ? random.of(names) : random.text(PIECES, 6);
    rules += random.of(["\n", "\n", "\n", "/\n", " \n", "\r\n", "/*\n", "/**\n"]);
  }
  return rules;
}

/** A tree at random. */
export function randomTree(random: Random, options: { gitignore?: boolean } = {}): TreeOf {
  const names = Array.from({ length: 8 }, () => randomName(random)).concat("a", "b", "ab");
  const make = (depth: number): TreeOf => {
    const tree: TreeOf = {};
    if (options.gitignore && (depth === 0 || random.below(3) === 0)) {
      tree[".gitignore"] = randomRules(random, names);
    }
    for (let i = random.below(5) + 1; i > 0; i--) {
      tree[random.of(names)] = depth < 4 && random.below(2) === 0 ? make(depth + 1) : "";
    }
    return tree;
  };
  return make(0);
}

/** The paths of all that is in a tree. */
export function paths(tree: TreeOf, prefix = ""): string[] {
  return Object.entries(tree).flatMap(([name, entry]) => [
    prefix + name,
    ...(typeof entry === "string" ? [] : paths(entry, `${prefix}${name}/`)),
  ]);
}

/** Make a tree in a directory that there is. */
export function makeTree(root: string, tree: TreeOf): void {
  for (const [name, entry] of Object.entries(tree)) {
    const path = `${root}/${name}`;
    if (typeof entry === "string") {
      Deno.writeTextFileSync(path, entry);
    } else {
      Deno.mkdirSync(path);
      makeTree(path, entry);
    }
  }
}
