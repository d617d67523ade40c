import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** A server over HTTP or HTTPS that ends at once, with whatever connections are open. */
export class Listener {
  private readonly connections = new Set<Socket>();
  private readonly server: Server;

  constructor(
    tls: { readonly cert: string; readonly key: string } | undefined,
    handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  ) {
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      void handle(request, response);
    };
    this.server = tls === undefined ? createServer(serve) : https.createServer(tls, serve);
    this.server.on('connection', (socket: Socket) => {
      this.connections.add(socket);
      socket.on('close', () => this.connections.delete(socket));
    });
  }

  async listen(port: number, host: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.on('error', reject);
      this.server.listen(port, host, resolve);
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.connections) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
