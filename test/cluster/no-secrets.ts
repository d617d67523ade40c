// Holds for every run on the bench, whatever happens in it: no secret of the bench is in what it tells.
import { existsSync, readFileSync } from 'node:fs';
import { leaksIn, secretsOfKubeconfig, type Places } from '../leaks.ts';
import { environment, kubectl, namespace } from './bench.ts';

let passwords: Readonly<Record<string, string>> | undefined;

/** Of the server's Secret; read once, since it stays the same. */
function readPasswords(): Readonly<Record<string, string>> {
  const { data = {} } = JSON.parse(kubectl('-n', namespace, 'get', 'secret', 'postgresql', '-o', 'json')) as {
    readonly data?: Readonly<Record<string, string>>;
  };
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8').trim()]),
  );
}

/**
 * @param kubeconfig a path, or the content; nothing to look for where there is no such file
 * @throws Error naming each secret that is there, the form that it has, and the place
 */
export function expectNoSecrets(places: Places, kubeconfig: string = environment['KUBECONFIG'] ?? ''): void {
  passwords ??= readPasswords();
  const leaks = leaksIn(places, { ...passwords, ...secretsOfKubeconfig(contentOf(kubeconfig)) });
  if (leaks.length > 0) throw new Error(`secrets were told: ${leaks.join('; ')}`);
}

function contentOf(kubeconfig: string): string {
  if (kubeconfig.includes('\n')) return kubeconfig;
  return existsSync(kubeconfig) ? readFileSync(kubeconfig, 'utf8') : '{}';
}
