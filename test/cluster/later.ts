// The bench's API server as a run sees it that comes later: through a proxy whose answers carry a later time.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dump, load } from 'js-yaml';
import { makeCertificates } from '../scenario/certificates.ts';
import { environment } from './bench.ts';

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { server: string; 'certificate-authority-data': string } }[];
  readonly users: readonly { readonly user: { 'client-certificate-data': string; 'client-key-data': string } }[];
}

/**
 * Lets a run see the API server's clock this much ahead. The action tells the age of what it finds by that clock alone.
 * @param seconds how much later
 * @param run gets the path of a kubeconfig of the bench's administrator
 */
export async function later<T>(seconds: number, run: (kubeconfig: string) => Promise<T>): Promise<T> {
  const given = load(readFileSync(environment['KUBECONFIG'] ?? '', 'utf8')) as Kubeconfig;
  const [cluster, user] = [given.clusters[0]?.cluster, given.users[0]?.user];
  const bytes = (base64 = '') => Buffer.from(base64, 'base64');
  const { protocol, hostname, port } = new URL(cluster?.server ?? '');
  const api = {
    ...{ protocol, hostname, port, ca: bytes(cluster?.['certificate-authority-data']) },
    ...{ cert: bytes(user?.['client-certificate-data']), key: bytes(user?.['client-key-data']) },
  };
  const { authority, server } = makeCertificates();
  const proxy = https.createServer({ cert: server.certificate, key: server.key });
  const forwarded = ({ url = '', method, headers }: IncomingMessage) =>
    https.request({ ...api, path: url, method, headers });
  proxy.on('request', (request: IncomingMessage, answer) => {
    const call = forwarded(request).on('error', () => answer.destroy());
    call.on('response', (response) => {
      const date = new Date(Date.parse(response.headers.date ?? '') + seconds * 1000);
      answer.writeHead(response.statusCode ?? 502, { ...response.headers, date: date.toUTCString() });
      response.pipe(answer);
    });
    request.pipe(call);
  });
  // Commands in pods: the connection becomes another protocol's.
  proxy.on('upgrade', (request: IncomingMessage, inside, first) => {
    const call = forwarded(request).on('error', () => inside.destroy());
    call.on('upgrade', (response, outside, head) => {
      const lines = Object.entries(response.headers).map(([name, value]) => `${name}: ${String(value)}`);
      inside.write(['HTTP/1.1 101 Switching Protocols', ...lines, '', ''].join('\r\n'));
      inside.write(head);
      outside.write(first);
      inside.pipe(outside).pipe(inside);
      inside.on('error', () => outside.destroy());
      outside.on('error', () => inside.destroy());
    });
    call.end();
  });
  const directory = mkdtempSync(path.join(tmpdir(), 'later-'));
  try {
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const address = `https://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`;
    const file = path.join(directory, 'kubeconfig');
    const ahead = { server: address, 'certificate-authority-data': Buffer.from(authority).toString('base64') };
    const clusters = given.clusters.map((of) => ({ ...of, cluster: ahead }));
    writeFileSync(file, dump({ ...given, clusters }), { mode: 0o600 });
    return await run(file);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
    rmSync(directory, { recursive: true });
  }
}
