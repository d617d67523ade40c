import type { RequestOptions } from 'node:https';
import type { KubeConfig, User } from '@kubernetes/client-node';

/** A secret, and what it is, for people. */
export interface Secret {
  readonly value: string;
  readonly name: string;
}

/** Fields of a provider, variables and options of a program that hold secrets, by their names. */
const secretName =
  /(?:token|secret|passw(?:or)?d|passphrase|credentials?|(?:api|access|private|account|secret)[-_]?key)$/i;

/** All secrets that a kubeconfig holds, also those of users that are not the current one. */
export function secretsOf(config: KubeConfig): Secret[] {
  const addresses = config.clusters.flatMap(({ name, server, proxyUrl }) =>
    [server, proxyUrl].map((address) =>
      named(`the password in an address of cluster "${name}" in the kubeconfig`, passwordIn(address)),
    ),
  );
  return [...config.users.flatMap(secretsOfUser), ...addresses].filter(({ value }) => value !== '');
}

function secretsOfUser(user: User): Secret[] {
  const of = (what: string) => `${what} of user "${user.name}" in the kubeconfig`;
  const provider =
    (user.authProvider as { readonly config?: Readonly<Record<string, unknown>> } | undefined)?.config ?? {};
  const { env, args } = (user.exec ?? {}) as {
    readonly env?: readonly { readonly name?: string; readonly value?: string }[] | null;
    readonly args?: readonly string[] | null;
  };
  return [
    named(of('the token'), user.token),
    named(of('the password'), user.password),
    named(of('the key'), user.keyData === undefined ? '' : Buffer.from(user.keyData, 'base64').toString('utf8')),
    ...Object.entries(provider)
      .filter(([field]) => secretName.test(field))
      .map(([field, value]) => named(of(field), value)),
    ...(env ?? [])
      .filter(({ name = '' }) => secretName.test(name))
      .map(({ name = '', value }) => named(of(`variable ${name}`), value)),
    ...secretArguments(args ?? []).map((value) => named(of('an argument of the program'), value)),
  ];
}

/** `--token=…`, and `--token …`. */
function secretArguments(given: readonly string[]): string[] {
  return given.flatMap((argument, at) => {
    const [, option = '', , value] = /^--?([\w-]+)(=([^]*))?$/.exec(argument) ?? [];
    return secretName.test(option) ? [value ?? given[at + 1] ?? ''] : [];
  });
}

/** What a call is authorized by. */
export function secretsOfOptions({ headers, auth, key, passphrase }: RequestOptions, origin: string): Secret[] {
  const { Authorization: authorization } = (headers ?? {}) as { readonly Authorization?: unknown };
  const keys = Array.isArray(key) ? [] : [key];
  return [
    named(origin, typeof authorization === 'string' ? authorization.replace(/^\S+\s+/, '') : ''),
    named(`the password of ${origin}`, auth?.slice(auth.indexOf(':') + 1)),
    named(`the key of ${origin}`, keys.map((one) => one?.toString() ?? '').join('')),
    named(`the passphrase of ${origin}`, passphrase),
  ].filter(({ value }) => value !== '');
}

function named(name: string, value: unknown): Secret {
  return { name, value: typeof value === 'string' ? value : '' };
}

function passwordIn(address: string | undefined): string {
  const userinfo = /:\/\/([^/?#]*)@/.exec(address ?? '')?.[1] ?? '';
  const password = userinfo.slice(userinfo.indexOf(':') + 1);
  try {
    return decodeURIComponent(password);
  } catch {
    return password;
  }
}
