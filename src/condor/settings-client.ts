import type { KnobReader } from './knob-reader.ts';
import type { AuthzTemplate, ClientProvider } from './settings.ts';
import { ofProvider, readAuthz } from './settings-authz.ts';

/** `CLIENT_CREDMON[_<PROVIDER>]_*`; undefined where something is wrong, which is then a finding. */
export function readClientProvider(reader: KnobReader, provider: string): ClientProvider | undefined {
  const knob = ofProvider('CLIENT', provider);
  const clientId = reader.text(knob('CLIENT_ID'));
  const clientSecret = reader.secretFile(knob('CLIENT_SECRET_FILE'));
  const issuer = reader.issuer(knob('ISSUER'));
  const tokenUrl = reader.url(knob('TOKEN_URL'));
  const audience = reader.words(knob('TOKEN_AUDIENCE'));
  const version = reader.text(knob('TOKEN_VERSION'));
  const authz = readAuthz(reader, knob);
  const byClient = `${provider} gets its tokens by client credentials, but`;
  const [[idKnob], [issuerKnob], [urlKnob]] = [knob('CLIENT_ID'), knob('ISSUER'), knob('TOKEN_URL')];
  if (clientId === undefined) reader.error(idKnob, `${byClient} ${idKnob} is not set`);
  if (!reader.isSet(knob('ISSUER')) && !reader.isSet(knob('TOKEN_URL'))) {
    reader.error(issuerKnob, `${byClient} neither ${issuerKnob} nor ${urlKnob} is set`);
  }
  const broken = (name: string, value: unknown) => value === undefined && reader.isSet(knob(name));
  if (clientId === undefined || authz === undefined || (issuer === undefined && tokenUrl === undefined))
    return undefined;
  if (broken('CLIENT_SECRET_FILE', clientSecret) || broken('ISSUER', issuer) || broken('TOKEN_URL', tokenUrl))
    return undefined;
  return {
    provider,
    clientId,
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(tokenUrl === undefined ? {} : { tokenUrl }),
    audience,
    authz: withWlcg(authz, version),
  };
}

/** An issuer with several profiles gives a WLCG token to who asks for the scope `wlcg` (WLCG Common JWT Profiles, `wlcg` scope). */
const withWlcg = (authz: AuthzTemplate, version: string | undefined): AuthzTemplate =>
  version === 'wlcg' || version === 'wlcg:1.0' ? { ...authz, template: `${authz.template} wlcg` } : authz;
