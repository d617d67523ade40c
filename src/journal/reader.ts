import { z } from 'zod';
import { describe } from '../common/errors.ts';
import { journalInvalid } from './errors.ts';
import { isNote, noteCodecs, type Noted, type Notes } from './notes.ts';
import { recordCodec, type JournalRecord } from './record.ts';
import type { JournalData } from './seal.ts';

/** What the codec adds to the record and the notes. */
const frame = {
  counter: z.string().regex(/^[1-9]\d{0,14}$/),
  salt: z.string(),
  seal: z.string(),
};

/** Record and notes as texts of the ConfigMap. */
export async function encodeJournal(record: JournalRecord, noted: Readonly<Noted>): Promise<JournalData> {
  const data: Record<string, string> = { record: recordCodec.encode(record) };
  for (const name of Object.keys(noted)) if (isNote(name)) await encodeInto(data, name, noted[name]);
  return data;
}

async function encodeInto<N extends keyof Notes>(
  data: Record<string, string>,
  name: N,
  value: Notes[N] | undefined,
): Promise<void> {
  if (value !== undefined) data[name] = await noteCodecs[name].encode(value);
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
  const record = await read(namespace, 'record', () => recordCodec.decode(text));
  const noted: Noted = {};
  for (const [name, value] of Object.entries(rest)) {
    if (isNote(name))
      Object.assign(noted, { [name]: await read(namespace, name, () => noteCodecs[name].decode(value)) });
    else if (Object.hasOwn(frame, name))
      await read(namespace, name, () => frame[name as keyof typeof frame].parse(value));
    else throw journalInvalid(namespace, name, 'this version has no such value');
  }
  const { metadata } = noted.exchange?.claim ?? {};
  if (metadata !== undefined && (metadata.name !== record.claim || metadata.namespace !== namespace))
    throw journalInvalid(namespace, 'exchange', `it names another claim than ${record.claim}`);
  return { record, noted };
}

/** A note of a journal that can't be trusted; undefined where there is none that this version would write. */
export async function doubtfulNote<N extends keyof Notes>(
  data: JournalData | undefined,
  name: N,
): Promise<Notes[N] | undefined> {
  try {
    return await noteCodecs[name].decode(data?.[name] ?? '');
  } catch {
    return undefined;
  }
}

async function read<T>(namespace: string, name: string, decode: () => T | Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (error) {
    throw journalInvalid(namespace, name, reasonOf(error));
  }
}

/** Where the value is wrong, and never the value itself: that is text of whoever wrote it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof z.ZodError)) return error instanceof SyntaxError ? 'it is not JSON' : describe(error);
  const { path = [], code = 'custom' } = error.issues[0] ?? {};
  const place = path
    .map((part) => (typeof part === 'number' ? String(part) : part))
    .filter((part) => /^[\w-]{1,40}$/.test(String(part)));
  return `${place.length === 0 ? 'it' : place.join('.')} is not what this version writes (${code})`;
}
