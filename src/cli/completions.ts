// Copyright 2026 the ioq authors. MIT license.

/**
 * `ioq completions`: what a shell needs to complete the command's arguments.
 *
 * @module
 */

import { type Command, EXIT_OK, UsageError } from "./command.ts";
import { writeText } from "./output.ts";

const USAGE = `Usage: ioq completions SHELL

Print a script that has SHELL (bash, zsh or fish) complete what follows 'ioq':

  bash   eval "$(ioq completions bash)"                         in ~/.bashrc
  zsh    eval "$(ioq completions zsh)"                          in ~/.zshrc, after compinit
  fish   ioq completions fish > ~/.config/fish/completions/ioq.fish

Options:
  -h, --help        show this

Exit code: 0, 2 for a wrong call.`;

/** An option: its names, what it does, and whether a value follows it. */
interface CompletedOption {
  readonly long: string;
  readonly short?: string;
  readonly about: string;
  readonly value?: "text" | "file";
}

const HELP: CompletedOption = { long: "help", about: "show how it is called" };

/** What there is to complete. A test compares it with what commands take. */
export const COMPLETED: Readonly<Record<string, readonly CompletedOption[]>> = {
  find: [
    { long: "type", about: "only entries of these types", value: "text" },
    { long: "name", about: "only names that match", value: "text" },
    { long: "glob", short: "g", about: "only paths that match", value: "text" },
    { long: "ext", about: "only names with this ending", value: "text" },
    { long: "size", about: "only sizes of N, more (+N) or less (-N)", value: "text" },
    { long: "newer", about: "only what was written to after FILE", value: "file" },
    { long: "mtime", about: "only what was written to N days ago", value: "text" },
    { long: "max-depth", about: "levels to go below a root", value: "text" },
    { long: "skip", about: "neither print nor go into what matches", value: "text" },
    { long: "gitignore", short: "I", about: "pass over what git ignores" },
    { long: "print0", about: "end each path with a NUL" },
    { long: "json", about: "print a JSON object a line" },
    { long: "errors", about: "tell of each thing that cannot be read" },
    HELP,
  ],
  du: [
    { long: "summarize", short: "s", about: "only a line for each path" },
    { long: "human", short: "h", about: "for human readers" },
    { long: "max-depth", short: "d", about: "lines for so many levels", value: "text" },
    { long: "apparent-size", about: "sizes, not the room that is reserved" },
    HELP,
  ],
  info: [{ long: "json", about: "print a JSON object" }, HELP],
  completions: [HELP],
};

const SHELLS = ["bash", "zsh", "fish"];

/** The words that may follow a command. */
function words(command: string): string {
  const options = COMPLETED[command]!.flatMap(({ long, short }) => [
    `--${long}`,
    ...(short === undefined ? [] : [`-${short}`]),
  ]);
  return [...options, ...(command === "completions" ? SHELLS : [])].join(" ");
}

function forBash(): string {
  const cases = Object.keys(COMPLETED).map((command) =>
    `    ${command}) words="${words(command)}" ;;`
  );
  return `_ioq() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    *) words="${Object.keys(COMPLETED).join(" ")} --help --version" ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${Object.keys(COMPLETED).join(" ")} --help --version"
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ] || [[ "$word" == -* ]] || [ "\${COMP_WORDS[1]}" = completions ]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  else
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -F _ioq ioq
`;
}

function forZsh(): string {
  const cases = Object.entries(COMPLETED).map(([command, options]) => {
    const specs = options.flatMap(({ long, short, about, value }) => {
      const tail = value === undefined ? "" : value === "file" ? ":file:_files" : ":value:";
      const names = [`--${long}`, ...(short === undefined ? [] : [`-${short}`])];
      return names.map((it) => `'*${it}[${about}]${tail}'`);
    });
    const rest = command === "completions" ? `'1:shell:(${SHELLS.join(" ")})'` : "'*:file:_files'";
    return `    ${command}) _arguments ${[...specs, rest].join(" ")} ;;`;
  });
  return `#compdef ioq
_ioq() {
  if (( CURRENT == 2 )); then
    compadd ${Object.keys(COMPLETED).join(" ")} --help --version
    return
  fi
  local command="\${words[2]}"
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join("\n")}
  esac
}
compdef _ioq ioq
`;
}

function forFish(): string {
  const lines = ["complete -c ioq -n __fish_use_subcommand -f -l help -l version"];
  for (const [command, options] of Object.entries(COMPLETED)) {
    lines.push(`complete -c ioq -n __fish_use_subcommand -f -a ${command}`);
    for (const { long, short, about, value } of options) {
      const letter = short === undefined ? "" : ` -s ${short}`;
      const needs = value === undefined ? "" : value === "file" ? " -r" : " -x";
      const when = `"__fish_seen_subcommand_from ${command}"`;
      lines.push(`complete -c ioq -n ${when} -l ${long}${letter}${needs} -d "${about}"`);
    }
  }
  const shells = `"__fish_seen_subcommand_from completions"`;
  lines.push(`complete -c ioq -n ${shells} -f -a "${SHELLS.join(" ")}"`);
  return `${lines.join("\n")}\n`;
}

async function run(args: string[]): Promise<number> {
  const [shell, ...others] = args;
  const make = { bash: forBash, zsh: forZsh, fish: forFish }[shell ?? ""];
  if (make === undefined || others.length > 0) {
    throw new UsageError(
      shell === undefined
        ? "Missing shell: bash, zsh or fish"
        : `Unknown shell '${args.join(" ")}'`,
    );
  }
  await writeText(make());
  return EXIT_OK;
}

/** The command `ioq completions`. */
export const completions: Command = {
  usage: USAGE,
  run,
};
