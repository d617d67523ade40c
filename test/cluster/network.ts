// The network between the action and the API server, as a TCP proxy that tests can make a bad one.
import net, { type AddressInfo, type Socket } from 'node:net';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dump, load } from 'js-yaml';
import { environment } from './bench.ts';

interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: Readonly<Record<string, string>> }[];
}

export class Network {
  /** Connections that were refused, by a reset before a byte went over. */
  refused = 0;
  private isDown = false;
  private readonly open = new Set<readonly [Socket, Socket]>();
  /** Of these the action has sent something that nobody has answered yet. */
  private readonly waiting = new Set<Socket>();
  private readonly directory = mkdtempSync(path.join(tmpdir(), 'network-'));
  private readonly server: net.Server;

  private constructor(
    private readonly host: string,
    private readonly port: number,
    private readonly given: Kubeconfig,
  ) {
    this.server = net.createServer((inside) => {
      this.connect(inside);
    });
  }

  /** Begins to listen before the API server of a kubeconfig, by default the administrator's of the bench. */
  static async begin(kubeconfig = environment['KUBECONFIG'] ?? ''): Promise<Network> {
    const given = load(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
    const url = new URL(given.clusters[0]?.cluster['server'] ?? '');
    const network = new Network(url.hostname, Number(url.port || '443'), given);
    await new Promise<void>((resolve) => network.server.listen(0, '127.0.0.1', resolve));
    return network;
  }

  /** The path of the kubeconfig with the proxy's address; the certificate is still checked for the API server's name. */
  kubeconfig(): string {
    const server = `https://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
    const clusters = this.given.clusters.map(({ name, cluster }) => ({
      name,
      cluster: { ...cluster, server, 'tls-server-name': cluster['tls-server-name'] ?? this.host },
    }));
    const file = path.join(this.directory, 'kubeconfig');
    writeFileSync(file, dump({ ...this.given, clusters }), { mode: 0o600 });
    return file;
  }

  /** Every connection is refused and those that live are reset, for as long as it takes. */
  async down(milliseconds: number): Promise<void> {
    this.isDown = true;
    this.reset();
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    this.isDown = false;
  }

  /** Resets the connections that live; answers on how many of them an answer was awaited. */
  reset(): number {
    const { size } = this.waiting;
    for (const [inside, outside] of this.open) {
      inside.resetAndDestroy();
      outside.destroy();
    }
    return size;
  }

  /** From now on nothing goes over the connections that live, and nobody is told; answers on how many an answer is awaited. New ones work. */
  silence(): number {
    for (const [inside, outside] of this.open) {
      inside.unpipe(outside).pause();
      outside.unpipe(inside).pause();
    }
    return this.waiting.size;
  }

  async end(): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(this.directory, { recursive: true });
  }

  private connect(inside: Socket): void {
    if (this.isDown) {
      this.refused++;
      inside.resetAndDestroy();
      return;
    }
    const outside = net.connect(this.port, this.host);
    const pair = [inside, outside] as const;
    this.open.add(pair);
    for (const [socket, other] of [pair, [outside, inside] as const])
      socket
        .on('error', () => undefined)
        .on('close', () => {
          this.open.delete(pair);
          this.waiting.delete(inside);
          other.destroy();
        });
    inside.on('data', () => this.waiting.add(inside));
    outside.on('data', () => this.waiting.delete(inside));
    inside.pipe(outside).pipe(inside);
  }
}
