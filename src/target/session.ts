import { shell } from '../text/shell.ts';
import type { Target } from './target.ts';

type Server = Pick<Target, 'namespace' | 'podName' | 'container' | 'secret'>;

/**
 * The command for a session of the superuser in the server's pod, for people: the server asks for a password there too. psql gets it from the container's
 * variable that is the key of the Secret. Where there is none, it comes from the Secret over psql's input: arguments of `kubectl exec` are in the audit log.
 */
export function sessionIn({ namespace, podName, container, secret }: Server): string {
  const variable = container.env?.find(
    ({ name, valueFrom }) =>
      /^[A-Z_][A-Z0-9_]*$/.test(name) &&
      valueFrom?.secretKeyRef?.name === secret.name &&
      valueFrom.secretKeyRef.key === secret.key,
  );
  if (variable !== undefined)
    return shell`kubectl -n ${namespace} exec -it ${podName} -c ${container.name} -- sh -c ${`PGPASSWORD="$${variable.name}" exec psql -U postgres`}`;
  const field = `{.data.${secret.key.replaceAll('.', String.raw`\.`)}}`;
  return shell`{ kubectl -n ${namespace} get secret ${secret.name} -o jsonpath=${field} | base64 -d; echo; cat; } | kubectl -n ${namespace} exec -i ${podName} -c ${container.name} -- sh -c 'IFS= read -r PGPASSWORD; export PGPASSWORD; exec psql -U postgres'`;
}
