// Copyright 2026 the ioq authors. MIT license.

/**
 * How much of a test to do: some of these tests show that something holds however
 * often it is done, and come in a short form and in full (`deno task test:full`).
 *
 * @param short How often in the short form.
 * @param full How often in full.
 */
export function times(short: number, full: number): number {
  return Deno.env.get("IOQ_TEST_FULL") === undefined ? short : full;
}
