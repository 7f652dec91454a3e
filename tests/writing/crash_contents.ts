// Copyright 2026 the ioq authors. MIT license.

/** What is written until somebody is killed. */

/** Who writes which file: two of them the same. */
export const WRITERS: readonly { readonly name: string; readonly durable: boolean }[] = [
  { name: "one", durable: false },
  { name: "two", durable: true },
  { name: "both", durable: false },
  { name: "both", durable: false },
];

const decoder = new TextDecoder();

/** The contents of a generation: they say which it is, and how long. */
export function contentsOf(generation: number): Uint8Array<ArrayBuffer> {
  const length = 100 + (generation * 7919) % 150_000;
  const bytes = new Uint8Array(length).fill(generation % 251);
  bytes.set(new TextEncoder().encode(`${generation} ${length} `));
  return bytes;
}

/** Which generation some contents are, which must be whole. */
export function generationOf(bytes: Uint8Array): number {
  const [generation] = decoder.decode(bytes.subarray(0, 40)).split(" ").map(Number);
  const whole = contentsOf(generation!);
  if (bytes.length !== whole.length || bytes.some((byte, at) => byte !== whole[at])) {
    throw new Error(`${bytes.length} bytes of generation ${generation}, of ${whole.length}`);
  }
  return generation!;
}
