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
/** Between two samples; the cases' series last for twenty minutes of them. */
const INTERVAL = '15s';
const AT = '15m';

const promtool = (...args: string[]) => execFileSync('promtool', args, { encoding: 'utf8', stdio: 'pipe' });

test('Prometheus takes the configuration and the rules', () => {
  assert.match(promtool('check', 'config', join(PROMETHEUS, 'prometheus.yaml')), /rules found/);
});

test('every alert fires for what it is for, and is silent when all is well', () => {
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

test('every alert is explained where its annotation says', () => {
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
