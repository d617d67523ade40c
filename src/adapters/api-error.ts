import { ClusterError, describe } from '../common/errors.ts';
import type { MissingHere } from './http.ts';

/** The fields of a Kubernetes Status object that tell people something. */
interface Status {
  readonly message?: string;
  readonly reason?: string;
}

interface Refusal {
  readonly code: ClusterError['code'];
  readonly remedy: string;
}

const byStatus: Readonly<Record<number, Refusal>> = {
  401: {
    code: 'unauthorized',
    remedy: 'Renew the credentials in the kubeconfig: the API server does not accept them.',
  },
  403: {
    code: 'forbidden',
    remedy: "Give the kubeconfig's user this permission; docs/permissions.md lists all that each mode needs.",
  },
  404: { code: 'not-found', remedy: 'Check the name and the namespace.' },
  409: { code: 'conflict', remedy: 'Somebody else changed or created the object. Look at it, then run again.' },
  422: { code: 'invalid', remedy: "Look at the field that the API server's message names." },
  429: { code: 'too-many-requests', remedy: 'The API server is overloaded. Run again later.' },
};

/** Takes secrets out of words of others before they are cut: half of a secret is not found any more. */
type Redact = (text: string) => string;
const asItIs: Redact = (text) => text;

/** What the API server refused, in its own words. `doing` completes "Can't …". */
export function answerError(doing: string, status: number, body: string, redact: Redact = asItIs): ClusterError {
  // A proxy's page that there is nothing must not be taken for an object that is not there.
  const known: Refusal = (status === 404 && !isJson(body) ? missingApi(body) : byStatus[status]) ?? {
    code: status >= 500 ? 'server-error' : 'refused',
    remedy: "Look at the API server's health and log.",
  };
  return new ClusterError(
    known.code,
    `Can't ${doing}: ${statusMessage(body, redact) || 'no message'} (HTTP ${String(status)}).`,
    known.remedy,
  );
}

/** The API server's own words, in plain text, for an API group or version that it does not serve. */
function missingApi(body: string): Refusal | undefined {
  return body.trim() === '404 page not found'
    ? { code: 'not-served', remedy: 'Install what serves this API (its CustomResourceDefinitions), if it is needed.' }
    : undefined;
}

/**
 * The API server does not accept the credentials (401), also after they were read again.
 * @param origin where they come from
 * @param reason the API server's answer; or, as an Error, why they can't be read again
 */
export function credentialsError(
  doing: string,
  origin: string,
  reason: unknown,
  redact: Redact = asItIs,
): ClusterError {
  const isAnswer = typeof reason === 'string';
  const said = isAnswer
    ? `${statusMessage(reason, redact) || 'no message'} (HTTP 401)`
    : bounded(redact(describe(reason)));
  return new ClusterError(
    'unauthorized',
    `Can't ${doing}: the API server does not accept ${origin}${isAnswer ? '' : " any more, and it can't be read again"}: ${said}.`,
    'Renew these credentials, with a lifetime longer than the upgrade. Then run again: the run resumes an upgrade that has begun.',
    { cause: isAnswer ? undefined : reason },
  );
}

/** A call that never got an answer. */
export function connectionError(doing: string, address: string, error: unknown, redact: Redact = asItIs): ClusterError {
  return new ClusterError(
    'unreachable',
    `Can't ${doing}: no answer from ${address}: ${bounded(redact(describe(error)))}.`,
    'Check the server address in the kubeconfig, the network, and the proxy (proxy-url in the kubeconfig).',
    { cause: error },
  );
}

/** A call that could not be made: what the kubeconfig names is not on this machine. It may come back, so the code is that of a server which is away. */
export function missingHereError(doing: string, { kind, name }: MissingHere, error: unknown): ClusterError {
  const remedy =
    kind === 'program'
      ? `Install ${name} on the runner, where its PATH finds it: the kubeconfig gets its credentials from it (users[].user.exec.command).`
      : `Put ${name} on the runner, or its content into the kubeconfig (for example certificate-authority-data instead of certificate-authority).`;
  return new ClusterError(
    'unreachable',
    `Can't ${doing}: the kubeconfig names the ${kind} ${name}, which is not on this machine.`,
    remedy,
    { cause: error },
  );
}

/** An answer that no API server gives. */
export function foreignAnswerError(
  doing: string,
  address: string,
  body: string,
  redact: Redact = asItIs,
): ClusterError {
  return new ClusterError(
    'foreign-answer',
    `Can't ${doing}: the answer from ${address} is not JSON: ${statusMessage(body, redact)}.`,
    'Check the server address in the kubeconfig, and the network. A proxy or a login page may answer instead of the API server.',
  );
}

/** An answer that is JSON and no object of the Kubernetes API. */
export function strangeAnswerError(doing: string, address: string, what: string): ClusterError {
  return new ClusterError(
    'foreign-answer',
    `Can't ${doing}: ${address} answers ${what}, which no API server does.`,
    'Check the server address in the kubeconfig, and the network between: a proxy may answer instead of the API server.',
  );
}

function isJson(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}

const longestMessage = 1000;
const longestPage = 200;

function statusMessage(body: string, redact: Redact): string {
  try {
    const status = JSON.parse(body) as Status;
    return bounded(redact(status.message ?? status.reason ?? '')).replace(/\.$/, '');
  } catch {
    // Where a page is cut before it is redacted, half of a secret stays far behind what is shown.
    return redact(body.slice(0, 100 * longestPage))
      .slice(0, longestPage)
      .replace(/\s+/g, ' ')
      .trim();
  }
}

/** As much of words of others as people read. */
export function bounded(text: string): string {
  return text.length <= longestMessage
    ? text
    : `${text.slice(0, longestMessage)} … (${String(text.length - longestMessage)} more characters)`;
}
