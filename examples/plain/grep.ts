// Copyright 2026 the ioq authors. MIT license.

/**
 * `../grep.ts` with Deno's own calls alone. It asks git which files it does not ignore, so it needs
 * a repository, and the permission to run git.
 *
 *     deno run --allow-read --allow-run=git examples/plain/grep.ts PATTERN [FOLDER]
 *
 * @module
 */

/** What git tracks below a folder, or would. */
async function filesOf(folder: string): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command("git", {
    args: ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
    cwd: folder,
  }).output();
  if (!success) {
    throw new Error(new TextDecoder().decode(stderr));
  }
  return new TextDecoder().decode(stdout).split("\0").slice(0, -1);
}

export async function* grep(pattern: RegExp, folder: string): AsyncGenerator<string> {
  for (const name of await filesOf(folder)) {
    const path = folder === "." ? name : `${folder}/${name}`;
    let bytes;
    try {
      if (!(await Deno.lstat(path)).isFile) {
        continue;
      }
      bytes = await Deno.readFile(path);
    } catch (error) {
      console.error((error as Error).message);
      continue;
    }
    if (!bytes.subarray(0, 8192).includes(0)) {
      for (const [i, line] of new TextDecoder().decode(bytes).split("\n").entries()) {
        if (pattern.test(line)) {
          yield `${path}:${i + 1}:${line}`;
        }
      }
    }
  }
}

if (import.meta.main) {
  const [pattern, folder = "."] = Deno.args;
  if (pattern === undefined) {
    console.error("Usage: grep.ts PATTERN [FOLDER]");
    Deno.exit(2);
  }
  for await (const line of grep(new RegExp(pattern), folder)) {
    console.log(line);
  }
}
