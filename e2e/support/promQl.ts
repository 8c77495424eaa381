import { parser } from '@prometheus-io/lezer-promql';

/** What a query asks for. */
export type Query = { readonly metrics: Set<string>; readonly labels: Set<string> };

/** Reads a query as Prometheus does. @throws Error that shows where it is wrong. */
export function readQuery(text: string): Query {
  // Grafana's variables are words, or an interval.
  const query = text.replaceAll('$__rate_interval', '5m');
  const metrics = new Set<string>();
  const labels = new Set<string>();
  parser.parse(query).iterate({
    enter({ name, type, from, to, node }) {
      const word = query.slice(from, to);
      if (type.isError) throw new Error(`no PromQL at "${query.slice(from)}": ${query}`);
      if (name === 'Identifier' && node.parent?.name === 'VectorSelector') metrics.add(word);
      if (name === 'LabelName') labels.add(word);
    },
  });
  return { metrics, labels };
}
