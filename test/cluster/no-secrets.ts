// Holds for every run on the bench, whatever happens in it: no secret of the bench is in what it tells.
import { existsSync, readFileSync } from 'node:fs';
import { leaksIn, secretsOfKubeconfig, type Places } from '../leaks.ts';
import { environment, kubectl, namespace } from './bench.ts';

const passwords = new Map<string, Readonly<Record<string, string>>>();

/** Of the Secret of a server; read once, since it stays the same. A namespace without a server has those of the tests' own. */
function passwordsIn(server: string): Readonly<Record<string, string>> {
  const known = passwords.get(server);
  if (known !== undefined) return known;
  const optional = server === namespace ? [] : ['--ignore-not-found'];
  const secret = kubectl('-n', server, 'get', 'secret', 'postgresql', '-o', 'json', ...optional);
  if (secret === '') return passwordsIn(namespace);
  const { data = {} } = JSON.parse(secret) as { readonly data?: Readonly<Record<string, string>> };
  const read = Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8').trim()]),
  );
  passwords.set(server, read);
  return read;
}

/**
 * @param kubeconfig a path, or the content; nothing to look for where there is no such file
 * @param server the namespace of the server
 * @throws Error naming each secret that is there, the form that it has, and the place
 */
export function expectNoSecrets(
  places: Places,
  kubeconfig: string = environment['KUBECONFIG'] ?? '',
  server = namespace,
): void {
  const leaks = leaksIn(places, { ...passwordsIn(server), ...secretsOfKubeconfig(contentOf(kubeconfig)) });
  if (leaks.length > 0) throw new Error(`secrets were told: ${leaks.join('; ')}`);
}

function contentOf(kubeconfig: string): string {
  if (kubeconfig.includes('\n')) return kubeconfig;
  return existsSync(kubeconfig) ? readFileSync(kubeconfig, 'utf8') : '{}';
}
