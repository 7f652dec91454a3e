// Copyright 2026 the ioq authors. MIT license.

/**
 * Whether a program may use Node's modules. Loading the first of them takes some 20 ms, so
 * that is not to be paid by programs that have none. Nobody tells beforehand what a
 * program imports; its main module, and what stands beside it, mostly does.
 *
 * @module
 */

/** What of a text says that something of Node's or of npm's is used. */
const MENTIONS_NODE = /\b(?:node|npm):|\brequire\s*\(|["'](?:fs|path|process)["'\/]/;

/** What of a text says that it has any module at all. */
const IMPORTS = /\b(?:import|require|from)\b/;

/** Files that say what a program depends on: Node's first. */
const CONFIGS = ["package.json", "deno.json", "deno.jsonc"] as const;

/** A file's text, if there is one that may be read without asking. */
function textOf(path: string): string | undefined {
  try {
    if (Deno.permissions.querySync({ name: "read", path }).state === "granted") {
      return Deno.readTextFileSync(path);
    }
  } catch {
    // There is none
  }
  return undefined;
}

/** The program's main module, if that may be told. */
function mainModule(): URL | undefined {
  try {
    // Telling it takes a permission to read, which nobody is to be asked for
    return Deno.permissions.querySync({ name: "read" }).state === "granted"
      ? new URL(Deno.mainModule)
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether the program itself imports `@ioq/ioq/accelerate`, by whatever path: then its modules,
 * and Node's among them, were found before this one was run.
 */
export function importsThis(): boolean {
  const main = mainModule();
  return main?.protocol === "file:" &&
    textOf(decodeURIComponent(main.pathname))?.includes("/accelerate") === true;
}

/** Whether the program may use Node's modules, as far as that can be seen. */
export function mayUseNode(): boolean {
  const main = mainModule();
  if (main === undefined) {
    return false;
  }
  if (main.protocol !== "file:") {
    return main.protocol === "npm:";
  }
  const path = decodeURIComponent(main.pathname);
  if (path.includes("/node_modules/") || /\.c?js$/.test(path) || path.includes("/npm/")) {
    return true;
  }
  const text = textOf(path);
  if (text !== undefined && !IMPORTS.test(text)) {
    return false;
  }
  if (text !== undefined && MENTIONS_NODE.test(text)) {
    return true;
  }
  // Whoever depends on npm says so in the nearest of these
  for (let end = path.lastIndexOf("/"); end >= 0; end = path.lastIndexOf("/", end - 1)) {
    const directory = path.slice(0, end);
    const configs = CONFIGS.map((file) => textOf(`${directory}/${file}`));
    if (configs[0] !== undefined) {
      return true;
    }
    const config = configs.find((it) => it !== undefined);
    if (config !== undefined) {
      return MENTIONS_NODE.test(config);
    }
    if (end === 0) {
      break;
    }
  }
  return false;
}
