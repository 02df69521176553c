import { closeSync, readdirSync, readFileSync } from 'node:fs';

/**
 * Closes what whoever started us left open beside stdin, stdout and stderr: programs that we start as somebody else would have it as well.
 * Node sees to that by itself only up to the first gap above descriptor 15. To be called before anything is opened; what Node opens has
 * O_CLOEXEC. Where there is no /proc nothing is closed.
 */
export function closeInheritedFiles(): void {
  for (const name of listed('/proc/self/fd')) {
    const fd = Number(name);
    if (fd > 2 && isHandedOn(fd)) closeSync(fd);
  }
}

function listed(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function isHandedOn(fd: number): boolean {
  try {
    const [, flags = ''] = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')) ?? [];
    return flags !== '' && (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    // The one by which the list was read.
    return false;
  }
}

/** O_CLOEXEC on x64 and arm64, which Node does not name. */
const closeOnExec = 0o2000000;
