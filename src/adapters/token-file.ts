import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { KubeConfig, User } from '@kubernetes/client-node';
import { load } from 'js-yaml';

/** A user whose token comes from a file. */
export type TokenFileUser = User & { readonly tokenFile?: string };

interface RawUsers {
  readonly users?: readonly { readonly name?: string; readonly user?: { readonly tokenFile?: string } | null }[];
}

/**
 * Reads the tokens of users that have a `tokenFile`. The library leaves the field
 * out (it knows `token-file`, which no other tool writes), and would call as nobody.
 * @param text of the kubeconfig that was just loaded
 * @param directory what a path in it is relative to
 * @throws Error when the file can't be read
 */
export function readTokenFiles(config: KubeConfig, text: string, directory: string): void {
  const { users = [] } = (load(text) as RawUsers | undefined) ?? {};
  const files = new Map(users.map(({ name, user }) => [name, user?.tokenFile]));
  config.users = config.users.map((user): TokenFileUser => {
    const file = files.get(user.name);
    if (file === undefined) return user;
    const tokenFile = path.resolve(directory, file);
    // A device never ends.
    if (!statSync(tokenFile).isFile()) throw new Error(`the tokenFile of user "${user.name}" is not a file`);
    // As kubectl does it, the file is preferred to a token beside it.
    return { ...user, token: readFileSync(tokenFile, 'utf8').trim(), tokenFile };
  });
}
