// Copyright 2026 the ioq authors. MIT license.

/** git, as an oracle. */

/** Whether there is one. */
export const hasGit: boolean = (() => {
  try {
    return new Deno.Command("git", { args: ["--version"], stdout: "null" }).outputSync().success;
  } catch {
    return false;
  }
})();

/** Run git in a directory; without settings of the machine's own. */
export async function git(
  root: string,
  args: readonly string[],
  input = "",
  env: Record<string, string> = {},
): Promise<string> {
  const child = new Deno.Command("git", {
    args: ["-c", "core.quotePath=false", ...args],
    cwd: root,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    env: {
      HOME: "/nonexistent",
      XDG_CONFIG_HOME: "/nonexistent",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CEILING_DIRECTORIES: Deno.realPathSync(`${root}/..`),
      ...env,
    },
  }).spawn();
  // Both at once: either may wait for the other
  const [{ stdout }] = await Promise.all([
    child.output(),
    new Blob([input]).stream().pipeTo(child.stdin),
  ]);
  return new TextDecoder().decode(stdout);
}
