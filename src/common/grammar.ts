// What the values of a journal may look like. A journal is text that others may have written, so each value has a grammar of its own. All of them are bounded, and
// each answers in a time that grows no faster than the text.
import { z } from 'zod';
import { imageGrammar } from './image.ts';

/** Name of an object in Kubernetes (RFC 1123 subdomain). */
export const objectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);

/** UID of an object: UUIDs everywhere, but Kubernetes does not promise that. */
export const uid = z.string().regex(/^[-.\w]{1,128}$/);

const labelName = /^([a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/;
export const labelKey = z.string().max(317).regex(labelName);
export const labelValue = z.string().regex(/^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/);
export const labels = z.record(labelKey, labelValue);

/** Annotations have names as labels have, but may have capitals before the slash too; and 256 KiB in all (k8s.io/apimachinery, ValidateAnnotations). */
export const annotationKey = z.string().max(317).regex(new RegExp(labelName.source, 'i'));
export const annotations = z.record(annotationKey, z.string().max(262_144));

/** An amount in Kubernetes: `500m`, `2Gi`, `1e3`. */
const quantity = z.string().regex(/^\d{1,18}(\.\d{1,9})?([eE][-+]?\d{1,2}|[numkMGTPE]|[KMGTPE]i)?$/);
export const quantities = z.record(labelKey, quantity);

/** A reference to an image. */
export const imageReference = z.string().max(512).regex(imageGrammar.reference);

/** An identifier of PostgreSQL: at most 63 bytes of anything but NUL. It is quoted wherever it is used. */
export const identifier = z
  .string()
  .max(63)
  .refine((name) => !name.includes('\0'), 'an identifier has no NUL');

/** A locale or an encoding, as initdb and a shell take it without quoting. */
export const localeName = z.string().regex(/^[\w.@+,=-]{1,63}$/);

/** `16/B374D848`: a position in the write-ahead log (pg_lsn). */
export const walPosition = z.string().regex(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/);

/** The address of a run, or what `runIdOf` gives outside of GitHub. */
export const runAddress = z.string().regex(/^([-\w.:/@~%+]{1,500}|process \d{1,10})$/);

/** What goes to the next line, or nowhere, in a log or on a terminal. */
const control = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/** A sentence for people, in one line. */
export const sentenceText = z
  .string()
  .max(4000)
  .refine((text) => !control.test(text), 'a sentence has no control characters');

/** Any text as one that `sentenceText` takes: in one line, and cut where it is too long. */
export function asSentence(text: string): string {
  const plain = text.replace(new RegExp(control.source, 'gu'), ' ');
  return plain.length <= 4000 ? plain : `${plain.slice(0, 3990).trimEnd()} …`;
}
