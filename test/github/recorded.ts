import type { IncomingMessage } from 'node:http';

export interface Recorded {
  readonly method: string;
  /** Decoded, without the API's own prefix. */
  readonly path: string;
  readonly route: string | undefined;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  status: number;
}

/** `POST /repos/octo-org/infrastructure/pulls 201` */
export function line({ method, path, status }: Recorded): string {
  return `${method} ${path} ${String(status)}`;
}

export const unreadable = Symbol('not JSON');

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return unreadable;
  }
}

export async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
