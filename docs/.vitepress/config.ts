import { posix } from 'node:path';
import { slug } from 'github-slugger';
import { defineConfig } from 'vitepress';
import { sidebar } from './sections.ts';

/** Where the repository can be browsed, such as `https://github.com/OWNER/NAME/blob/main`. Files outside of docs/ are links there. */
const { REPOSITORY_URL } = process.env;

export default defineConfig({
  title: 'Mediasoup Server',
  description: 'A WebRTC conferencing service on mediasoup',
  outDir: 'dist',
  cacheDir: '../node_modules/.cache/vitepress',
  themeConfig: {
    outline: [2, 3],
    search: { provider: 'local' },
    sidebar,
  },
  markdown: {
    // Headings have the anchors that they have on GitHub, so that one check of the links holds for both.
    anchor: { slugify: slug },
    config(markdown) {
      // Long names of settings and metrics break at their underscores, so that tables fit the page.
      const { code_inline } = markdown.renderer.rules;
      markdown.renderer.rules.code_inline = (...args) => code_inline?.(...args).replaceAll('_', '_<wbr>') ?? '';
      // A link to a file outside of docs/ leads to the repository, or is plain text where none is published.
      markdown.core.ruler.push('repository-links', ({ tokens, env }) => {
        for (const token of tokens.flatMap(({ children }) => children ?? [])) {
          const href = token.type === 'link_open' ? token.attrGet('href') : undefined;
          const path = href && posix.join(posix.dirname(env.relativePath), href);
          if (!path?.startsWith('../')) continue;
          if (REPOSITORY_URL === undefined) token.attrs = [['title', path.slice(3)]];
          else token.attrSet('href', `${REPOSITORY_URL}/${path.slice(3)}`);
        }
      });
    },
  },
});
