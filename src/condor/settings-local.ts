import { unfitIssuer } from '../config/safe-url.ts';
import type { KnobReader } from './knob-reader.ts';
import type { LocalProvider } from './settings.ts';
import { ofProvider, readAuthz } from './settings-authz.ts';

const wlcgVersions = new Set(['wlcg', 'wlcg:1.0']);

/** `LOCAL_CREDMON[_<PROVIDER>]_*`; undefined where something is wrong, which is then a finding. */
export function readLocalProvider(reader: KnobReader, provider: string, hostname: string): LocalProvider | undefined {
  const knob = ofProvider('LOCAL', provider);
  const key = (name: string, place: string) => (reader.isSet(knob(name)) ? reader.path(knob(name)) : place);
  const privateKey = key('PRIVATE_KEY', '/etc/condor/scitokens-private.pem');
  const publicKey = key('PUBLIC_KEY', '/etc/condor/scitokens.pem');
  const algorithms = knob('PRIVATE_KEY_ALGORITHM');
  const algorithm = reader.isSet(algorithms) ? reader.choice(algorithms, ['ES256', 'RS256']) : 'ES256';
  const issuer = reader.isSet(knob('ISSUER')) ? reader.issuer(knob('ISSUER')) : `https://${hostname}`;
  const version = reader.text(knob('TOKEN_VERSION')) ?? 'scitoken:2.0';
  const audience = reader.words(knob('TOKEN_AUDIENCE'));
  const authz = readAuthz(reader, knob);
  const lifetime = reader.seconds(knob('TOKEN_LIFETIME'), 1200);
  if (audience.length === 0 && version.toLowerCase() === 'scitoken:2.0') {
    reader.error(
      'LOCAL_CREDMON_TOKEN_AUDIENCE',
      `tokens of ${provider} need an audience (their version is ${version}), but LOCAL_CREDMON_TOKEN_AUDIENCE is not set`,
      `set it to the names of the services that are to accept them`,
    );
    return undefined;
  }
  if (privateKey === undefined || publicKey === undefined || algorithm === undefined) return undefined;
  if (issuer === undefined || unfitIssuer(issuer) !== undefined || authz === undefined) return undefined;
  return {
    provider,
    privateKey,
    publicKey,
    keyId: reader.text(knob('KEY_ID')) ?? 'local',
    algorithm,
    issuer,
    lifetime,
    audience,
    version,
    profile: wlcgVersions.has(version) ? 'wlcg' : 'scitokens',
    json: reader.flag(knob('TOKEN_USE_JSON'), true),
    authz,
  };
}
