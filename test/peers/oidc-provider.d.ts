/** The part of oidc-provider that the test issuer uses; the package ships no types. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export class ResourceServer {
    constructor(identifier: string, data: Readonly<Record<string, unknown>>);
  }
  export interface IssuedToken {
    readonly expiration: number;
    readonly scope?: string;
    readonly tokenType: string;
    resourceServer: ResourceServer;
    save(): Promise<string>;
  }
  export interface TokenContext {
    readonly oidc: {
      readonly client: { readonly clientId: string };
      readonly params: Readonly<Record<string, string | undefined>>;
      readonly body: Readonly<Record<string, string | readonly string[] | undefined>> | undefined;
    };
    body: unknown;
  }
  export default class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
    proxy: boolean;
    readonly ResourceServer: typeof ResourceServer;
    readonly ClientCredentials: new (
      data: Readonly<Record<string, unknown>>,
    ) => IssuedToken;
    readonly Grant: new (
      data: Readonly<Record<string, unknown>>,
    ) => {
      addOIDCScope(scope: string): void;
      addResourceScope(resource: string, scope: string): void;
      save(): Promise<string>;
    };
    readonly RefreshToken: new (
      data: Readonly<Record<string, unknown>>,
    ) => { save(): Promise<string> };
    readonly Client: { find(id: string): Promise<unknown> };
    callback(): (request: IncomingMessage, response: ServerResponse) => void;
    registerGrantType(
      name: string,
      handler: (context: TokenContext) => Promise<void>,
      parameters: readonly string[],
    ): void;
  }
  export const errors: Readonly<Record<'InvalidTarget' | 'InvalidGrant', new (description?: string) => Error>>;
}
