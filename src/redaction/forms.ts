import { compact, readings } from './view.ts';

/** How one secret is looked for. */
export interface Forms {
  /** In a reading of a text. */
  readonly literal: readonly string[];
  /** In a compact one; sources of regular expressions without repetition. */
  readonly read: readonly string[];
}

/** Shorter ones stand in any text by chance. */
export const shortest = 4;

/** A longer one is looked for by pieces of this length, so that it is also found where it was cut off, or wrapped with something before each line. */
const piece = 24;
/** Characters above which nobody prints it in hexadecimal digits. */
const longestHex = 256;

/**
 * All forms of one line of a secret: as it is, in base64 (also in the middle of a longer text, which shifts it by one or two bytes, and in the alphabet
 * for addresses), and in hexadecimal digits. What was escaped or quoted is found since both text and secret are read unescaped.
 */
export function formsOf(secret: string): Forms {
  const bytes = new TextEncoder().encode(secret);
  const spaced = secret.includes(' ') ? [secret, secret.replaceAll(' ', '+')] : [secret];
  const plain = spaced
    .flatMap((text) => readings(text).map((view) => compact(view.text).text))
    // What only quotes and spaces keep apart from other words is not looked for without them.
    .filter((text) => text === secret || text.length > shortest + 1);
  // As SQL and the shell write a quote within quotes: all that is left where a secret has little else.
  const quoted = ["''", "'\\''", `'"'"'`].map((quote) => secret.replaceAll("'", quote));
  const base64 = [0, 1, 2].map((shift) => base64Core(bytes, shift)).filter((core) => core.length >= shortest);
  const hex = bytes.length > longestHex ? [] : [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
  const digits = hex.length === 0 ? [] : [hex.join(''), hex.join('').toUpperCase()];
  return {
    literal: [...new Set([...spaced, ...quoted, ...digits])],
    read: [
      ...[...new Set(plain)].flatMap(pieces).map(escapePattern),
      ...base64.flatMap(pieces).map((core) => core.replaceAll('+', '[+-]').replaceAll('/', '[/_]')),
    ],
  };
}

/** The digits of base64 that depend on nothing but these bytes, when as many others (0 to 2, modulo 3) are before them. */
function base64Core(bytes: Uint8Array, shift: number): string {
  const whole = btoa(String.fromCharCode(...new Uint8Array(shift), ...bytes));
  const first = shift === 0 ? 0 : shift + 1;
  return whole.slice(first, Math.floor(((shift + bytes.length) * 8) / 6));
}

function pieces(form: string): string[] {
  if (form.length <= 2 * piece) return [form];
  const all: string[] = [];
  for (let at = 0; at + piece <= form.length; at += piece) all.push(form.slice(at, at + piece));
  return [...all, form.slice(-piece)];
}

export function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
