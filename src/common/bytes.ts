// Quantities of Kubernetes, and bytes as people read them.

/** What the suffixes of a quantity stand for; https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const units: Readonly<Record<string, number>> = {
  ...{ '': 1, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 },
};
const quantityForm = /^(\d{1,18}(?:\.\d{1,9})?)(m|[kKMGTPE]i?|)$/;

/** @returns undefined for what is no quantity such as `500m`, `8Gi` or `10737418240` */
export function amountOf(text: string): number | undefined {
  const [, number, suffix = ''] = quantityForm.exec(text) ?? [];
  const unit = units[suffix];
  return number === undefined || unit === undefined ? undefined : Number(number) * unit;
}

/** @returns undefined where there is no quantity */
export function bytesOf(quantity: string | undefined): number | undefined {
  const amount = amountOf(quantity ?? '');
  return amount === undefined ? undefined : Math.round(amount);
}

const sizes = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const;

/** `1.5 GiB`, `20 MiB`, `512 bytes`: at most one digit after the point. */
export function bytesText(bytes: number): string {
  const [unit, size] = sizes.find(([, one]) => bytes >= one) ?? ['bytes', 1];
  const amount = Math.round((bytes / size) * 10) / 10;
  return `${String(amount)} ${unit}`;
}
