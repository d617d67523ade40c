import { z } from 'zod';
import type { Fingerprint } from '../database/fingerprint.ts';

const fingerprint = z.object({
  databases: z.record(
    z.string(),
    z.object({ relations: z.record(z.string(), z.string()), extensions: z.array(z.string()) }),
  ),
});

/** An object in Kubernetes takes 1 MiB at most, and the journal holds more than this. */
const longest = 800_000;

/**
 * What was measured, as text for the journal: gzip in base64, since thousands of tables are a lot of JSON.
 * @returns undefined when it is too long even so (more than some 100,000 tables)
 */
export async function pack(measured: Fingerprint): Promise<string | undefined> {
  const bytes = await through(new Blob([JSON.stringify(measured)]), new CompressionStream('gzip'));
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  return text.length <= longest ? text : undefined;
}

/** @throws Error when the text is not one that `pack` made */
export async function unpack(text: string): Promise<Fingerprint> {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const json = await through(new Blob([bytes]), new DecompressionStream('gzip'));
  return fingerprint.parse(JSON.parse(new TextDecoder().decode(json)));
}

async function through(content: Blob, transform: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  return new Uint8Array(await new Response(content.stream().pipeThrough(transform)).arrayBuffer());
}
