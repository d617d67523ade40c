// Looks for secrets in what came of a run, in every form that they may have. Nothing here is the product's.
import { load } from 'js-yaml';
import { encodings } from './secret-forms.ts';

/** What is told and kept of a run, by where it is. */
export type Places = Readonly<Record<string, string>>;

/** A form that is shorter stands there by chance. */
const shortestForm = 6;

/** `form of secret in place`, for each that is there; the secrets by their names. Takes a millisecond for a megabyte. */
export function leaksIn(places: Places, secrets: Readonly<Record<string, string>>): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) =>
    Object.entries(encodings(secret)).flatMap(([form, written]) => {
      // Its last digits of base64 a secret shares with what comes after it.
      const sought = form.startsWith('base64') ? written.replace(/=+$/, '').slice(0, -1) : written;
      if (sought.length < shortestForm) return [];
      return Object.entries(places).flatMap(([place, text]) =>
        text.includes(sought) ? [`${form} of ${name} in ${place}`] : [],
      );
    }),
  );
}

/** Tokens, passwords and the first lines of keys. */
export function secretsOfKubeconfig(text: string): Record<string, string> {
  const { users } = load(text) as { readonly users?: readonly { readonly user: Readonly<Record<string, unknown>> }[] };
  const found = (users ?? []).flatMap(({ user }) =>
    ['token', 'password', 'client-key-data'].flatMap((field): [string, string][] => {
      const value = user[field];
      if (typeof value !== 'string' || value === '') return [];
      if (field !== 'client-key-data') return [[field, value]];
      const lines = Buffer.from(value, 'base64').toString('utf8').split('\n').slice(1, 3);
      return [[field, value], ...lines.map((line, at): [string, string] => [`key, line ${String(at + 1)}`, line])];
    }),
  );
  return Object.fromEntries(found);
}
