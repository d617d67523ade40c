import { ClusterError, describe } from '../errors.ts';

/** The fields of a Kubernetes Status object that tell people something. */
interface Status {
  readonly message?: string;
  readonly reason?: string;
}

const byStatus: Readonly<Record<number, { code: string; remedy: string }>> = {
  401: {
    code: 'unauthorized',
    remedy: 'Renew the credentials in the kubeconfig: the API server does not accept them.',
  },
  403: {
    code: 'forbidden',
    remedy: "Give the kubeconfig's user this permission; the README lists all that each mode needs.",
  },
  404: { code: 'not-found', remedy: 'Check the name and the namespace.' },
  409: { code: 'conflict', remedy: 'Somebody else changed or made the object; look at it, then run again.' },
  422: { code: 'invalid', remedy: 'The API server names the field; see its message.' },
  429: { code: 'too-many-requests', remedy: 'The API server is overloaded; run again later.' },
};

/** What the API server refused, in its own words. `doing` completes "Can't …". */
export function answerError(doing: string, status: number, body: string): ClusterError {
  const known = byStatus[status] ?? {
    code: status >= 500 ? 'server-error' : 'refused',
    remedy: "Look at the API server's health and log.",
  };
  return new ClusterError(
    known.code,
    `Can't ${doing}: ${statusMessage(body) || 'no message'} (HTTP ${String(status)}).`,
    known.remedy,
  );
}

/** A call that never got an answer. */
export function connectionError(doing: string, address: string, error: unknown): ClusterError {
  return new ClusterError(
    'unreachable',
    `Can't ${doing}: no answer from ${address}: ${describe(error)}.`,
    'Check the server address in the kubeconfig, the network, and the proxy (proxy-url in the kubeconfig).',
    { cause: error },
  );
}

function statusMessage(body: string): string {
  try {
    const status = JSON.parse(body) as Status;
    return (status.message ?? status.reason ?? '').replace(/\.$/, '');
  } catch {
    return body.slice(0, 200).replace(/\s+/g, ' ').trim();
  }
}
