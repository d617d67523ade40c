import type { Range } from './view.ts';

/** A literal of SQL, or a string of JSON or a shell; one that is not closed ends with its line. Bounded, so that no text takes more than linear time. */
const quotedBy = (quote: string) =>
  `${quote}(?:[^${quote}\\\\]|${quote}${quote}|\\\\[^]){0,4000}${quote}|${quote}[^${quote}\\n]*`;
const quoted = `E?${quotedBy("'")}|${quotedBy('"')}`;
/** Without quotes it ends at the next space; a sentence's own punctuation is no part of it. */
const bare = '(?!(?:true|false|null|none)\\b)[^\\s\'"`&|]*[^\\s\'"`&|,;:.)\\]}>]';
const value = `(?:${quoted}|${bare})`;
const password = '(?:password|passwd|passphrase)\\d{0,3}(?![\\w-])';
const anySecret =
  '(?:password|passwd|passphrase|pwd|secret|token|credentials?|(?:api|access|private|account|shared)[-_]?key)\\d{0,3}(?![\\w-])';
const closing = '["\'`]{0,2}';

/**
 * Each has what tells it in group 1, which stays, and the secret in group 2. None can take more than linear time: what tells it begins with a fixed
 * text, and what follows is bounded, or ends where the next one could begin.
 */
const shapes: readonly RegExp[] = [
  // password=…, password := '…', "token" => …
  new RegExp(`(${anySecret}${closing}\\s{0,8}(?::=|=>|=)\\s{0,8}(?!/))(${value})`, 'gi'),
  // password '…', PASSWORD "…", "password" E'…'
  new RegExp(`(${password}${closing}\\s{1,16})(${quoted})`, 'gi'),
  // password: …, "password": "…"
  new RegExp(`(${password}${closing}[ \\t]{0,4}:[ \\t]{0,8})(${value})`, 'gi'),
  // "token": "…"; token: … where nothing else is before it in the line
  new RegExp(`(${anySecret}["']\\s{0,4}:\\s{0,8})(${value})`, 'gi'),
  new RegExp(`(^[ \\t]{0,40}(?:- )?[\\w.-]{0,60}${anySecret}[ \\t]{0,4}:[ \\t]{1,8})(${value})`, 'gim'),
  new RegExp(`(\\bx-[\\w-]{0,24}(?:token|key|secret|auth)[ \\t]{0,4}:[ \\t]{0,4})(${value})`, 'gi'),
  // Headers
  /(\bauthorization["'`]?\s{0,4}[:=]\s{0,4}["'`]?)((?:bearer|basic|token|negotiate|ntlm)\s{1,4}[^\s"'\\,]+|[^\r\n"'\\]+)/gi,
  /(\bcookie["'`]?\s{0,4}:\s{0,4}["'`]?)([^\r\n"'\\]+)/gi,
  /(\bbearer\s{1,4})((?=[\w.~+/=-]{0,40}\d)[\w.~+/=-]{16,})/gi,
  // Users and passwords in addresses
  /(:\/\/)([^\s/?#"'<>|]*)(?=@)/g,
  // What PostgreSQL stores
  /()(SCRAM-SHA-256\$\d{1,10}:[\w+/=]+\$[\w+/=]+:[\w+/=]+)/g,
  /(\bmd5)([0-9a-f]{32})\b/g,
  // Tokens that tell themselves
  /()(gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{10,}|ya29\.[\w-]{10,}|k8s-aws-v1\.[\w-]{4,})/g,
  /()\b((?:AKIA|ASIA)[A-Z0-9]{16})\b/g,
];

/** Where a text has what looks like a secret, though nobody knows it. */
export function shapesIn(text: string): Range[] {
  const found: Range[] = [...privateKeys(text), ...webTokens(text)];
  for (const shape of shapes) {
    for (const { index, 1: before = '', 2: secret = '' } of text.matchAll(shape)) {
      const start = index + before.length;
      if (secret !== '' && !isReference(secret, text[start + secret.length]))
        found.push([start + opening(secret), start + secret.length - ending(secret)]);
    }
  }
  return found;
}

/**
 * A variable of a shell, as in `--password "$PASSWORD"`: that names a secret, and is none. Within single quotes a shell would take it as it stands.
 * Backslashes before a quote are no value: it is found where the text is read without them.
 */
function isReference(secret: string, next: string | undefined): boolean {
  return /^("?)\$[A-Z_][A-Z0-9_]*\1$/.test(secret) || (/^\\+$/.test(secret) && next === '"');
}

/** Quotes stay, so that what is around them can still be read. */
function opening(secret: string): number {
  return /^E?['"]/i.exec(secret)?.[0].length ?? 0;
}

function ending(secret: string): number {
  const quote = /^E?(['"])/i.exec(secret)?.[1];
  return quote !== undefined && secret.endsWith(quote) && secret.length > opening(secret) ? 1 : 0;
}

/** Blocks of PEM, also one of which the end was cut off. */
function privateKeys(text: string): Range[] {
  const found: Range[] = [];
  const head = /-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----/g;
  for (let begun = head.exec(text); begun !== null; begun = head.exec(text)) {
    const start = begun.index + begun[0].length;
    const end = text.indexOf('-----END ', start);
    found.push([start, end === -1 ? text.length : end]);
    head.lastIndex = end === -1 ? text.length : end;
  }
  return found;
}

/** JSON Web Tokens: base64 of `{"`, and at least one more part. */
function webTokens(text: string): Range[] {
  const found: Range[] = [];
  const rest = /[\w-]*((?:\.[\w-]*)*)/y;
  for (let at = text.indexOf('eyJ'); at !== -1; at = text.indexOf('eyJ', at)) {
    rest.lastIndex = at;
    const [all = '', more = ''] = rest.exec(text) ?? [];
    if (more.length > 8) found.push([at, at + all.length]);
    at += Math.max(all.length, 1);
  }
  return found;
}
