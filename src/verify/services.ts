import { type LibraryRelease, libraries } from './quirks-libscitokens.ts';

export type Service = 'xrootd' | 'htcondor-ce';

/** XRootD, by what a release of it does otherwise than the others. */
export interface XrootdHabits {
  /** How the path of a right is compared with the one asked for. */
  readonly paths: 'letters' | 'segments';
  /** Whether writing includes asking for size and time, and doing so and making directories on the way to a scope's path. */
  readonly statOfWriters: boolean;
  /** `within`: a scope above a restricted path gives nothing. */
  readonly restrictedPaths: 'within' | 'intersection';
  readonly staging: boolean;
  readonly headerNames: 'with case' | 'without case';
  /** Whether `authorization_strategy` is known. */
  readonly strategies: boolean;
}

/** A release that was asked, black box; `habits` are XRootD's. */
export interface ServiceRelease {
  readonly service: Service;
  readonly version: string;
  readonly library: LibraryRelease;
  /** Where it comes from, in words. */
  readonly from: string;
  readonly habits?: XrootdHabits;
}

/** The releases that are known here, oldest first. Each was run and asked with the tokens of the matrix in the tests. */
export const releases: readonly ServiceRelease[] = [
  {
    service: 'xrootd',
    version: '5.5.3',
    library: libraries['0.7.3'],
    from: 'Debian 12',
    habits: {
      paths: 'letters',
      statOfWriters: false,
      restrictedPaths: 'within',
      staging: false,
      headerNames: 'with case',
      strategies: false,
    },
  },
  {
    service: 'xrootd',
    version: '5.8.1',
    library: libraries['1.1.3'],
    from: 'Debian 13',
    habits: {
      paths: 'segments',
      statOfWriters: true,
      restrictedPaths: 'intersection',
      staging: false,
      headerNames: 'without case',
      strategies: true,
    },
  },
  {
    service: 'xrootd',
    version: '6.2.0',
    library: libraries['1.4.1'],
    from: 'Debian unstable, 2026',
    habits: {
      paths: 'segments',
      statOfWriters: true,
      restrictedPaths: 'intersection',
      staging: true,
      headerNames: 'without case',
      strategies: true,
    },
  },
  { service: 'htcondor-ce', version: '23.9.6', library: libraries['1.1.3'], from: 'feature series of 2024' },
];

/** What the service is called by people. */
export const serviceNames: Readonly<Record<Service, string>> = { xrootd: 'XRootD', 'htcondor-ce': 'HTCondor-CE' };

/** The program that decides there, to which the versions belong. */
const programs: Readonly<Record<Service, string>> = { xrootd: 'XRootD', 'htcondor-ce': 'HTCondor' };

/** The releases of a service, by its own version or that of libscitokens; all where none is named, none where it is not known. */
export function releasesOf(service: Service, named?: string): readonly ServiceRelease[] {
  const own = releases.filter((release) => release.service === service);
  return named === undefined ? own : own.filter(({ version, library }) => [version, library.version].includes(named));
}

/** `XRootD 5.5.3 with libscitokens 0.7.3`. */
export const releaseName = ({ service, version, library }: ServiceRelease): string =>
  `${programs[service]} ${version} with libscitokens ${library.version}`;
