// Copyright 2026 the ioq authors. MIT license.

/**
 * The tree that is made to be walked.
 *
 * @module
 */

const TREE_DIRECTORIES = 2000;
const TREE_FILES = 100;

/** What it is, for the tables. */
export const TREE_NOTE: string = `${
  TREE_DIRECTORIES * TREE_FILES
} files in ${TREE_DIRECTORIES} directories`;

/** Make it: a fifth of the directories at the top, the others in those. */
export function makeTree(root: string): void {
  const top = TREE_DIRECTORIES / 5;
  for (let i = 0; i < TREE_DIRECTORIES; i++) {
    const parent = i < top ? root : `${root}/directory_${i % top}`;
    const directory = `${parent}/directory_${i}`;
    Deno.mkdirSync(directory);
    for (let j = 0; j < TREE_FILES; j++) {
      Deno.openSync(`${directory}/file_${j}.txt`, { write: true, createNew: true }).close();
    }
  }
}
