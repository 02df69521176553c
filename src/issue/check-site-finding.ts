/** Whose turn it is: who keeps the keys, who runs the web server, or nobody's since it passes. */
export type Turn = 'issuer' | 'web-server' | 'wait';

/** `error`: services refuse tokens, or will. `unreachable`: nothing can be said at the moment. */
export interface SiteFinding {
  readonly severity: 'ok' | 'warning' | 'error' | 'unreachable';
  /** In the manner of a Fault. */
  readonly sentence: string;
  readonly turn?: Turn;
  readonly hint?: string;
}

export const ok = (sentence: string): SiteFinding => ({ severity: 'ok', sentence });

type Details = Omit<SiteFinding, 'severity' | 'sentence'>;
export const warning = (sentence: string, details: Details): SiteFinding => ({
  severity: 'warning',
  sentence,
  ...details,
});
export const wrong = (sentence: string, details: Details): SiteFinding => ({ severity: 'error', sentence, ...details });

export const publishAgain: Details = { turn: 'issuer', hint: 'publish again: tokeep issuer publish OUTDIR' };
