// Copyright 2026 the ioq authors. MIT license.

/** Which directories something reads: the kernel notes when, if they have changed since. */

/**
 * Run something, and find out.
 *
 * @returns Paths from the root on, which is `"."`, in order; none, if the file system does not
 *          note when directories are read.
 */
export async function directoriesRead(
  root: string,
  run: () => Promise<unknown>,
): Promise<string[]> {
  const all: string[] = [];
  const visit = (path: string, name: string) => {
    all.push(name);
    for (const entry of [...Deno.readDirSync(path)]) {
      if (entry.isDirectory) {
        visit(`${path}/${entry.name}`, name === "." ? entry.name : `${name}/${entry.name}`);
      }
    }
  };
  visit(root, ".");
  const before = new Date(1000);
  for (const name of all) {
    Deno.utimeSync(`${root}/${name}`, before, new Date());
  }
  await run();
  return all.filter((name) => Deno.lstatSync(`${root}/${name}`).atime!.getTime() !== 1000).sort();
}
