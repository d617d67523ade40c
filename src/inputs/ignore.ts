import { ConfigurationError } from '../common/errors.ts';

/** Check's id → why its finding does not block. */
export type Ignored = ReadonlyMap<string, string>;

/**
 * Reads the input `ignore-checks`: a line per check, `id: reason`.
 * @throws ConfigurationError for a line without the id of a check or without a reason, and a check that is named twice
 */
export function parseIgnored(text: string): Ignored {
  const ignored = new Map<string, string>();
  const lines = text.split('\n').map((line) => line.trim());
  for (const line of lines.filter((one) => one !== '')) {
    const colon = line.indexOf(':');
    const id = (colon < 0 ? line : line.slice(0, colon)).trimEnd();
    const reason = colon < 0 ? '' : line.slice(colon + 1).trimStart();
    if (!/^[a-z][a-z-]*$/.test(id)) throw notExisting(id);
    if (reason === '') throw refused(`gives no reason for ${id}`, `Write "${id}: why it may be ignored".`);
    if (ignored.has(id)) throw refused(`names ${id} twice`, 'Give each check one line.');
    ignored.set(id, reason);
  }
  return ignored;
}

/** @throws ConfigurationError for a check that is none of these */
export function expectExisting(ignored: Ignored, checks: readonly { readonly id: string }[]): void {
  const missing = [...ignored.keys()].find((id) => !checks.some((check) => check.id === id));
  if (missing !== undefined) throw notExisting(missing);
}

function notExisting(id: string): ConfigurationError {
  return refused(
    `names a check that does not exist: ${JSON.stringify(id.slice(0, 80))}`,
    'Take the id from docs/checks.md.',
  );
}

function refused(what: string, remedy: string): ConfigurationError {
  return new ConfigurationError('input-invalid', `Input "ignore-checks" ${what}.`, remedy);
}

/** Checks that protect the data or the revert, and what may happen without each, as a sentence: to ignore one gives a warning. */
const risks: Readonly<Record<string, string>> = {
  permissions: 'a missing permission then fails a call in the downtime, perhaps one that a revert needs.',
  'layout-user': 'a Job that may not read or link the files then fails in the downtime.',
  'volume-users': 'a second server on the volume would destroy the data.',
  leftovers: 'directories of an earlier try may hold the only copy of the data.',
  'volume-claim': 'Kubernetes may delete the volume with its PersistentVolumeClaim.',
};

/** What may happen where this check is ignored; undefined where its finding says all. */
export function riskOfIgnoring(id: string): string | undefined {
  return Object.hasOwn(risks, id) ? risks[id] : undefined;
}
