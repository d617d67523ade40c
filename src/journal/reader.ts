import { z } from 'zod';
import { describe } from '../common/errors.ts';
import { journalInvalid } from './errors.ts';
import { isNote, notes, type Facts, type Noted } from './notes.ts';
import { recordCodec, type JournalRecord } from './record.ts';
import type { JournalData } from './seal.ts';
import { unpack } from './compress-fingerprint.ts';

/** What the codec adds to the record and the notes. */
const frame = {
  counter: z.string().regex(/^[1-9]\d{0,14}$/),
  salt: z.string(),
  seal: z.string(),
};

/** Record and notes as texts of the ConfigMap. */
export function encodeJournal(record: JournalRecord, noted: Readonly<Noted>): JournalData {
  const data: Record<string, string> = { record: recordCodec.encode(record) };
  for (const name of Object.keys(noted)) if (isNote(name)) encodeInto(data, name, noted[name]);
  return data;
}

function encodeInto<N extends keyof Facts>(data: Record<string, string>, name: N, value: Facts[N] | undefined): void {
  if (value !== undefined) data[name] = notes[name].encode(value);
}

/**
 * Record and notes from the texts of a ConfigMap, each by its own grammar.
 * @throws UpgradeError `journal-invalid`, which names the value
 */
export async function readJournal(
  namespace: string,
  data: JournalData,
): Promise<{ readonly record: JournalRecord; readonly noted: Noted }> {
  const { record: text = '', ...rest } = data;
  const record = read(namespace, 'record', () => recordCodec.decode(text));
  const noted: Noted = {};
  for (const [name, value] of Object.entries(rest)) {
    if (isNote(name)) Object.assign(noted, { [name]: decodeNote(name, value, namespace) });
    else if (Object.hasOwn(frame, name)) read(namespace, name, () => frame[name as keyof typeof frame].parse(value));
    else throw journalInvalid(namespace, name, 'this version knows no such value');
  }
  const { measured, exchange } = noted;
  if (measured !== undefined) {
    const unpacked = await unpack(measured).catch((error: unknown) => ({ error }));
    if ('error' in unpacked) throw journalInvalid(namespace, 'measured', reasonOf(unpacked.error));
  }
  const { metadata } = exchange?.claim ?? {};
  if (metadata !== undefined && (metadata.name !== record.claim || metadata.namespace !== namespace))
    throw journalInvalid(namespace, 'exchange', `it speaks of another claim than ${record.claim}`);
  return { record, noted };
}

function decodeNote<N extends keyof Facts>(name: N, text: string, namespace: string): Facts[N] {
  return read(namespace, name, () => notes[name].decode(text));
}

function read<T>(namespace: string, name: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw journalInvalid(namespace, name, reasonOf(error));
  }
}

/** Where it is wrong, and never what stands there: that is text of whoever wrote it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof z.ZodError)) return error instanceof SyntaxError ? 'it is no JSON' : describe(error);
  const { path = [], code = 'custom' } = error.issues[0] ?? {};
  const place = path
    .map((part) => (typeof part === 'number' ? String(part) : part))
    .filter((part) => /^[\w-]{1,40}$/.test(String(part)));
  return `${place.length === 0 ? 'it' : place.join('.')} is not what this version writes (${code})`;
}
