// Copyright 2026 the ioq authors. MIT license.

import { globby } from "globby";

const options = { dot: true, onlyFiles: false, followSymbolicLinks: false, gitignore: true };
const found = await globby("**", { cwd: Deno.args[0]!, ...options });
console.log(found.reduce((sum, path) => sum + path.length, 0));
