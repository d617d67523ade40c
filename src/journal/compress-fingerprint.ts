import { z } from 'zod';
import type { Fingerprint } from '../database/fingerprint.ts';
import { identifier } from '../common/grammar.ts';

/** `public.builds` by its count: the names of a schema and of a relation, quoted where they have to be, and what compareFingerprints tells of it. */
const relations = z.record(z.string().max(257), z.string().regex(/^-?\d{1,20} (rows|bytes|last_value|next_value)$/));
/** `base/16384/16999`, or one in a tablespace; and after a space that of the TOAST table. */
const file = '(base|pg_tblspc/\\d{1,10}/PG_\\d{2}_\\d{9})/\\d{1,10}/\\d{1,10}';
const files = z.record(z.string().max(257), z.string().regex(new RegExp(`^${file}( ${file})?$`)));
const fingerprint = z.strictObject({
  databases: z.record(
    identifier,
    z.strictObject({ relations, extensions: z.array(identifier), files: files.optional() }),
  ),
});

/** An object in Kubernetes takes 1 MiB at most, and the journal holds more than this. */
const longest = 800_000;

/** Bytes of the unpacked text: names and counts of some 100,000 tables have a tenth of it, and what unpacks to more was not packed here. */
const largest = 32 * 1024 ** 2;

/** What `pack` makes, by its look. */
const packed = z
  .string()
  .max(longest)
  .regex(/^[A-Za-z0-9+/]+={0,2}$/);

/** The measurement is larger than the journal can hold. */
export class TooLongForJournal extends Error {}

/**
 * What was measured, as text for the journal: gzip in base64, since thousands of tables are a lot of JSON.
 * @throws TooLongForJournal when it is too long even so (more than some 100,000 tables)
 */
export async function pack(measured: Fingerprint): Promise<string> {
  const bytes = await through(new Blob([JSON.stringify(measured)]), new CompressionStream('gzip'));
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  if (text.length > longest) throw new TooLongForJournal(`${String(text.length)} characters, packed`);
  return text;
}

/** @throws Error when the text is not one that `pack` made */
export async function unpack(text: string): Promise<Fingerprint> {
  const bytes = Uint8Array.from(atob(packed.parse(text)), (character) => character.charCodeAt(0));
  const json = await through(new Blob([bytes]), new DecompressionStream('gzip'));
  return fingerprint.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json)));
}

async function through(content: Blob, transform: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content.stream().pipeThrough<Uint8Array>(transform)) {
    size += chunk.length;
    if (size > largest) throw new Error(`it unpacks to more than ${String(largest)} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
