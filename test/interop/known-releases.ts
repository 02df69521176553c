/** The releases of XRootD whose answers are on record. */
export const knownReleases = ['5.5.3', '5.8.1', '6.2.0'] as const;
export type KnownRelease = (typeof knownReleases)[number];

/** The newest one on record that is not newer than this. */
export function likeRelease(release: string): KnownRelease {
  const order = (text: string) => text.split('.').reduce((sum, part) => sum * 1000 + Number(part), 0);
  return knownReleases.findLast((known) => order(known) <= order(release)) ?? knownReleases[0];
}
