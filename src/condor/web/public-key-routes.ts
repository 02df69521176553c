import type { FastifyInstance, FastifyReply } from 'fastify';
import type { World } from '../../world/world.ts';
import { type JwkSet, localMetadata, readLocalKeySets } from '../public-keys.ts';
import type { CredmonSettings } from '../settings.ts';

/** As the shipped web application has it. */
const keysPath = '/.well-known/jwks-uri';
const metadataPath = '/.well-known/openid-configuration';

/** For an hour; a new key is made only when an administrator replaces the file. */
const cached = { 'cache-control': 'public, max-age=3600', 'access-control-allow-origin': '*' };

type Settings = Pick<CredmonSettings, 'local' | 'localProviders' | 'web'>;

/** Metadata and keys of the local issuers whose ISSUER is an address of ours, at the place where services look for them. */
export function addPublicKeys(app: FastifyInstance, world: World, settings: Settings): void {
  const providers = settings.localProviders.flatMap((name) => settings.local(name) ?? []);
  const origin = new URL(settings.web.prefix).origin;
  const ours = providers.filter(({ issuer }) => URL.canParse(issuer) && new URL(issuer).origin === origin);
  for (const issuer of new Set(ours.map((provider) => provider.issuer))) {
    const base = new URL(issuer).pathname.replace(/\/$/, '');
    const send = async (reply: FastifyReply, document: (keys: JwkSet) => object) => {
      const { sets } = await readLocalKeySets(world, providers);
      const keys = sets.get(issuer);
      return keys === undefined ? reply.callNotFound() : reply.headers(cached).send(document(keys));
    };
    app.get(`${base}${keysPath}`, (_request, reply) => send(reply, (keys) => keys));
    app.get(`${base}${metadataPath}`, (_request, reply) =>
      send(reply, () => localMetadata(issuer, `${issuer.replace(/\/$/, '')}${keysPath}`)),
    );
  }
}
