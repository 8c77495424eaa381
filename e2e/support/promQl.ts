import { parser } from '@prometheus-io/lezer-promql';

/** The metrics and labels that a query uses. */
export type Query = { readonly metrics: Set<string>; readonly labels: Set<string> };

/** Parses a PromQL query. @throws Error that shows the position of a syntax error. */
export function readQuery(text: string): Query {
  // Replaces Grafana's variables, which are words or an interval.
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
