// Copyright 2026 the ioq authors. MIT license.

import { readdir, readFile } from "node:fs/promises";
import { check } from "prettier";

const names = await readdir(Deno.args[0]!);
const checked = await Promise.all(
  names.map(async (name) =>
    await check(await readFile(`${Deno.args[0]}/${name}`, "utf8"), { filepath: name })
  ),
);
console.log(checked.filter((isFormatted) => isFormatted).length);
