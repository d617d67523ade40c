import { ConfigurationError } from '../common/errors.ts';

/** A values.yaml as text, line ends included: the mark and the text, encoded again, are its bytes. */
export interface Source {
  /** As messages call it. */
  readonly file: string;
  /** The byte order mark, if it starts with one. */
  readonly mark: '' | '\ufeff';
  readonly text: string;
}

/** Bytes: Helm itself can't store a release whose values are larger than a Secret. */
const largest = 1024 * 1024;

/**
 * What YAML does not allow in a file, and what one parser takes for the end of a line and another does not:
 * a carriage return alone, NEL, LS and PS. A byte order mark has been taken off the start.
 */
const notAllowed = /(?![\t\n\r])\p{Cc}|[\u2028\u2029\ufeff\ufffe\uffff]|\r(?!\n)/u;

/** How files begin that are encrypted as a whole. */
const encryptions: readonly (readonly [name: string, start: RegExp])[] = [
  ['ansible-vault', /^\$ANSIBLE_VAULT;/],
  ['age', /^-----BEGIN AGE ENCRYPTED FILE-----/],
  ['PGP', /^-----BEGIN PGP MESSAGE-----/],
  ['git-crypt', /^\0GITCRYPT\0/],
];

/**
 * The text of a file, without its byte order mark.
 * @throws ConfigurationError when it is not text that every YAML parser sees alike
 */
export function readSource(all: string, file: string): Source {
  const mark = all.startsWith('\ufeff') ? '\ufeff' : '';
  const source: Source = { file, mark, text: all.slice(mark.length) };
  if (source.text.length > largest) {
    throw new ConfigurationError(
      'values-too-large',
      `${file} has more than 1 MiB.`,
      'Set "values-file" to the file which holds the image of PostgreSQL, and keep large data in another one.',
    );
  }
  if (!source.text.isWellFormed()) throw notUtf8(file);
  for (const [name, start] of encryptions) {
    if (!start.test(source.text)) continue;
    const remedy = `Set "values-file" to a file that is not encrypted, or edit it with ${name} and set "values-file" to "".`;
    throw refusal(source, 0, 'encrypted', `the whole file is encrypted with ${name}`, remedy);
  }
  const found = notAllowed.exec(source.text);
  if (found !== null) {
    const codePoint = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    throw refusal(
      source,
      found.index,
      'control-character',
      `the character U+${codePoint} is not allowed here, or parsers of YAML disagree about it`,
      'Remove it, or write it as an escape within double quotes.',
    );
  }
  return source;
}

/** The error for a file of other bytes than UTF-8. */
export function notUtf8(file: string): ConfigurationError {
  return new ConfigurationError(
    'values-not-utf8',
    `${file} is not UTF-8 text.`,
    'Save it as UTF-8; with SOPS or git-crypt, set "values-file" to a file that is not encrypted.',
  );
}

/** What becomes of a values file with several documents. */
export const severalDocuments = 'Helm 3 reads the first one only, and Helm 4 merges all of them';

/** Line and column of an offset, both from 1, in characters. */
export function position(text: string, offset: number): { line: number; column: number } {
  const start = lineStart(text, offset);
  const line = text.slice(0, start).split('\n').length;
  return { line, column: Array.from(text.slice(start, offset)).length + 1 };
}

/** Where the line of an offset starts. */
export function lineStart(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
}

/** Where the line of an offset ends, before its line end. */
export function lineEnd(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  if (newline === -1) return text.length;
  return newline > offset && text[newline - 1] === '\r' ? newline - 1 : newline;
}

/** How many characters stand before an offset on its line. */
export function indentOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}

/** The line end in use around an offset: of its own line, else of the one before. */
export function endOfLineAt(text: string, offset: number): '\n' | '\r\n' {
  const after = text.indexOf('\n', offset);
  const newline = after === -1 ? text.lastIndexOf('\n') : after;
  return newline > 0 && text[newline - 1] === '\r' ? '\r\n' : '\n';
}

/** `values-template` is an error's code, and `template` its reason. */
type Reason = Extract<ConfigurationError['code'], `values-${string}`> extends `values-${infer R}` ? R : never;

/** The error that ends an edit before anything is written: where in the file, what, and what to do instead. */
export function refusal(
  source: Source,
  offset: number,
  code: Reason,
  what: string,
  remedy: string,
): ConfigurationError {
  const { line, column } = position(source.text, offset);
  return new ConfigurationError(
    `values-${code}`,
    `${source.file}:${String(line)}:${String(column)}: ${what}.`,
    remedy,
    { place: { file: source.file, line } },
  );
}
