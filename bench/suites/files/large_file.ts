// Copyright 2026 the ioq authors. MIT license.

/**
 * The file that is read at random and from begin to end.
 *
 * @module
 */

/** Its length, in bytes. */
export const LARGE_LENGTH: number = 1024 ** 3;
const CHUNK = 1024 * 1024;
/** So much of each chunk is random: what compresses files must not make it nothing. */
const RANDOM = 64 * 1024;

/** Make it, on the device as well: no writing goes on meanwhile. */
export function makeLargeFile(path: string): void {
  using file = Deno.openSync(path, { write: true, create: true });
  const block = new Uint8Array(CHUNK);
  crypto.getRandomValues(block.subarray(0, RANDOM));
  for (let done = 0; done < LARGE_LENGTH; done += CHUNK) {
    block[0] = done / CHUNK;
    for (let at = 0; at < CHUNK;) {
      at += file.writeSync(block.subarray(at));
    }
  }
  file.syncSync();
}
