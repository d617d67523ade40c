// kubectl and helm for the benchmark: asynchronous, since the observer listens all the while.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { environment } from '../../test/cluster/bench.ts';

const execute = promisify(execFile);
const options = { env: { ...process.env, ...environment }, maxBuffer: 64 * 1024 ** 2 };

/** @throws Error with what kubectl said */
export async function kubectl(...args: string[]): Promise<string> {
  return (await execute('kubectl', args, options)).stdout.trim();
}

/** @throws Error with what helm said */
export async function helm(...args: string[]): Promise<void> {
  await execute('helm', args, options);
}

/** `kubectl apply` of a manifest. */
export async function apply(manifest: object): Promise<void> {
  const call = execute('kubectl', ['apply', '-f', '-'], options);
  call.child.stdin?.end(JSON.stringify(manifest));
  await call;
}
