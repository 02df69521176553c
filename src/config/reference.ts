import { z } from 'zod';
import { configSchema } from './schema.ts';

/** A JSON Schema, as far as the reference looks at it. */
interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Node | boolean;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly items?: Node;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
}

const opening = `# Configuration

<!-- Made from the schema in src/config/ by \`npm run -s docs\`. Do not edit by hand. -->

\`tokeep.yaml\` lies at \`/etc/tokeep/config.yaml\`, for users at \`$XDG_CONFIG_HOME/tokeep/config.yaml\`; \`--config FILE\` and
\`TOKEEP_CONFIG\` name another. A file that ends in \`.ini\` is read as the \`config.ini\` of OSG's token renewer; if there is no
configuration of tokeep's own, the file named by \`OSG_TOKEN_RENEWER_CONFIG_PATH\` or \`/etc/osg/token-renewer/config.ini\` is used.
\`tokeep config check\` lists everything that is wrong with it, each with its line and column.

Lengths of time are \`90s\`, \`20m\`, \`1h\`, \`400d\`, or a number of seconds. A secret is never written here itself but named:
\`{ file: PATH }\`, \`{ credential: NAME }\` (systemd's \`LoadCredential=\`) or \`{ command: [PROGRAM, …] }\`. Programs are named by
their absolute path and run without a shell; they and the directories above must belong to root or to tokeep's user, and be
writable by nobody else.
`;

/** A configuration that uses most of what there is; a test loads it. */
export const exampleConfig = `accounts:
  atlas-pilot:
    grant: client_credentials
    issuer: https://atlas-auth.cern.ch/
    client_id: 7dee38a3-6ab8-4fe2-9e4c-58039c21d017
    client_secret: { file: /etc/tokeep/secrets/atlas-pilot }
  dteam-robot: # made by: tokeep setup dteam-robot
    grant: refresh_token
    issuer: https://dteam-auth.cern.ch/

tokens:
  monitoring:
    account: dteam-robot
    scope: [storage.read:/, storage.stage:/]
    audience: https://wlcg.cern.ch/jwt/v1/any
    min_lifetime: 20m
    deliver:
      - file: /run/tokeep/monitoring.token
        owner: monitor
        mode: "0400"
      - discovery: monitor
  ce-{name}: # one for each row: { name: ce1, host: ce1.example.org }
    for_each: { file: /etc/tokeep/ces.yaml }
    account: atlas-pilot
    audience: "{host}:9619"
    scope: [compute.read, compute.create]
    deliver:
      - file: /var/lib/tokeep/ce/{name}.token

notify:
  operators:
    mail: { to: grid-ops@example.org, from: tokeep@example.org, host: smtp.example.org }
`;

/** `docs/config.md`, made from the schema and its descriptions. */
export function renderConfigReference(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input' }) as Node;
  const parts = Object.entries(schema.properties ?? {}).map(([key, node]) => renderTop(key, node));
  return [opening, `\`\`\`yaml\n${exampleConfig}\`\`\`\n`, ...parts].join('\n');
}

function renderTop(key: string, node: Node): string {
  const named = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
  const title = named === undefined ? `## \`${key}:\`` : `## \`${key}:\` *NAME*`;
  return `${[title, node.description, ...renderBody(named ?? node, 3)].filter((part) => part !== undefined).join('\n\n')}\n`;
}

/** The keys of a section; a section of several forms gets a heading for each. */
function renderBody(node: Node, level: number): readonly string[] {
  const forms = node.oneOf ?? node.anyOf;
  if (forms?.some((form) => form.properties !== undefined)) {
    return forms
      .flatMap((form) => [`${'#'.repeat(level)} ${formName(form)}`, form.description, ...renderBody(form, level + 1)])
      .filter((part) => part !== undefined);
  }
  if (node.properties === undefined) return [];
  const keys = Object.entries(node.properties).filter(([, value]) => value.const === undefined);
  if (keys.length === 0) return [];
  const rows = keys.map(([key, value]) => renderKey(key, value, node.required?.includes(key) ?? false));
  const inner = keys.flatMap(([key, value]) => renderInner(key, value, level));
  return [['| key | | meaning |', '|---|---|---|', ...rows].join('\n'), ...inner];
}

/** Lists of sections, and sections in sections, come after the table that names them. */
function renderInner(key: string, value: Node, level: number): readonly string[] {
  const inside = value.items ?? value;
  const forms = inside.oneOf ?? inside.anyOf;
  const isSecret = forms?.some((form) => form.properties !== undefined && 'credential' in form.properties) ?? false;
  const isSection = inside.properties !== undefined || (forms?.every((form) => form.properties !== undefined) ?? false);
  if (!isSection || isSecret) return [];
  return [`${'#'.repeat(level)} \`${key}\``, ...renderBody(inside, level + 1)];
}

/** A form is known by its constant (`grant: vault`), or else by the key that it must have. */
function formName(form: Node): string {
  const constant = Object.entries(form.properties ?? {}).find(([, value]) => value.const !== undefined);
  return constant === undefined ? `\`${form.required?.[0]}:\`` : `\`${constant[0]}: ${String(constant[1].const)}\``;
}

function renderKey(key: string, node: Node, required: boolean): string {
  const choices =
    node.enum === undefined ? '' : ` One of ${node.enum.map((value) => `\`${String(value)}\``).join(', ')}.`;
  const meaning = `${node.description ?? ''}${choices === '' ? '' : `.${choices}`}`;
  return `| \`${key}\` | ${required ? 'required' : ''} | ${meaning.replaceAll('|', '\\|')} |`;
}
