/** Random numbers, and what makes a key and a signature of texts. */
export interface Crypto {
  /** As many unpredictable bytes. */
  randomBytes(length: number): Uint8Array;
  /** A key of 32 bytes from a password by scrypt (RFC 7914); takes some 100 ms on purpose. */
  deriveKey(password: string, salt: Uint8Array): Promise<Uint8Array>;
  /** HMAC-SHA-256 (RFC 2104) of a text in UTF-8, as lower-case hexadecimal digits. */
  hmac(key: Uint8Array, text: string): string;
}
