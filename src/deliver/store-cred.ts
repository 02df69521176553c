import type { CommandEnd } from '../world/processes.ts';

/** Which credential condor_store_cred is about. Without a user it is the one of who asks. */
export interface StoredCredential {
  /** `user@domain`; condor_credd looks at the part before the `@` alone, and wants the rest to be there. */
  readonly user?: string;
  readonly service: string;
  readonly handle?: string;
  readonly scopes?: string;
  readonly audience?: string;
}

/** What condor_store_cred answered, once for all its ways to say so. */
export type StoreCredAnswer =
  /** Stored, deleted; or it is there, with a token for jobs. */
  | { readonly kind: 'done' }
  /** Stored, or there; the credmon has not made a token for jobs yet. */
  | { readonly kind: 'pending' }
  | { readonly kind: 'none' }
  /** There, with other scopes or another audience. */
  | { readonly kind: 'mismatch' }
  /** There, and no JSON, so that it has no scopes to compare; the local issuer's are such. */
  | { readonly kind: 'opaque' }
  | { readonly kind: 'not-allowed' }
  | { readonly kind: 'misconfigured' }
  /** Not reached, or not let in: condor_store_cred does not tell these apart. */
  | { readonly kind: 'unreached' }
  | { readonly kind: 'failed'; readonly why: string };

export function storeCredArgs(action: 'add' | 'query' | 'delete', credential: StoredCredential): readonly string[] {
  const { user, service, handle, scopes, audience } = credential;
  return [
    `${action}-oauth`,
    ...option('-u', user),
    ...option('-s', service),
    ...option('-H', handle),
    ...(action === 'delete' ? [] : [...option('-S', scopes), ...option('-A', audience)]),
    // Never in an argument, where everybody sees it.
    ...(action === 'add' ? ['-i', '-'] : []),
  ];
}

const option = (name: string, value: string | undefined): readonly string[] =>
  value === undefined ? [] : [name, value];

/** Its exit status is 0, 1 and 2 only; the rest stands in its sentences (store_cred_failed, condor_store_cred's own prints). */
const sentences: readonly (readonly [RegExp, StoreCredAnswer])[] = [
  [/No credential is stored/, { kind: 'none' }],
  [/not allowed/, { kind: 'not-allowed' }],
  [/Failure parsing credential as JSON/, { kind: 'opaque' }],
  [/configuration error/, { kind: 'misconfigured' }],
  [/communiction was not secure/, { kind: 'unreached' }],
  [/Make sure your ALLOW_WRITE/, { kind: 'unreached' }],
  [/bad arguments/, { kind: 'failed', why: 'condor_credd does not take the name of the user, service or handle' }],
  [/untrusted|not trusted/i, { kind: 'failed', why: 'condor_credd does not trust its vault (TRUSTED_VAULT_HOSTS)' }],
];

export function storeCredAnswer(end: CommandEnd): StoreCredAnswer {
  if (end.kind !== 'exited') return { kind: 'failed', why: `condor_store_cred ${strangeEnd(end)}` };
  if (end.status === 0) return / is waiting for processing/.test(end.stdout) ? { kind: 'pending' } : { kind: 'done' };
  if (end.status === 2) return { kind: 'mismatch' };
  const said = `${end.stdout}\n${end.stderr}`;
  const known = sentences.find(([pattern]) => pattern.test(said))?.[1];
  return known ?? { kind: 'failed', why: `condor_store_cred ended with status ${end.status}` };
}

function strangeEnd(end: Exclude<CommandEnd, { readonly kind: 'exited' }>): string {
  switch (end.kind) {
    case 'killed':
      return `was ended by ${end.signal}`;
    case 'timed-out':
      return 'took too long and was stopped';
    case 'too-much-output':
      return 'said too much and was stopped';
    case 'not-started':
      return `did not start (${end.reason})`;
  }
}
