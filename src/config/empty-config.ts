import { type Config, defaultIssuerLimits } from './config.ts';
import type { Findings } from './finding.ts';

/** What there is when a file cannot be read at all. */
export function emptyConfig(format: Config['format'], file: string, findings: Findings): Config {
  return {
    format,
    file,
    accounts: new Map(),
    wishes: new Map(),
    notify: [],
    limits: defaultIssuerLimits,
    issuerLimits: new Map(),
    store: { kind: 'sqlite' },
    findings: findings.list(),
  };
}
