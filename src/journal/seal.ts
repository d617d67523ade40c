import type { Crypto } from '../ports/crypto.ts';

/** What the ConfigMap of a journal holds: texts by their names. */
export type JournalData = Readonly<Record<string, string>>;

/** Makes the signed bytes of a journal differ from those of anything else that may be signed with the same key. */
const ofJournal = 'circleci-server-postgresql-upgrade journal 1';
export const ofRehearsal = 'circleci-server-postgresql-upgrade rehearsal 1';

const saltGrammar = /^[0-9a-f]{32}$/;

/**
 * Signs the journals of a server, and tells whether they are authentic. The key comes from the superuser's password, which whoever may only
 * write ConfigMaps can't read. So the seal of a journal stands for everything in it: the record, every note, and the counter.
 * Decision: docs/decisions/0008-journal.md
 */
export class JournalSeal {
  /** By the salt: the key is derived once for a journal, not for each of its notes. */
  private readonly keys = new Map<string, Promise<Uint8Array>>();

  /** @param password of the superuser, as `readPassword` gives it */
  constructor(
    private readonly crypto: Crypto,
    private readonly password: string,
    /** What it signs. */
    private readonly purpose: typeof ofJournal | typeof ofRehearsal = ofJournal,
  ) {}

  /** For the same server, where what one signs is not authentic for the other. */
  for(purpose: typeof ofRehearsal): JournalSeal {
    return new JournalSeal(this.crypto, this.password, purpose);
  }

  /** 32 random hexadecimal digits, for a new journal. */
  newSalt(): string {
    return Array.from(this.crypto.randomBytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** The data with its `seal`; `data.salt` must be one that `newSalt` gave. */
  async sign<D extends JournalData>(
    namespace: string,
    data: D & { readonly salt: string },
  ): Promise<D & { seal: string }> {
    return { ...data, seal: await this.sealOf(namespace, data) };
  }

  /** Whether the data is, to the byte, what somebody who knows the password signed for this namespace. */
  async isAuthentic(namespace: string, data: JournalData): Promise<boolean> {
    const { salt, seal } = data;
    if (salt === undefined || seal === undefined || !saltGrammar.test(salt)) return false;
    return seal === (await this.sealOf(namespace, { ...data, salt }));
  }

  private async sealOf(namespace: string, data: JournalData & { readonly salt: string }): Promise<string> {
    return this.crypto.hmac(await this.keyOf(data.salt), canonical(this.purpose, namespace, data));
  }

  private async keyOf(salt: string): Promise<Uint8Array> {
    const known = this.keys.get(salt);
    if (known !== undefined) return await known;
    const bytes = Uint8Array.from(salt.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
    const key = this.crypto.deriveKey(this.password, bytes);
    this.keys.set(salt, key);
    return await key;
  }
}

/** The same text for the same data only: JSON quotes names and values, and the entries are in the order of their names. */
function canonical(purpose: string, namespace: string, data: JournalData): string {
  const entries = Object.entries(data).filter(([name]) => name !== 'seal');
  return JSON.stringify([purpose, namespace, entries.sort(([a], [b]) => (a < b ? -1 : 1))]);
}
