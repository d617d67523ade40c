// Who else decides about what is made in the namespace: a webhook and a policy, which lie in none.
import { namespace } from './bench.ts';

export const webhook = `${namespace}-policy`;
export const policy = `${namespace}-no-jobs`;
const here = { matchLabels: { 'kubernetes.io/metadata.name': namespace } };

/** Nobody listens there. */
export function silentWebhook(): object {
  const client = { url: 'https://127.0.0.1:9/validate' };
  const rules = [{ apiGroups: ['batch'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['jobs'] }];
  return {
    ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration' },
    metadata: { name: webhook },
    webhooks: [
      {
        ...{ name: 'silent.bench.local', clientConfig: client, rules, namespaceSelector: here },
        ...{ admissionReviewVersions: ['v1'], sideEffects: 'None', failurePolicy: 'Fail', timeoutSeconds: 1 },
      },
    ],
  };
}

export function refusingJobs(): object[] {
  const resourceRules = [{ apiGroups: ['batch'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['jobs'] }];
  const of = (kind: string) => ({ apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name: policy } });
  return [
    {
      ...of('ValidatingAdmissionPolicy'),
      spec: {
        matchConstraints: { namespaceSelector: here, resourceRules },
        validations: [{ expression: 'false', message: 'no Jobs here' }],
      },
    },
    { ...of('ValidatingAdmissionPolicyBinding'), spec: { policyName: policy, validationActions: ['Deny'] } },
  ];
}
