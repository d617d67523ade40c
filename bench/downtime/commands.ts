// kubectl and helm for the benchmark: asynchronous, since the observer listens all the while.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { environment } from '../../test/cluster/bench.ts';

const execute = promisify(execFile);

export class Commands {
  private readonly options;

  /** @param kubeconfig its path */
  constructor(kubeconfig: string) {
    this.options = { env: { ...process.env, ...environment, KUBECONFIG: kubeconfig }, maxBuffer: 64 * 1024 ** 2 };
  }

  /** @throws Error with what kubectl said */
  async kubectl(...args: string[]): Promise<string> {
    return (await execute('kubectl', args, this.options)).stdout.trim();
  }

  /** @throws Error with what helm said */
  async helm(...args: string[]): Promise<void> {
    await execute('helm', args, this.options);
  }

  /** `kubectl apply` of a manifest. */
  async apply(manifest: object): Promise<void> {
    const call = execute('kubectl', ['apply', '-f', '-'], this.options);
    call.child.stdin?.end(JSON.stringify(manifest));
    await call;
  }
}
