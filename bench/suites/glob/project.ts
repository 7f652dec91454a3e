// Copyright 2026 the ioq authors. MIT license.

/**
 * The project that files are found in: packages with sources, and with many more files below
 * directories that are ignored.
 *
 * @module
 */

/** How large it is. */
export interface ProjectSize {
  readonly packages: number;
  /** Directories of sources in each, of 25 files each. */
  readonly modules: number;
  /** Ignored packages in each, of 10 files each. */
  readonly dependencies: number;
}

const MODULE_FILES = 25;
const DEPENDENCY_FILES = 10;

/** What it is, for the tables. */
export function projectNote({ packages, modules, dependencies }: ProjectSize): string {
  const own = packages * (modules * MODULE_FILES + 1) + 1;
  return `${own} files, ${packages * dependencies * DEPENDENCY_FILES} more in ignored directories`;
}

function makeFiles(directory: string, count: number, endings: readonly string[]): void {
  Deno.mkdirSync(directory, { recursive: true });
  for (let i = 0; i < count; i++) {
    const name = `${"abc"[i % 3]}_${i}.${endings[i % endings.length]}`;
    Deno.openSync(`${directory}/${name}`, { write: true, createNew: true }).close();
  }
}

/** Make it. */
export function makeProject(root: string, { packages, modules, dependencies }: ProjectSize): void {
  Deno.mkdirSync(root);
  Deno.writeTextFileSync(`${root}/.gitignore`, "node_modules/\n*.log\n/dist\n");
  for (let i = 0; i < packages; i++) {
    const directory = `${root}/package_${i}`;
    Deno.mkdirSync(directory);
    Deno.writeTextFileSync(`${directory}/package.json`, "{}\n");
    for (let j = 0; j < modules; j++) {
      makeFiles(`${directory}/src/module_${j}`, MODULE_FILES, ["ts", "js", "css"]);
    }
    for (let j = 0; j < dependencies; j++) {
      makeFiles(`${directory}/node_modules/dep_${j}/lib`, DEPENDENCY_FILES, ["js", "ts"]);
    }
  }
}
