import type { OpenIssuer } from '../mint/issuer.ts';
import type { Logger } from '../observe/log.ts';
import type { RateLimit } from '../serve/rate-limit.ts';
import type { TrustedProxies } from '../serve/trusted-proxies.ts';
import type { World } from '../world/world.ts';
import type { ClientDirectory } from './client-directory.ts';
import type { ClientTable } from './client-table.ts';
import type { OwnTokens } from './own-tokens.ts';
import type { ServerCounts } from './server-counts.ts';
import type { ServerUrls } from './server-urls.ts';
import type { SignTogether } from './sign-together.ts';

/** What the endpoints share. */
export interface ServerDesk {
  readonly world: Pick<World, 'clock' | 'random'>;
  readonly issuer: OpenIssuer;
  readonly urls: ServerUrls;
  readonly clients: ClientTable;
  readonly directory: ClientDirectory;
  readonly tokens: OwnTokens;
  readonly together: SignTogether;
  readonly proxies: TrustedProxies;
  /** `told` is for lines of the log that anybody can cause: of each address, and of each route while nothing can be answered, only so many. */
  readonly limits: { readonly client: RateLimit; readonly address: RateLimit; readonly told: RateLimit };
  readonly counts: ServerCounts;
  readonly log: Logger;
}
