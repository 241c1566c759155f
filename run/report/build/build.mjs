// Bundles charts.js with Vega-Lite into ../assets/charts.js, and the licence
// texts of everything inside into ../assets/LICENSES.txt:
//
//	npm ci && npm run build
import {build} from 'esbuild';
import {readFileSync, readdirSync, writeFileSync} from 'node:fs';

const {metafile} = await build({
  entryPoints: ['charts.js'],
  outfile: '../assets/charts.js',
  bundle: true,
  minify: true,
  format: 'iife',
  target: 'es2022',
  charset: 'utf8',
  legalComments: 'none', // they are all in LICENSES.txt
  metafile: true,
});

const packages = new Set();
for (const path of Object.keys(metafile.inputs)) {
  const name = path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  if (name) packages.add(name[1]);
}
let text = 'charts.js holds code of these packages.\n';
for (const name of [...packages].sort()) {
  const folder = `node_modules/${name}`;
  const {version, license} = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  const file = readdirSync(folder).find(f => /^licen[sc]e/i.test(f));
  if (!file) throw new Error(`${name} has no licence file`);
  text += `\n${'='.repeat(72)}\n${name} ${version} (${license})\n\n${readFileSync(`${folder}/${file}`, 'utf8').trim()}\n`;
}
writeFileSync('../assets/LICENSES.txt', text);
