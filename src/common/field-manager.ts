/** Name under which the API server notes what we change (metadata.managedFields). */
export const fieldManager = 'circleci-server-postgresql-upgrade';
