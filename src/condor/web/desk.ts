import type { Logger } from '../../observe/log.ts';
import type { TrustedProxies } from '../../serve/trusted-proxies.ts';
import type { World } from '../../world/world.ts';
import type { OAuth2Provider, WebSettings } from '../settings.ts';
import type { CredentialPlace } from './asked.ts';
import type { AttemptTable } from './attempt-table.ts';
import type { PinTable } from './pin-table.ts';
import type { FormTokens } from './post-guard.ts';
import type { SessionTable } from './session-table.ts';

/** What every route of the web login works with. */
export interface WebDesk {
  readonly world: World;
  readonly web: WebSettings;
  readonly place: CredentialPlace;
  /** `<SVC>_*` beyond what stands in request files: issuer and user info. */
  oauth2(provider: string): OAuth2Provider | undefined;
  readonly sessions: SessionTable;
  readonly attempts: AttemptTable;
  readonly pins: PinTable;
  readonly forms: FormTokens;
  readonly proxies: TrustedProxies;
  readonly log: Logger;
  /** The path of the prefix, in front of every address: empty, or `/tokens`. */
  readonly base: string;
}
