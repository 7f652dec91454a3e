// Copyright 2026 the ioq authors. MIT license.

/**
 * Whether a program may use Node's modules. Loading the first of them takes some 20 ms, so
 * that is not to be paid by programs that have none. Nobody tells beforehand what a
 * program imports; its main module, and what stands beside it, mostly does.
 *
 * @module
 */

import { modulePath } from "../../ffi/library.ts";

/** What of a text says that something of Node's or of npm's is used. */
const MENTIONS_NODE = /\b(?:node|npm):|\brequire\s*\(|["'](?:fs|path|process)["'\/]/;

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

/** Whether the program may use Node's modules, as far as that can be seen. */
export function mayUseNode(): boolean {
  const main = mainModule();
  if (main === undefined) {
    return false;
  }
  if (main.protocol !== "file:") {
    return main.protocol === "npm:";
  }
  const path = modulePath(main);
  if (path.includes("/node_modules/") || /\.c?js$/.test(path) || path.includes("/npm/")) {
    return true;
  }
  const text = textOf(path);
  if (text !== undefined && MENTIONS_NODE.test(text)) {
    return true;
  }
  // Whoever depends on npm says so here
  const directory = path.slice(0, path.lastIndexOf("/"));
  for (const file of ["package.json", "deno.json", "deno.jsonc"]) {
    const config = textOf(`${directory}/${file}`);
    if (config !== undefined && (file === "package.json" || MENTIONS_NODE.test(config))) {
      return true;
    }
  }
  return false;
}
