import { ownerLabel } from '../objects/pod.ts';

interface Limited {
  readonly resource: string;
  readonly group: string;
  readonly operation: 'UPDATE' | 'DELETE';
  /** In CEL, all of which must hold. */
  readonly rule: readonly string[];
  readonly message: string;
}

/** What an upgrade or a cleanup may do to objects whose names are made during a run, so that no Role can name them. */
function limits(namespace: string, mode: 'upgrade' | 'cleanup'): readonly Limited[] {
  const [label, value] = Object.entries(ownerLabel)[0] ?? [];
  const claimOf = (object: string) =>
    `has(${object}.spec.claimRef) && ${object}.spec.claimRef.namespace == '${namespace}'`;
  const snapshotOf = (object: string) => `${object}.spec.volumeSnapshotRef.namespace == '${namespace}'`;
  return [
    {
      ...{ resource: 'persistentvolumes', group: '', operation: 'UPDATE' },
      rule: [claimOf('oldObject'), claimOf('object')],
      message: `only volumes of claims in namespace ${namespace}`,
    },
    {
      ...{ resource: 'volumesnapshotcontents', group: 'snapshot.storage.k8s.io', operation: 'UPDATE' },
      rule: [snapshotOf('oldObject'), snapshotOf('object')],
      message: `only contents of snapshots in namespace ${namespace}`,
    },
    {
      ...{ resource: 'volumesnapshots', group: 'snapshot.storage.k8s.io', operation: 'DELETE' },
      rule: [
        `oldObject.metadata.namespace == '${namespace}'`,
        `has(oldObject.metadata.labels) && '${label ?? ''}' in oldObject.metadata.labels && oldObject.metadata.labels['${label ?? ''}'] == '${value ?? ''}'`,
      ],
      message: `only snapshots in namespace ${namespace} that the action made`,
    },
    ...(mode === 'upgrade'
      ? []
      : [
          {
            ...{ resource: 'persistentvolumeclaims', group: '', operation: 'DELETE' as const },
            rule: [`oldObject.metadata.name.matches('-before-upgrade-[0-9]{14}$')`],
            message: `only backups that the action made in namespace ${namespace}`,
          },
        ]),
  ];
}

/**
 * Lines of YAML with ValidatingAdmissionPolicies (Kubernetes 1.30 and later) and their bindings, which keep a service account of the namespace
 * to what belongs to the namespace. They say nothing about anybody else.
 * @param account name of the service account
 * @param mode what it is for
 */
export function admissionPolicies(
  namespace: string,
  account: string,
  mode: 'upgrade' | 'cleanup' = 'upgrade',
): string[] {
  const api = 'apiVersion: admissionregistration.k8s.io/v1';
  return limits(namespace, mode).flatMap(({ resource, group, operation, rule, message }, index) => {
    const name = `${namespace}-${account}-${resource}`;
    return [
      ...(index === 0 ? [] : ['---']),
      api,
      'kind: ValidatingAdmissionPolicy',
      `metadata: { name: ${name} }`,
      'spec:',
      '  failurePolicy: Fail',
      '  matchConstraints:',
      '    resourceRules:',
      `      - { apiGroups: ['${group}'], apiVersions: ['*'], operations: [${operation}], resources: ['${resource}'] }`,
      '  matchConditions:',
      '    - name: by-this-account',
      `      expression: "request.userInfo.username == 'system:serviceaccount:${namespace}:${account}'"`,
      '  validations:',
      ...rule.flatMap((expression) => [`    - expression: "${expression}"`, `      message: ${message}`]),
      '---',
      api,
      'kind: ValidatingAdmissionPolicyBinding',
      `metadata: { name: ${name} }`,
      `spec: { policyName: ${name}, validationActions: [Deny] }`,
    ];
  });
}
