// How a secret may be written by whoever echoes it. Nothing here is the product's: a mistake there must not be repeated here.
import { Buffer } from 'node:buffer';

/** Each form by its name. */
export function encodings(secret: string): Record<string, string> {
  const json = (text: string) => JSON.stringify(text).slice(1, -1);
  const percent = encodeURIComponent(secret);
  const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');
  const url = (text: string) => Buffer.from(text, 'utf8').toString('base64url');
  const units = Array.from({ length: secret.length }, (_, at) => secret.charCodeAt(at).toString(16).padStart(4, '0'));
  const hex = Buffer.from(secret, 'utf8').toString('hex');
  return {
    plain: secret,
    'base64, first of three': base64(secret),
    'base64, second of three': base64(`u${secret}`).slice(2),
    'base64, third of three': base64(`u:${secret}`).slice(3),
    'base64 for addresses': url(secret),
    'base64 for addresses, second': url(`u${secret}`).slice(2),
    'base64 in JSON': base64(secret).replaceAll('/', '\\/'),
    'for addresses': percent,
    'for addresses, in lower case': percent.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    'for addresses, each byte': hex.replace(/../g, '%$&'),
    'for addresses, twice': encodeURIComponent(percent),
    JSON: json(secret),
    'JSON, twice': json(json(secret)),
    'JSON, three times': json(json(json(secret))),
    'JSON of Go': json(secret).replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`),
    'JSON of PHP': json(secret).replaceAll('/', '\\/'),
    'JSON in units': units.map((unit) => `\\u${unit}`).join(''),
    'JSON in units, in upper case': units.map((unit) => `\\u${unit.toUpperCase()}`).join(''),
    SQL: secret.replaceAll("'", "''"),
    "SQL, E''": secret.replaceAll('\\', '\\\\').replaceAll("'", "\\'"),
    shell: secret.replaceAll("'", "'\\''"),
    'shell, with double quotes': secret.replaceAll("'", `'"'"'`),
    'shell in double quotes': secret.replace(/[$`"\\]/g, '\\$&'),
    HTML: secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    'HTML by numbers': Array.from(secret, (c) => `&#${String(c.codePointAt(0))};`).join(''),
    Markdown: secret.replace(/[\\`*_{}[\]()+!|~-]/g, '\\$&'),
    hexadecimal: hex,
    'hexadecimal, in upper case': hex.toUpperCase(),
  };
}
