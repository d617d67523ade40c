import type { V1Secret } from '@kubernetes/client-node';
import { ConfigurationError } from '../errors.ts';
import type { Cluster } from '../ports/cluster.ts';
import { copyable } from '../text/commands.ts';
import { shell } from '../text/shell.ts';
import type { Target } from './target.ts';

/**
 * The superuser's password. A line break at the end of the value (a frequent
 * slip of `echo … | base64`) is no part of it.
 * @throws ConfigurationError when the Secret or the key is not there, naming the keys that are
 */
export async function readPassword(cluster: Cluster, target: Pick<Target, 'namespace' | 'secret'>): Promise<string> {
  const { namespace, secret } = target;
  const object: V1Secret | undefined = await cluster.find('secrets', secret.name, namespace);
  if (object === undefined) {
    throw new ConfigurationError(
      'secret-not-found',
      `There is no Secret "${secret.name}" in namespace "${namespace}".`,
      `Set "secret-name" to the one with PostgreSQL's superuser password (${copyable(shell`kubectl -n ${namespace} get secrets`)}).`,
    );
  }
  const encoded = object.data?.[secret.key];
  if (encoded === undefined) {
    const keys = Object.keys(object.data ?? {}).join(', ') || 'none';
    throw new ConfigurationError(
      'secret-key-not-found',
      `Secret "${secret.name}" in namespace "${namespace}" has no key "${secret.key}"; its keys: ${keys}.`,
      'Set "secret-key" to the key that holds the superuser\'s password.',
    );
  }
  return Buffer.from(encoded, 'base64')
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
