// Copyright 2026 the ioq authors. MIT license.

import git from "isomorphic-git";
import fs from "node:fs";

const rows = await git.statusMatrix({ fs, dir: Deno.args[0]! });
console.log(
  rows.reduce((sum, [path, head, work, stage]) => sum + path.length + head + work + stage, 0),
);
