// Copyright 2026 the ioq authors. MIT license.

/**
 * Thousands of small files, as sources and mail are.
 *
 * @module
 */

/** How many there are. */
export const SMALL_FILES = 20_000;
/** In folders of so many. */
const FOLDER_FILES = 200;
const LENGTH_MIN = 200;
const LENGTH_MORE = 8000;

/** What they are, for the tables. */
export const SMALL_FILES_NOTE: string = `${SMALL_FILES} files of ${LENGTH_MIN} to ${
  LENGTH_MIN + LENGTH_MORE
} bytes`;

/** Make them in a directory; their paths. */
export function makeSmallFiles(directory: string): string[] {
  const paths: string[] = [];
  const bytes = new Uint8Array(LENGTH_MIN + LENGTH_MORE).fill(0x61);
  for (let i = 0; i < SMALL_FILES; i++) {
    const folder = `${directory}/folder_${Math.floor(i / FOLDER_FILES)}`;
    if (i % FOLDER_FILES === 0) {
      Deno.mkdirSync(folder);
    }
    const path = `${folder}/file_${i}.txt`;
    Deno.writeFileSync(path, bytes.subarray(0, LENGTH_MIN + (i * 7919) % LENGTH_MORE));
    paths.push(path);
  }
  return paths;
}
