import { createHash, createHmac } from 'node:crypto';
import type { Crypto } from '../../src/ports/crypto.ts';

/** Signs as the real one does, with keys that cost nothing to derive, and counts instead of throwing dice. */
export class FakeCrypto implements Crypto {
  private drawn = 0;
  derived = 0;

  randomBytes(length: number): Uint8Array {
    return createHash('sha512')
      .update(`random ${String(++this.drawn)}`)
      .digest()
      .subarray(0, length);
  }

  deriveKey(password: string, salt: Uint8Array): Promise<Uint8Array> {
    this.derived++;
    return Promise.resolve(createHash('sha256').update(password).update(salt).digest());
  }

  hmac(key: Uint8Array, text: string): string {
    return createHmac('sha256', key).update(text).digest('hex');
  }
}
