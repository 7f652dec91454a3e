// Copyright 2026 the ioq authors. MIT license.

/** Is never loaded: it makes a file, whose path its URL has, and keeps its thread busy. */

Deno.writeTextFileSync(new URL(import.meta.url).searchParams.get("path")!, "");
for (;;);

export default function (): void {}
