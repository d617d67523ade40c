/** The first release of CircleCI Server for which the vendor's upgrade script is made (its README). */
export const firstRelease = '4.9';

/**
 * The majors, images and tags as data. Sources: the vendor's upgrade page for
 * server 4.10 and its upgrade script's defaults (both name one tag for 4.9 and 4.10).
 */
export const upgrade = {
  from: 12,
  to: 14,
  /** Tag of the PostgreSQL 14 image by release of CircleCI Server. */
  tags: { '4.9': '14.22.4094-4922444', '4.10': '14.22.4094-4922444' } as Readonly<Record<string, string>>,
  images: {
    acr: {
      registry: 'cciserver.azurecr.io',
      repository: 'server-postgres',
      upgradeImage: 'cciserver.azurecr.io/server-postgres-upgrade:12-14',
    },
    'docker-hub': {
      registry: 'docker.io',
      repository: 'circleci/server-postgres',
      upgradeImage: 'docker.io/circleci/server-postgres-upgrade:12-14',
    },
  },
} as const;
