import type { V1Secret } from '@kubernetes/client-node';
import { ConfigurationError } from '../common/errors.ts';
import type { ClusterReader } from '../ports/cluster.ts';
import { copyable } from '../text/commands.ts';
import { shell } from '../text/shell.ts';
import type { Target } from './target.ts';

/**
 * The superuser's password. A line break at the end of the value (a frequent
 * slip of `echo … | base64`) is no part of it.
 * @param mask called with the password and what it is, and with every other value of the Secret
 * @throws ConfigurationError when the Secret or the key does not exist (it names the keys that do), or when the value can't be a password
 */
export async function readPassword(
  cluster: ClusterReader,
  target: Pick<Target, 'namespace' | 'secret'>,
  mask: (secret: string, name?: string) => void,
): Promise<string> {
  const { namespace, secret } = target;
  const object: V1Secret | undefined = await cluster.find('secrets', secret.name, namespace);
  if (object === undefined) {
    throw new ConfigurationError(
      'secret-not-found',
      `There is no Secret "${secret.name}" in namespace "${namespace}".`,
      `Set "secret-name" to the one with PostgreSQL's superuser password (${copyable(shell`kubectl -n ${namespace} get secrets`)}).`,
    );
  }
  const data = object.data ?? {};
  const encoded = Object.hasOwn(data, secret.key) ? data[secret.key] : undefined;
  if (encoded === undefined) {
    const keys = Object.keys(data).join(', ') || 'none';
    throw new ConfigurationError(
      'secret-key-not-found',
      `Secret "${secret.name}" in namespace "${namespace}" has no key "${secret.key}"; its keys: ${keys}.`,
      'Set "secret-key" to the key that holds the superuser\'s password.',
    );
  }
  for (const value of Object.values(object.data ?? {})) mask(Buffer.from(value, 'base64').toString('utf8'));
  const password = textOf(Buffer.from(encoded, 'base64'))?.replace(/\r?\n$/, '');
  // psql gets the password as the first line of its input: what follows a line end would be taken for a script.
  if (password !== undefined && !/[\n\0]/.test(password)) {
    mask(password, `the superuser's password (key ${secret.key} of Secret ${secret.name})`);
    return password;
  }
  throw new ConfigurationError(
    'password-unusable',
    `Key "${secret.key}" of Secret "${secret.name}" in namespace "${namespace}" can't be a password. It has ${password === undefined ? 'bytes that are not UTF-8' : 'a line end or a NUL in the middle'}.`,
    'Set "secret-key" to the key that holds the superuser\'s password, or write the password into the Secret in one line.',
  );
}

/** Undefined for what is not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
