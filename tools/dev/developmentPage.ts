import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Copies the built demo page to a temporary folder, and adds the URL of the breaker to it.
 *
 * @returns the folder
 */
export async function developmentPage(built: string, breakerUrl: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'demo-page-'));
  await cp(built, folder, { recursive: true });
  const page = join(folder, 'index.html');
  const html = await readFile(page, 'utf8');
  await writeFile(page, html.replace('</title>', `</title>\n    <meta name="breaker" content="${breakerUrl}" />`));
  return folder;
}
