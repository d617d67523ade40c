import { createHmac, randomBytes, scrypt } from 'node:crypto';
import type { Crypto } from '../ports/crypto.ts';

/** 32 MiB and some 80 ms for each try of whoever guesses passwords; Node refuses more than 32 MiB unless it is allowed. */
const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 ** 2 };

export const nodeCrypto: Crypto = {
  randomBytes,
  deriveKey: (password, salt) =>
    new Promise((resolve, reject) => {
      scrypt(password, salt, 32, cost, (error, key) => {
        if (error === null) resolve(key);
        else reject(error);
      });
    }),
  hmac: (key, text) => createHmac('sha256', key).update(text, 'utf8').digest('hex'),
};
