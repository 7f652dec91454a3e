// Copyright 2026 the ioq authors. MIT license.

import { fdir } from "fdir";

const found = await new fdir().withFullPaths().withDirs().crawl(Deno.args[0]!).withPromise();
console.log(found.reduce((sum, path) => sum + path.length, 0));
