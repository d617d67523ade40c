import type { DatabaseFacts, ServerFacts } from '../database/server.ts';
import { PrecheckError } from '../common/errors.ts';
import type { Inputs } from '../inputs/inputs.ts';
import type { InitdbSettings, JobSettings } from './upgrade-job.ts';
import { wholeCpus } from '../inputs/resources.ts';

/**
 * What initdb makes the new cluster with: encoding and locale of the running server's template1. No input overrides them, since pg_upgrade refuses any others.
 * Decision: docs/decisions/0025-inputs-and-events.md
 * @throws PrecheckError `no-template1` where the server has no template1
 */
export function initdbSettings(superuser: string, databases: readonly DatabaseFacts[]): InitdbSettings {
  const template1 = databases.find((d) => d.name === 'template1');
  if (template1 === undefined)
    throw new PrecheckError(
      'no-template1',
      'The server has no database template1, which pg_upgrade needs.',
      'CREATE DATABASE template1 TEMPLATE template0',
    );
  const postgres = databases.find((d) => d.name === 'postgres');
  return {
    superuser,
    encoding: template1.encoding,
    collate: template1.collate,
    ctype: template1.ctype,
    postgres:
      postgres === undefined
        ? undefined
        : { encoding: postgres.encoding, collate: postgres.collate, ctype: postgres.ctype },
  };
}

/** Parallel jobs of pg_upgrade and ANALYZE: they parallelise by database, and more than the CPUs don't help. */
export function parallelJobs(given: number | undefined, databases: number, cpus: number): number {
  return given ?? Math.max(1, Math.min(databases, cpus));
}

/** The settings of the Job, without the upgrade that it belongs to. */
export function jobSettings(
  inputs: Inputs,
  server: ServerFacts,
  databases: readonly DatabaseFacts[],
): Omit<JobSettings, 'runId'> {
  const { resources } = inputs;
  return {
    image: inputs.upgradeImage,
    imagePullSecret: inputs.imagePullSecret,
    resources,
    jobs: parallelJobs(inputs.jobs, databases.length, wholeCpus(resources)),
    transfer: inputs.transfer,
    initdb: initdbSettings(server.bootstrapSuperuser, databases),
  };
}
