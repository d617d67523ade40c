import { readFileSync } from 'node:fs';
import { TextDecoder } from 'node:util';

const folder = new URL('../../fixtures/values/', import.meta.url);

/** A file of the shape of a real one, as its bytes. */
export function fixtureBytes(name: string): Buffer {
  return readFileSync(new URL(name, folder));
}

/** A file of the shape of a real one, as text. */
export function fixture(name: string): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(fixtureBytes(name));
}
