import type { ConfigFinding } from '../config/config.ts';
import { asFault, type Fault } from '../fault/fault.ts';
import { AuthzBook } from './authz.ts';
import { type CredentialName, wishNameOf } from './credential-name.ts';
import type { CredmonDeps } from './credmon-deps.ts';
import type { FoundCredential } from './directory-scan.ts';
import type { Taken, Understood } from './kept-credentials.ts';
import { announceAnew, prepareLocalIssuer } from './local-issuer.ts';
import { localIssuerDirectory } from './local-issuer-directory.ts';
import { placeOfProgram } from './new-login.ts';
import { parentOf } from './parent.ts';
import type { CredmonSettings } from './settings.ts';
import { credentialOf } from './top-file.ts';
import { topPathOf, topPosition } from './understanding.ts';
import { type OwnPart, wishOf } from './wishes-of.ts';

/** Something wrong, in a sentence: with a knob, or with what it names. */
interface Wrong {
  readonly knob?: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Where distributions put HTCondor's programs. */
const usualBin = '/usr/bin';

/** For a `.top` that no knob mends: the user stored it, and can store another one. */
const removal = ({ user, provider, handle }: CredentialName): string =>
  `${user} runs: condor_store_cred delete-oauth -s ${provider}${handle === undefined ? '' : ` -H ${handle}`}, and submits again (${placeOfProgram})`;

/**
 * HTCondor's configuration, ready to be applied: what a `.top` file means with these settings, with the keys of local issuers at hand and
 * users' rights worked out. Made anew at each reconfig.
 */
export class Rules {
  readonly settings: CredmonSettings;
  readonly #book: AuthzBook;
  /** The directories of local issuers, by provider. */
  readonly #issuers = new Map<string, string>();
  /** Of local issuers: what they publish, brought up to date. */
  readonly #announce: (() => Promise<void>)[] = [];
  readonly #findings: ConfigFinding[] = [];
  /** What the templates name and nobody got: once, however many users it concerns. */
  readonly #remarks = new Set<string>();

  private constructor(
    deps: Pick<CredmonDeps, 'world' | 'condorBin'>,
    settings: CredmonSettings,
    { forLook = false } = {},
  ) {
    this.settings = settings;
    this.#book = new AuthzBook(deps.world, deps.condorBin ?? usualBin);
    // An error concerns one knob: as a warning to the engine, which must not take it for a configuration that names too few wishes. Whoever
    // looks is to see that somebody gets no tokens.
    for (const { severity, knob, message, hint } of settings.findings) {
      const found = this.finding({ knob, message, hint });
      this.#findings.push(forLook ? { ...found, severity } : found);
    }
  }

  static async of(deps: CredmonDeps, settings: CredmonSettings): Promise<Rules> {
    const rules = new Rules(deps, settings);
    for (const provider of settings.localProviders) await rules.#prepareIssuer(deps, provider);
    return rules;
  }

  /** For whoever only looks: local issuers as the credmon left them. */
  static async forLook(deps: Pick<CredmonDeps, 'world' | 'condorBin'>, settings: CredmonSettings): Promise<Rules> {
    const rules = new Rules(deps, settings, { forLook: true });
    for (const name of settings.localProviders) {
      const provider = settings.local(name);
      if (provider === undefined) continue;
      rules.#issuers.set(name, await localIssuerDirectory(deps.world, settings.state, provider));
    }
    return rules;
  }

