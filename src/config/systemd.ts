import { dirname } from 'node:path/posix';
import type { Config, Wish } from './config.ts';

/**
 * A drop-in for a unit that may write nowhere (`ProtectSystem=strict`): one line for each directory this configuration
 * delivers to or keeps state in. The minus lets the unit start when one of them is not there, so that the others go on.
 */
export function writePathsDropIn(config: Config, unit: string): string {
  const paths = [...new Set(writtenPaths(config))].toSorted();
  return [
    `# /etc/systemd/system/${unit}.d/tokeep-paths.conf`,
    `# Made by \`tokeep config systemd\` from ${config.file}; make it again when a target changes.`,
    '[Service]',
    ...paths.map((path) => `ReadWritePaths=-${escaped(path)}`),
    '',
  ].join('\n');
}

function writtenPaths(config: Config): readonly string[] {
  const accounts = [...config.accounts.values()];
  const agentFiles = accounts.flatMap((account) =>
    account.grant === 'refresh_token' && account.oidcAgentFile !== undefined
      ? [dirname(account.oidcAgentFile.path)]
      : [],
  );
  const { stateDir, spool, metrics } = config;
  return [
    ...[...config.wishes.values()].flatMap(targetPaths),
    ...agentFiles,
    ...[stateDir, spool].filter((path) => path !== undefined),
    ...(metrics?.textfile === undefined ? [] : [dirname(metrics.textfile)]),
  ];
}

/** A file is replaced by renaming, which needs its directory; one that is written in place needs only itself. */
function targetPaths(wish: Wish): readonly string[] {
  return wish.targets.flatMap((target) => {
    if (target.kind === 'file') return [target.inPlace ? target.path : dirname(target.path)];
    return target.kind === 'discovery' ? ['/run/user', '/tmp'] : [];
  });
}

/** systemd splits at blanks, and reads `%` as a specifier and `\` as an escape. */
const escaped = (path: string): string =>
  path
    .replaceAll('%', '%%')
    .replaceAll(/[\s"'\\]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
