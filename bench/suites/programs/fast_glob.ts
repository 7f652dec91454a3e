// Copyright 2026 the ioq authors. MIT license.

import fastGlob from "fast-glob";

const options = { dot: true, onlyFiles: false, followSymbolicLinks: false, stats: true } as const;
const found = await fastGlob("**", { cwd: Deno.args[0]!, ...options });
console.log(found.length + found.reduce((sum, { stats }) => sum + Number(stats?.size ?? 0), 0));
