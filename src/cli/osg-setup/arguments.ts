import { resolve } from 'node:path';

export interface OsgSetupOptions {
  readonly name: string;
  readonly mode: 'oidc' | 'client-credentials';
  readonly manual: boolean;
  readonly pwFile: string;
  /** Whoever started us has opened the password already. */
  readonly pwFd: number | undefined;
}

export const usage = `Usage: osg-token-renewer-setup [--pw-file PATH] [--manual] CLIENT_NAME
       osg-token-renewer-setup --client-credentials CLIENT_NAME

  --pw-file PATH         file with the encryption password (default: /etc/osg/tokens/CLIENT_NAME.pw)
  --manual               ask for the id and secret of a client that exists already
  --client-credentials   a service of its own: nobody logs in
`;

/** The name becomes part of paths and of a section's header. */
const fitName = /^[A-Za-z0-9_][A-Za-z0-9_.@+-]*$/;

/** Undefined for whatever the old script answered with its usage. */
export function parseArguments(args: readonly string[]): OsgSetupOptions | undefined {
  const names: string[] = [];
  let mode: OsgSetupOptions['mode'] = 'oidc';
  let manual = false;
  let pwFile: string | undefined;
  let pwFd: number | undefined;
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? '';
    if (word === '--manual') manual = true;
    else if (word === '--client-credentials') mode = 'client-credentials';
    else if (word === '--pw-file' || word === '--pw-fd') {
      at += 1;
      const value = args[at];
      if (value === undefined || value === '') return undefined;
      if (word === '--pw-file') pwFile = value;
      else if (/^\d{1,4}$/.test(value)) pwFd = Number(value);
      else return undefined;
    } else if (word.startsWith('-')) return undefined;
    else names.push(word);
  }
  const [name, ...others] = names;
  if (name === undefined || others.length > 0 || !fitName.test(name)) return undefined;
  return { name, mode, manual, pwFile: resolve(pwFile ?? `/etc/osg/tokens/${name}.pw`), pwFd };
}
