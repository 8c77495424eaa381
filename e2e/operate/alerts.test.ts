import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { alertingCases } from '../support/alertingCases.ts';
import { alertRules, PROMETHEUS } from '../support/monitoring.ts';

const RULES = join(PROMETHEUS, 'alerts.yaml');
/** Between two samples. The series of the cases last twenty minutes. */
const INTERVAL = '15s';
const AT = '15m';

const promtool = (...args: string[]) => execFileSync('promtool', args, { encoding: 'utf8', stdio: 'pipe' });

test('Prometheus accepts the configuration and the rules', () => {
  assert.match(promtool('check', 'config', join(PROMETHEUS, 'prometheus.yaml')), /rules found/);
});

test('every alert fires in its case and is silent otherwise', () => {
  const rules = new Map(alertRules().map((rule) => [rule.alert, rule]));
  const names = alertingCases.map(({ alert }) => alert);
  assert.deepEqual(names, [...rules.keys()]);
  const tests = alertingCases.map(({ alert, firing, quiet, labels, summary }) => {
    const rule = rules.get(alert);
    const expected = {
      exp_labels: { severity: rule?.labels.severity, ...labels },
      exp_annotations: { summary, runbook: rule?.annotations.runbook },
    };
    const oneTest = (series: Record<string, string>, exp_alerts: object[]) => ({
      interval: INTERVAL,
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      alert_rule_test: [{ eval_time: AT, alertname: alert, exp_alerts }],
    });
    return [oneTest(firing, [expected]), oneTest({ ...firing, ...quiet }, [])];
  });
  const folder = mkdtempSync(join(tmpdir(), 'alerts-'));
  try {
    const file = join(folder, 'tests.yaml');
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: INTERVAL, tests: tests.flat() }));
    assert.match(promtool('test', 'rules', file), /SUCCESS/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('every alert has the section of the runbook that its annotation names', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const explained = new Map<string, string[]>();
  for (const { alert, annotations } of alertRules()) {
    const [file = '', anchor] = annotations.runbook.split('#');
    if (!explained.has(file)) explained.set(file, anchorsOf(readFileSync(join(root, file), 'utf8')));
    assert.ok(explained.get(file)?.includes(String(anchor)), `${alert}: ${annotations.runbook}`);
  }
});

/** The anchors that GitHub gives the headings of a page. */
const anchorsOf = (page: string): string[] =>
  [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
