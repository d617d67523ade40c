import type { Fingerprint } from './fingerprint.ts';

/** What differs, a line each; nothing when the two are the same. */
export function compareFingerprints(before: Fingerprint, after: Fingerprint): string[] {
  return allKeys(before.databases, after.databases).flatMap((name) => {
    const [old, now] = [before.databases[name], after.databases[name]];
    if (old === undefined) return [`database "${name}" did not exist before`];
    if (now === undefined) return [`database "${name}" is missing`];
    const relations = allKeys(old.relations, now.relations)
      .filter((relation) => differs(old.relations[relation], now.relations[relation]))
      .map(
        (relation) =>
          `${name}: ${relation}: ${old.relations[relation] ?? 'absent'} before, ${now.relations[relation] ?? 'absent'} after${hint(old.relations[relation], now.relations[relation])}`,
      );
    const extensions = old.extensions
      .filter((e) => !now.extensions.includes(e))
      .map((e) => `${name}: extension ${e} is missing`);
    return [...relations, ...extensions];
  });
}

/**
 * Sizes are no exact measure: until the server stops, autovacuum may cut off the empty pages at the end of a table. It does so where these are a sixteenth of the table or
 * 1,000 (vacuumlazy.c), and then it cuts off all of them. A table that has shrunk by more than an eighth counts as a difference all the same: nothing shows that those pages
 * were empty, and the way back loses nothing.
 */
function differs(before: string | undefined, after: string | undefined): boolean {
  if (before === after) return false;
  const [old, now] = [bytesOf(before), bytesOf(after)];
  return old === undefined || now === undefined || now > old || now < old - old / 8n;
}

/** For a table that got smaller: what may have done it though nobody wrote. */
function hint(before: string | undefined, after: string | undefined): string {
  const [old, now] = [bytesOf(before), bytesOf(after)];
  return old !== undefined && now !== undefined && now < old
    ? ' (or autovacuum has cut off empty pages at its end meanwhile; then another run finds no difference)'
    : '';
}

function bytesOf(value: string | undefined): bigint | undefined {
  const [, bytes] = /^(\d+) bytes$/.exec(value ?? '') ?? [];
  return bytes === undefined ? undefined : BigInt(bytes);
}

/** `12 databases, 345 tables, materialized views and sequences, with the rows of 300 tables` */
export function fingerprintSize({ databases }: Fingerprint): string {
  const values = Object.values(databases).flatMap(({ relations }) => Object.values(relations));
  const counted = values.filter((value) => value.endsWith(' rows')).length;
  return `${String(Object.keys(databases).length)} databases, ${String(values.length)} tables, materialized views and sequences, with the rows of ${String(counted)} tables`;
}

function allKeys(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}
