import { Fault } from '../fault/fault.ts';
import type { SigningKey } from '../mint/signing-key.ts';
import { printable } from '../observe/printable.ts';
import { between, type Millis, seconds } from '../token/time.ts';
import { keyMetadataPlaces } from '../verify/issuer-metadata.ts';
import { jsonObjectIn } from '../verify/strict-json.ts';
import type { CertificateLook } from '../world/certificate-look.ts';
import type { World } from '../world/world.ts';
import { certificateFinding, fetchAsVerifier } from './check-site-answer.ts';
import { ok, publishAgain, type SiteFinding, warning, wrong } from './check-site-finding.ts';
import { checkKeySet } from './check-site-keys.ts';
import { withoutSlash } from './site.ts';

export interface SiteQuestion {
  /** The exact name of the issuer. */
  readonly url: string;
  /** The keys it should have; undefined if it is not ours. */
  readonly keys: readonly SigningKey[] | undefined;
  readonly ahead: Millis;
  readonly caFile: string | undefined;
}

type Outside = Pick<World, 'http' | 'clock'> & { readonly certificates: CertificateLook };

/** Looks at an issuer from outside, as a service does that is given one of its tokens. Changes nothing. */
export async function checkSite(outside: Outside, question: SiteQuestion): Promise<readonly SiteFinding[]> {
  const { url } = question;
  const places = keyMetadataPlaces(url);
  if (places === undefined) throw new Fault('usage', `${url} is no URL that the keys of an issuer may come from`);
  const [usual, rfc8414] = places;
  const first = await fetchMetadata(outside, question, usual);
  if (first.jwks === undefined) return first.findings;
  const others = await Promise.all(
    otherPlaces(url, usual, rfc8414).map((place) => compare(outside, question, place, first.jwks)),
  );
  const keys = await checkKeys(outside, question, first.jwks);
  const certificate = await checkCertificate(outside, question, usual);
  return [...first.findings, ...others.flat(), ...keys, ...certificate];
}

interface Place {
  readonly url: URL;
  readonly who: string;
  /** May be missing: few look there. */
  readonly optional: boolean;
}

/** Where others look than those who find the metadata at the first place. */
function otherPlaces(issuer: string, first: URL, rfc8414: URL): readonly Place[] {
  const at = (url: URL, who: string, optional: boolean): Place => ({ url, who, optional });
  const path = withoutSlash(new URL(issuer).pathname);
  const others = [at(rfc8414, 'RFC 8414', true)];
  if (path !== '')
    others.push(at(new URL(`${first.origin}/.well-known/openid-configuration${path}`), 'RFC 8414', true));
  if (issuer.endsWith('/')) {
    // libscitokens takes the name as it is, slash and all.
    const doubled = new URL(`${issuer}/.well-known/openid-configuration`);
    others.push(at(doubled, 'libscitokens, which doubles the slash', false));
  }
  return others;
}

interface Metadata {
  /** Undefined: nobody finds the keys. */
  readonly jwks: URL | undefined;
  readonly findings: readonly SiteFinding[];
}

async function fetchMetadata({ http }: Outside, question: SiteQuestion, at: URL): Promise<Metadata> {
  const { url, ahead, caFile } = question;
  const { body, findings } = await fetchAsVerifier(http, { url: at, what: 'the metadata', caFile, ahead });
  if (body === undefined) return { jwks: undefined, findings };
  const document = jsonObjectIn(body);
  const fail = (sentence: string): Metadata => ({
    jwks: undefined,
    findings: [...findings, wrong(sentence, publishAgain)],
  });
  if (document === undefined) return fail(`${at.href} is not a JSON object`);
  const { issuer, jwks_uri: jwksUri } = document;
  if (issuer !== url) {
    const found = typeof issuer === 'string' ? printable(issuer) : 'nobody';
    return fail(`${at.href} is about the issuer ${found} and not ${url}; they compare to the last character`);
  }
  if (typeof jwksUri !== 'string' || !URL.canParse(jwksUri))
    return fail(`${at.href} does not say where the keys are (jwks_uri)`);
  const jwks = new URL(jwksUri);
  if (jwks.protocol !== 'https:' && jwks.protocol !== at.protocol)
    return fail(`${at.href} leads to keys without TLS, at ${printable(jwksUri)}`);
  const named = ok(`${at.href} names the issuer and its keys`);
  if (jwks.host === at.host) return { jwks, findings: [...findings, named] };
  const elsewhere = warning(`${at.href} leads to keys on another host, ${jwks.host}, which careful verifiers refuse`, {
    turn: 'issuer',
    hint: 'publish the keys on the host of the issuer',
  });
  return { jwks, findings: [...findings, named, elsewhere] };
}

/** The other places have to say the same, or nothing. */
async function compare(
  outside: Outside,
  question: SiteQuestion,
  place: Place,
  jwks: URL | undefined,
): Promise<readonly SiteFinding[]> {
  const { ahead, caFile } = question;
  const { body, status } = await fetchAsVerifier(outside.http, { url: place.url, what: 'the metadata', caFile, ahead });
  if (body === undefined) {
    if (place.optional) return [];
    const found = status === undefined ? 'nothing answers' : `answers ${status}`;
    return [
      warning(`there are no metadata at ${place.url.href} (${found}), where ${place.who} looks`, {
        turn: 'web-server',
        hint: 'take two slashes for one, as nginx does with merge_slashes; or choose an issuer without a slash at its end',
      }),
    ];
  }
  const document = jsonObjectIn(body);
  // A host may answer everything with the page of its front end; verifiers that look there pass that over.
  if (document === undefined && place.optional) return [];
  if (document?.['issuer'] === question.url && document['jwks_uri'] === jwks?.href) return [];
  return [wrong(`${place.url.href} says something else than the metadata of the issuer`, publishAgain)];
}

async function checkKeys(outside: Outside, question: SiteQuestion, at: URL): Promise<readonly SiteFinding[]> {
  const { ahead, caFile, keys } = question;
  const { body, findings } = await fetchAsVerifier(outside.http, { url: at, what: 'the keys', caFile, ahead });
  if (body === undefined) return findings;
  return [...findings, ...checkKeySet(body, at.href, keys, outside.clock.now())];
}

async function checkCertificate(
  { certificates, clock }: Outside,
  { caFile }: SiteQuestion,
  url: URL,
): Promise<readonly SiteFinding[]> {
  const until = await certificates({ url, timeout: seconds(15), ...(caFile === undefined ? {} : { caFile }) });
  return until === undefined ? [] : [certificateFinding(url.host, between(clock.now(), until))];
}
