// Copyright 2026 the ioq authors. MIT license.

import git from "isomorphic-git";
import fs from "node:fs";

const repository = { fs, dir: Deno.args[0]! };
await git.init(repository);
await git.add({ ...repository, filepath: "." });
console.log((await git.listFiles(repository)).length);
