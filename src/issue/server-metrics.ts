import type { Issuer } from '../mint/issuer.ts';
import type { KeyState } from '../mint/signing-key.ts';
import type { Epoch } from '../token/time.ts';
import type { CountName, ServerCounts } from './server-counts.ts';

export interface ServerFacts {
  readonly issuer: Issuer;
  readonly counts: ServerCounts;
  readonly startedAt: Epoch;
  /** Of the certificate in use, where there is one. */
  readonly certificateEndsAt: Epoch | undefined;
}

const help: Readonly<Record<CountName, string>> = {
  tokens: 'Access tokens that were signed for clients.',
  refusals: 'Requests of known clients that were refused, and requests that could not be read.',
  clients_refused: 'Requests of nobody known: wrong id, wrong secret, wrong or repeated assertion.',
  rate_limited: 'Requests that came too fast.',
  revocations: 'Revocations that were asked for.',
  replays: 'Refresh tokens that came back after their successors were used; their families were revoked.',
  introspections: 'Introspections that were asked for.',
  faults: 'Requests that were answered with server_error or temporarily_unavailable; the log says why.',
};

/** The server in the Prometheus text format 0.0.4. Counters go from zero at every start. */
export async function serverMetrics({ issuer, counts, startedAt, certificateEndsAt }: ServerFacts): Promise<string> {
  const counters = Object.entries(help).map(([name, text]) =>
    family(`${name}_total`, 'counter', text, counts.samples(name as CountName)),
  );
  const keys = await issuer.keys().catch(() => undefined);
  const states = ['next', 'signing', 'retired'] as const satisfies readonly KeyState[];
  const signing = keys?.find(({ state }) => state === 'signing');
  return [
    family('start_time_seconds', 'gauge', 'When the server was started.', [['', startedAt / 1000]]),
    family('database_up', 'gauge', 'Whether the database answers.', [['', keys === undefined ? 0 : 1]]),
    ...counters,
    family(
      'keys',
      'gauge',
      'Signing keys that are published, by state.',
      states.map((state) => [`state="${state}"`, keys?.filter((key) => key.state === state).length ?? 0]),
    ),
    family(
      'signing_since_seconds',
      'gauge',
      'Since when the present key signs.',
      signing?.signsSince === undefined ? [] : [['', signing.signsSince / 1000]],
    ),
    family(
      'certificate_expiry_seconds',
      'gauge',
      'When the TLS certificate in use ends.',
      certificateEndsAt === undefined ? [] : [['', certificateEndsAt / 1000]],
    ),
  ].join('');
}

type Sample = readonly [labels: string, value: number];

function family(name: string, type: 'gauge' | 'counter', text: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return '';
  const whole = `tokeep_issuer_${name}`;
  const lines = samples.map(([labels, value]) => `${whole}${labels === '' ? '' : `{${labels}}`} ${value}\n`);
  return `# HELP ${whole} ${text}\n# TYPE ${whole} ${type}\n${lines.join('')}`;
}
