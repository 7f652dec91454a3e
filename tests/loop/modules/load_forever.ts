// Copyright 2026 the ioq authors. MIT license.

/** Is never loaded: it makes a file, whose path its URL has, and blocks its thread. */

Deno.writeTextFileSync(new URL(import.meta.url).searchParams.get("path")!, "");
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);

export default function (): void {}
