// Draws what people see on GitHub: Markdown with GitHub's own styles, its alerts and diagrams, in a real browser, light and dark.
// usage: render.mjs FOLDER-OF-TEXTS FOLDER-FOR-PICTURES
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { html as diffHtml } from 'diff2html';
import markdownIt from 'markdown-it';
import alerts from 'markdown-it-github-alerts';
import puppeteer from 'puppeteer-core';

const [from = '.', to = '.'] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const style = (name) => readFileSync(require.resolve(name), 'utf8');
const read = (name) => readFileSync(path.join(from, name), 'utf8');
const themes = ['light', 'dark'];

const markdown = markdownIt({ html: true, linkify: true }).use(alerts);
const fence = markdown.renderer.rules.fence;
// GitHub draws them; here the library that it uses does.
markdown.renderer.rules.fence = (tokens, index, ...rest) =>
  tokens[index].info.trim() === 'mermaid'
    ? `<pre class="mermaid">${markdown.utils.escapeHtml(tokens[index].content)}</pre>`
    : fence(tokens, index, ...rest);

const escape = markdown.utils.escapeHtml;
const article = (text) => `<article class="markdown-body">${markdown.render(text)}</article>`;
const header = (title) => `<div class="Box-header"><h3 class="Box-title">${escape(title)}</h3></div>`;
const box = (title, content) => `<div class="Box">${header(title)}<div class="Box-body">${content}</div></div>`;

/** As the page of a run lists them: the level by its colour. */
function annotations(list) {
  const colours = { error: 'color-fg-danger', warning: 'color-fg-attention', notice: 'color-fg-accent' };
  const rows = list.map(
    ({ level, title, message }) =>
      `<li class="Box-row"><strong class="${colours[level]}">${escape(title || level)}</strong><div style="white-space: pre-wrap">${escape(message)}</div></li>`,
  );
  return `<ul style="list-style: none">${rows.join('')}</ul>`;
}

const { title, body } = JSON.parse(read('pull-request.json'));
const diff = (theme) =>
  diffHtml(read('pull-request.diff'), { drawFileList: false, matching: 'words', colorScheme: theme });
/** Of each picture its content, and how much of it is shown, in pixels. */
const pictures = {
  precheck: { content: () => box('Job summary: precheck', article(read('precheck.md'))), height: 1100 },
  annotations: { content: () => box('Annotations', annotations(JSON.parse(read('annotations.json')))), height: 1100 },
  issue: { content: () => box('Issue', article(read('issue.md'))), height: 1100 },
  upgrade: { content: () => box('Job summary: upgrade', article(read('upgrade.md'))), height: 1500 },
  'pull-request': {
    content: (theme) => `${box(title, article(body))}<div class="mt-3">${diff(theme)}</div>`,
    height: 1300,
  },
};

const primitives = [
  ...['base/size/size', 'base/typography/typography', 'functional/size/border'],
  ...['functional/size/size', 'functional/typography/typography'],
  ...['functional/themes/light', 'functional/themes/dark'],
];

const page = (content, theme) => `<!doctype html>
<html data-color-mode="${theme}" data-light-theme="light" data-dark-theme="dark"><meta charset="utf-8">
<style>${primitives.map((name) => style(`@primer/primitives/dist/css/${name}.css`)).join('\n')}</style>
<style>${style('@primer/css/dist/primer.css')}</style>
<style>${style(`github-markdown-css/github-markdown-${theme}.css`)}</style>
<style>${style('markdown-it-github-alerts/styles/github-base.css')}</style>
<style>${style('markdown-it-github-alerts/styles/github-colors-light.css')}</style>
<style>${style('markdown-it-github-alerts/styles/github-colors-dark-media.css')}</style>
<style>${style('diff2html/bundles/css/diff2html.min.css')}</style>
<style>body { padding: 16px; background: ${theme === 'dark' ? '#0d1117' : '#ffffff'} } .markdown-body { font-size: 14px }</style>
<body><main>${content}</main>
<script>${style('mermaid/dist/mermaid.min.js').replaceAll('</script', '<\\/script')}</script>
<script>mermaid.initialize({ startOnLoad: false, theme: '${theme === 'dark' ? 'dark' : 'default'}' })</script>
</body></html>`;

mkdirSync(to, { recursive: true });
const browser = await puppeteer.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  for (const [name, { content, height }] of Object.entries(pictures)) {
    for (const theme of themes) {
      const tab = await browser.newPage();
      const broken = [];
      tab.on('pageerror', (error) => broken.push(error.message));
      await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
      await tab.setViewport({ width: 1012, height });
      await tab.setContent(page(content(theme), theme), { waitUntil: 'load' });
      await tab.evaluate('mermaid.run()');
      if (broken.length > 0) throw new Error(`${name}: ${broken.join('; ')}`);
      const whole = Math.ceil(await tab.evaluate('document.querySelector("main").getBoundingClientRect().bottom + 16'));
      const file = path.join(to, `${name}-${theme}.png`);
      await tab.screenshot({ path: file, clip: { x: 0, y: 0, width: 1012, height: Math.min(whole, height) } });
      console.log(`${file}: ${Math.min(whole, height)} of ${whole} pixels`);
      // The phases of an upgrade stand far below.
      const timeline = name === 'upgrade' ? await tab.$('.mermaid') : null;
      if (timeline !== null) await timeline.screenshot({ path: path.join(to, `timeline-${theme}.png`) });
      await tab.close();
    }
  }
} finally {
  await browser.close();
}
