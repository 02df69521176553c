import { type RegistrationOutcome, type RegistrationWish, registerClient } from '../../acquire/registration.ts';
import type { World } from '../../world/world.ts';

/** Where oidc-agent listens when somebody logs in with its browser flow; it takes no account without one of these ports. */
const ports: readonly string[] = ['http://localhost:4242', 'http://localhost:8080'];

/** With the scheme that oidc-agent's desktop part answers to. */
export const agentRedirects: readonly string[] = ['edu.kit.data.oidc-agent:/redirect', ...ports];

export interface AgentRegistration {
  readonly outcome: RegistrationOutcome;
  /** What the account file is to name. */
  readonly redirects: readonly string[];
}

/**
 * Registers a client that oidc-agent can go on with. An issuer may refuse schemes of programs: only then, after its clear
 * no, a second request goes out without it.
 */
export async function registerAgentClient(
  world: World,
  wish: Omit<RegistrationWish, 'redirects'>,
): Promise<AgentRegistration> {
  const outcome = await registerClient(world, { ...wish, redirects: agentRedirects });
  const dislikes = outcome.kind === 'not-registered' && redirectErrors.has(outcome.oauthError ?? '');
  if (!dislikes) return { outcome, redirects: agentRedirects };
  return { outcome: await registerClient(world, { ...wish, redirects: ports }), redirects: ports };
}

/** RFC 7591 section 3.2.2; some call every fault of the request by the second name. */
const redirectErrors: ReadonlySet<string> = new Set(['invalid_redirect_uri', 'invalid_client_metadata']);
