import { writeFile } from 'node:fs/promises';
import { panels } from './panels.ts';

/** Writes the Grafana dashboard: the titles and queries of panels.ts in Grafana's import format. */

const COLUMNS = 24;
const HEIGHT = 8;

const datasource = { type: 'prometheus', uid: '$datasource' };

let x = 0;
let y = 0;
const place = (width: number, height: number) => {
  if (x + width > COLUMNS) {
    x = 0;
    y += HEIGHT;
  }
  const at = { x, y, w: width, h: height };
  x += width;
  return at;
};

const drawn = Object.entries(panels).flatMap(([row, inRow]) => {
  y += x > 0 ? HEIGHT : 0;
  x = 0;
  const head = { type: 'row', title: row, collapsed: false, panels: [], gridPos: { x: 0, y: y++, w: COLUMNS, h: 1 } };
  const charts = inRow.map(({ title, description, unit, queries }) => ({
    type: 'timeseries',
    title,
    description,
    datasource,
    gridPos: place(COLUMNS / 3, HEIGHT),
    fieldConfig: { defaults: { unit, min: 0, custom: { fillOpacity: 10, showPoints: 'never' } }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: Object.entries(queries).map(([legend, expr], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr,
      legendFormat: legend,
    })),
  }));
  return [head, ...charts];
});

const dashboard = {
  uid: 'mediasoup-server',
  title: 'Mediasoup Server',
  tags: ['mediasoup-server'],
  schemaVersion: 39,
  editable: true,
  graphTooltip: 1,
  refresh: '30s',
  time: { from: 'now-3h', to: 'now' },
  templating: {
    list: [
      { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
      {
        name: 'daemon',
        label: 'Media daemon',
        type: 'query',
        datasource,
        query: 'label_values(media_daemon_rooms, instance)',
        refresh: 2,
        multi: true,
        includeAll: true,
        allValue: '.*',
      },
    ],
  },
  panels: drawn.map((panel, index) => ({ id: index + 1, ...panel })),
};

await writeFile(
  new URL('../../deploy/grafana/mediasoup-server.json', import.meta.url),
  `${JSON.stringify(dashboard, null, 2)}\n`,
);
