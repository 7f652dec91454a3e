// Copyright 2026 the ioq authors. MIT license.

import { glob } from "tinyglobby";

const options = { dot: true, onlyFiles: false, followSymbolicLinks: false };
const found = await glob("**", { cwd: Deno.args[0]!, ...options });
console.log(found.reduce((sum, path) => sum + path.length, 0));
