import { ConfigurationError } from '../errors.ts';
import { catalogue } from './catalogue.ts';

/** Check's id → why its finding stops nothing. */
export type Ignored = ReadonlyMap<string, string>;

/**
 * Reads the input `ignore-checks`: a line per check, `id: reason`.
 * @throws ConfigurationError for a check that does not exist, one without a reason, and one that is named twice
 */
export function parseIgnored(text: string): Ignored {
  const ignored = new Map<string, string>();
  const lines = text.split('\n').map((line) => line.trim());
  for (const line of lines.filter((one) => one !== '')) {
    const [, id = '', reason = ''] = /^([^:]*?)\s*:\s*(.*)$/.exec(line) ?? [undefined, line];
    if (!catalogue.some((check) => check.id === id))
      throw refused(`names a check that does not exist: ${id.slice(0, 80)}`, 'Take the id from docs/checks.md.');
    if (reason === '') throw refused(`gives no reason for ${id}`, `Write "${id}: why it may be ignored".`);
    if (ignored.has(id)) throw refused(`names ${id} twice`, 'Give each check one line.');
    ignored.set(id, reason);
  }
  return ignored;
}

function refused(what: string, remedy: string): ConfigurationError {
  return new ConfigurationError('input-invalid', `Input "ignore-checks" ${what}.`, remedy);
}
