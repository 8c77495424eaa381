import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** The folders of the files for Prometheus and Grafana. */
export const PROMETHEUS = fileURLToPath(new URL('../../deploy/prometheus', import.meta.url));
const GRAFANA = fileURLToPath(new URL('../../deploy/grafana', import.meta.url));

export type AlertRule = {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
};

/** The alerts in the order of their file. */
export function alertRules(): AlertRule[] {
  const { groups } = parse(readFileSync(join(PROMETHEUS, 'alerts.yaml'), 'utf8')) as {
    groups: { rules: AlertRule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

type Panel = { readonly title: string; readonly targets?: { readonly expr: string; readonly legendFormat: string }[] };

/** The queries of every dashboard, with their panels and legends. */
export function dashboardQueries(): { asker: string; query: string; told: string }[] {
  const files = readdirSync(GRAFANA).filter((name) => name.endsWith('.json'));
  return files.flatMap((file) => {
    const { panels } = JSON.parse(readFileSync(join(GRAFANA, file), 'utf8')) as { panels: Panel[] };
    return panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr, legendFormat }) => ({ asker: `${file}: ${title}`, query: expr, told: legendFormat })),
    );
  });
}
