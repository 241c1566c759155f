// Draws the page's charts: every element with data-chart names a Vega-Lite
// specification in the JSON block "charts" or "run-charts". Expressions are
// interpreted, not compiled, so that the page needs no unsafe-eval.
import {parse, View} from 'vega';
import {compile} from 'vega-lite';
import {expressionInterpreter} from 'vega-interpreter';

// Colours are the page's own variables, so that charts follow light and dark
// without being drawn again.
const config = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  padding: {left: 0, top: 2, right: 10, bottom: 6},
  lineBreak: '\n',
  view: {stroke: null},
  axis: {
    labelColor: 'var(--muted)', titleColor: 'var(--muted)', gridColor: 'var(--line)',
    domainColor: 'var(--line)', tickColor: 'var(--line)',
    labelFontSize: 12, titleFontSize: 12, titleFontWeight: 'normal', labelLimit: 220, titlePadding: 8,
  },
  axisBand: {grid: false, domain: false, ticks: false, labelPadding: 8},
  legend: {labelColor: 'var(--muted)', titleColor: 'var(--muted)', labelFontSize: 12, titleFontSize: 12, symbolType: 'square'},
  text: {color: 'var(--ink)', fontSize: 12},
  bar: {color: 'var(--accent)'},
  rule: {color: 'var(--ink)'},
};

const block = id => JSON.parse(document.getElementById(id)?.textContent || '{}');

async function drawAll() {
  const specs = {...block('charts'), ...block('run-charts')};
  for (const element of document.querySelectorAll('[data-chart]')) {
    const spec = specs[element.dataset.chart];
    try {
      const view = new View(parse(compile(spec, {config}).spec, null, {ast: true}), {
        expr: expressionInterpreter, renderer: 'svg', container: element, hover: true,
      });
      await view.runAsync();
      element.dataset.drawn = 'yes';
    } catch (error) {
      console.error(`chart ${element.dataset.chart}`, error);
      element.textContent = 'This chart could not be drawn; the figures are in the table.';
    }
  }
  document.documentElement.dataset.charts = 'drawn';
}

// The run's time stands at the end of the page; the head repeats it.
const started = document.querySelector('[data-started]');
for (const element of document.querySelectorAll('[data-when]')) {
  if (started) element.textContent = started.dataset.started;
}

drawAll();