  /** What is wrong with HTCondor's configuration. */
  get findings(): readonly ConfigFinding[] {
    return [...this.#findings, ...[...this.#remarks].map((message) => this.finding({ message }))];
  }

  /** Somebody's groups may have changed since. */
  changed(): Promise<boolean> {
    return this.#book.changed();
  }

  /** A key that was removed at its issuer, since it got lost, must not be published for longer. */
  async announceKeys(): Promise<void> {
    // An issuer that does not open signs nothing either, which is said where its tokens are missing.
    for (const announce of this.#announce) await announce().catch(() => {});
  }

  /** All credentials of one user: a handle may live on the credential it belongs to. */
  understand(found: readonly FoundCredential[]): Promise<readonly Taken[]> {
    const all = new Map(found.map((each) => [each.credential.name, each]));
    return Promise.all(found.map((each) => this.#understandOne(each, all)));
  }

  async #understandOne(found: FoundCredential, all: ReadonlyMap<string, FoundCredential>): Promise<Taken> {
    const { credential, hasUse, identity, top } = found;
    const holds = credentialOf(top)?.fingerprint;
    const taken = { credential, hasUse, identity, ...(holds === undefined ? {} : { holds }) };
    try {
      return { ...taken, understood: await this.#meaningOf(found, all) };
    } catch (thrown) {
      // Users write these files: whatever one of them leads to is no reason to look at no other.
      const fault = asFault(thrown, `understanding ${topPathOf(this.settings, credential)}`);
      return { ...taken, understood: { kind: 'unfit', finding: this.#unfit(credential, fault) } };
    }
  }

  async #meaningOf(found: FoundCredential, all: ReadonlyMap<string, FoundCredential>): Promise<Understood> {
    const { credential, top, meta, writtenAt } = found;
    const on = parentOf(credential, top, this.settings);
    const parent = on === undefined ? undefined : all.get(on.name);
    const whole = {
      ...{ credential, top, writtenAt },
      ...(parent === undefined ? {} : { parent: parent.top }),
      ...(parent?.meta === undefined ? {} : { parentMeta: parent.meta }),
      ...(meta === undefined ? {} : { meta }),
    };
    const meaning = wishOf(whole, this.settings, await this.#ownPart(credential));
    return meaning.kind === 'unfit' ? { kind: 'unfit', finding: this.#unfit(credential, meaning.fault) } : meaning;
  }

  async #ownPart({ provider, user }: CredentialName): Promise<OwnPart> {
    const local = this.settings.local(provider);
    const template = (local ?? this.settings.client(provider))?.authz;
    if (template === undefined) return {};
    const authz = await this.#book.of(template, user);
    if (authz.kind === 'scopes') for (const remark of authz.remarks) this.#remarks.add(`${provider}: ${remark}`);
    const issuer = this.#issuers.get(provider);
    return { authz, ...(local === undefined || issuer === undefined ? {} : { issuer }) };
  }

  async #prepareIssuer({ world, sealer, node: chain, log }: CredmonDeps, name: string): Promise<void> {
    const provider = this.settings.local(name);
    if (provider === undefined) return;
    try {
      const deps = { world, state: this.settings.state, sealer: async () => sealer, chain };
      const { directory, remarks } = await prepareLocalIssuer(deps, provider);
      this.#issuers.set(name, directory);
      log.event('local-issuer', { provider: name, issuer: provider.issuer, directory });
      this.#announce.push(() => announceAnew(deps, directory, provider));
      for (const remark of remarks) this.#say(remark);
    } catch (thrown) {
      const fault = asFault(thrown, `preparing the local issuer ${name}`);
      this.#say(fault.message, fault.hint);
    }
  }

  /** Something wrong with the access point, not with one credential. */
  finding({ knob, message, hint }: Wrong): ConfigFinding {
    const where =
      knob === undefined ? "mend it in HTCondor's configuration" : `condor_config_val -v ${knob} says where it is set`;
    return {
      severity: 'warning',
      code: 'config-invalid',
      at: { file: this.settings.directory, line: 1, column: 1 },
      message,
      // Two of them are two, also for whoever is told only of what is new.
      section: knob ?? message,
      hint: hint ?? `${where}; then: condor_reconfig`,
    };
  }

  #say(message: string, hint?: string): void {
    this.#findings.push(this.finding({ message, hint }));
  }

  #unfit(credential: CredentialName, { code, message, hint }: Fault): ConfigFinding {
    const section = `tokens.${wishNameOf(credential)}`;
    const at = topPosition(this.settings, credential);
    return { severity: 'warning', code, at, message, section, hint: hint ?? removal(credential) };
  }
}
