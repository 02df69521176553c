import type { IssuerUrl } from '../token/names.ts';
import type { SitePath } from './site.ts';
import type { SiteFiles } from './site-files.ts';

const marker: SitePath = ['.nojekyll'];
const settings: SitePath = ['_config.yml'];
const settingsText = `# Written by tokeep. Jekyll leaves out names with a dot in front unless they are listed.
include: [".well-known", ".nojekyll"]
`;

/**
 * What GitHub Pages needs to serve `.well-known`, where the directory is that of a repository: no Jekyll at all, and for those
 * who build with it the list of what it would leave out. A site that has settings of its own keeps them.
 */
export async function pagesFiles(
  files: SiteFiles,
  url: IssuerUrl,
  remarks: string[],
): Promise<readonly { readonly path: SitePath; readonly text: string }[]> {
  if (!new URL(url).hostname.endsWith('.github.io') && !(await isRepository(files))) return [];
  const own = await files.read(settings);
  if (own.kind === 'nothing' || (own.kind === 'text' && own.text === settingsText)) {
    return [
      { path: marker, text: '' },
      { path: settings, text: settingsText },
    ];
  }
  const withoutJekyll = (await files.read(marker)).kind !== 'nothing';
  if (!withoutJekyll && own.kind === 'text' && !/^include:[\s\S]*?\.well-known/m.test(own.text)) {
    remarks.push('_config.yml does not let Jekyll publish .well-known; add to it: include: [".well-known"]');
  }
  return [];
}

/** `CNAME` is how Pages knows the name of a host of one's own; it is in the directory that is shown, which may be one of the repository. */
async function isRepository(files: SiteFiles): Promise<boolean> {
  const found = await Promise.all([files.read(['.git']), files.read(['CNAME'])]);
  return found.some(({ kind }) => kind !== 'nothing');
}
