import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { type Effort, effortOf } from './effort.ts';

export interface BareLoop {
  readonly origins: readonly string[];
  /** Where the files go. */
  readonly dir: string;
  /** Requests of one origin. */
  readonly each: number;
  readonly atATime: number;
}

/**
 * The least that a Node program can do for a renewal: one request with node:http, JSON.parse, and a file that is made beside the
 * old one, synced and renamed, all with the system calls of a safe writer but without waiting for other work meanwhile. No
 * state, no checks, no sealing. What this costs no engine in Node can go below.
 */
export async function bareLoop({ origins, dir, each, atATime }: BareLoop): Promise<Effort> {
  const agent = new Agent({ keepAlive: true });
  try {
    return await effortOf(async () => {
      const lane = async (origin: string, index: number) => {
        let left = each;
        const worker = async () => {
          while (left > 0) {
            left -= 1;
            writeTokenFile(dir, `bare-${index}-${left}`, tokenIn(await post(agent, `${origin}/token`)));
          }
        };
        await Promise.all(Array.from({ length: atATime }, worker));
      };
      await Promise.all(origins.map(lane));
    });
  } finally {
    agent.destroy();
  }
}

/** Also what a script sends that asks for one token after the other. */
export function post(agent: Agent, url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Basic ${btoa('robot:secret')}`,
      'content-type': 'application/x-www-form-urlencoded',
    };
    const outgoing = request(url, { method: 'POST', agent, headers }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (part: string) => {
        text += part;
      });
      incoming.on('end', () => resolve(text));
      incoming.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end('grant_type=client_credentials&scope=storage.read%3A%2F');
  });
}

export const tokenIn = (answer: string): string => (JSON.parse(answer) as { access_token: string }).access_token;

function writeTokenFile(dir: string, name: string, token: string): void {
  const temporary = join(dir, `.${name}.tmp`);
  const fd = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(fd, `${token}\n`);
    fchmodSync(fd, 0o600);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, join(dir, name));
}
