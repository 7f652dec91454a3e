// Copyright 2026 the ioq authors. MIT license.

/**
 * What the tables of an ELF file say of its symbols: enough to tell which version
 * of glibc a library needs, and to choose older versions when linking one.
 *
 * Only 64-bit little-endian files, which is all that is built here. The record
 * layouts are those of `elf(5)`.
 *
 * @module
 */

/** A symbol that is taken from another library. */
export interface ImportedSymbol {
  /** Its name. */
  readonly name: string;
  /** Its version, such as `GLIBC_2.17`; `undefined` if any will do. */
  readonly version: string | undefined;
  /** Whether the program also starts without. */
  readonly weak: boolean;
}

/** An ELF file's symbols. */
export interface Elf {
  /** The machine, as in the file's header: {@linkcode MACHINE}. */
  readonly machine: number;
  /** The libraries that a shared library names as needed. */
  readonly needed: readonly string[];
  /** What it takes from others. */
  readonly imports: readonly ImportedSymbol[];
  /** What it offers: versions by name, `""` for a symbol without. */
  readonly exports: ReadonlyMap<string, readonly string[]>;
  /** Names of its sections. */
  readonly sections: readonly string[];
}

/** Machines by what `Deno.build.arch` calls them. */
export const MACHINE = { x86_64: 62, aarch64: 183 } as const;

const SECTION = { symbols: 2, dynamic: 6, dynamicSymbols: 11 } as const;
const GNU_VERSION_DEFINED = 0x6ffffffd;
const GNU_VERSION_NEEDED = 0x6ffffffe;
const GNU_VERSION_OF_SYMBOL = 0x6fffffff;
const DYNAMIC_NEEDED = 1;
const WEAK = 2;

interface Section {
  readonly name: string;
  readonly type: number;
  readonly at: number;
  readonly length: number;
  /** The index of the section that belongs to it. */
  readonly link: number;
}

/** Reads numbers and strings out of a file. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  u64(at: number): number {
    return Number(this.#view.getBigUint64(at, true));
  }

  /** The string that begins somewhere in a table of strings. */
  string(table: Section, offset: number): string {
    const start = table.at + offset;
    return new TextDecoder().decode(this.#bytes.subarray(start, this.#bytes.indexOf(0, start)));
  }
}

function readSections(reader: Reader): Section[] {
  const tableAt = reader.u64(40);
  const entrySize = reader.u16(58);
  const count = reader.u16(60);
  const raw = Array.from({ length: count }, (_, i) => {
    const at = tableAt + i * entrySize;
    return {
      nameAt: reader.u32(at),
      name: "",
      type: reader.u32(at + 4),
      at: reader.u64(at + 24),
      length: reader.u64(at + 32),
      link: reader.u32(at + 40),
    };
  });
  const names = raw[reader.u16(62)];
  return names === undefined
    ? raw
    : raw.map((section) => ({ ...section, name: reader.string(names, section.nameAt) }));
}

/** Names of versions by the index that symbols have them under. */
function readVersions(reader: Reader, sections: readonly Section[]): Map<number, string> {
  const versions = new Map<number, string>();
  for (const section of sections) {
    const strings = sections[section.link];
    if (strings === undefined) {
      continue;
    }
    if (section.type === GNU_VERSION_NEEDED) {
      for (let at = section.at, next = -1; next !== 0; at += next) {
        let aux = at + reader.u32(at + 8);
        for (let left = reader.u16(at + 2); left > 0; left--) {
          versions.set(reader.u16(aux + 6), reader.string(strings, reader.u32(aux + 8)));
          aux += reader.u32(aux + 12);
        }
        next = reader.u32(at + 12);
      }
    } else if (section.type === GNU_VERSION_DEFINED) {
      for (let at = section.at, next = -1; next !== 0; at += next) {
        const aux = at + reader.u32(at + 12);
        versions.set(reader.u16(at + 4), reader.string(strings, reader.u32(aux)));
        next = reader.u32(at + 16);
      }
    }
  }
  return versions;
}

/**
 * Read an ELF file: a shared library, or an object before it is linked.
 *
 * @throws {TypeError} If it is none, or not of 64 bits and little-endian.
 */
export function readElf(bytes: Uint8Array): Elf {
  const reader = new Reader(bytes);
  // 0x7f E L F, 64 bits, little-endian
  if (
    bytes.length < 64 || reader.u32(0) !== 0x464c457f || reader.u8(4) !== 2 || reader.u8(5) !== 1
  ) {
    throw new TypeError("Expected a 64-bit little-endian ELF file");
  }
  const sections = readSections(reader);
  const versions = readVersions(reader, sections);
  const versionsAt = sections.find((it) => it.type === GNU_VERSION_OF_SYMBOL)?.at;

  const imports: ImportedSymbol[] = [];
  const exports = new Map<string, string[]>();
  const table = sections.find((it) => it.type === SECTION.dynamicSymbols) ??
    sections.find((it) => it.type === SECTION.symbols);
  const strings = table && sections[table.link];
  for (let i = 1; table && strings && i < table.length / 24; i++) {
    const at = table.at + i * 24;
    const binding = reader.u8(at + 4) >> 4;
    const name = reader.string(strings, reader.u32(at));
    if (binding === 0 || name === "") {
      continue; // local
    }
    // The highest bit: not the version that new programs get
    const index = versionsAt === undefined ? 0 : reader.u16(versionsAt + i * 2) & 0x7fff;
    const version = index > 1 ? versions.get(index) : undefined;
    if (reader.u16(at + 6) === 0) {
      imports.push({ name, version, weak: binding === WEAK });
    } else {
      exports.set(name, [...exports.get(name) ?? [], version ?? ""]);
    }
  }

  const needed: string[] = [];
  const dynamic = sections.find((it) => it.type === SECTION.dynamic);
  const dynamicStrings = dynamic && sections[dynamic.link];
  for (let at = 0; dynamic && dynamicStrings && at < dynamic.length; at += 16) {
    if (reader.u64(dynamic.at + at) === DYNAMIC_NEEDED) {
      needed.push(reader.string(dynamicStrings, reader.u64(dynamic.at + at + 8)));
    }
  }
  return {
    machine: reader.u16(18),
    needed,
    imports,
    exports,
    sections: sections.map((it) => it.name),
  };
}

/** The minor number of a version of glibc's, such as 31 of `GLIBC_2.31`. */
export function glibcMinor(version: string): number | undefined {
  const minor = /^GLIBC_2\.(\d+)(?:\.\d+)?$/.exec(version)?.[1];
  return minor === undefined ? undefined : Number(minor);
}
