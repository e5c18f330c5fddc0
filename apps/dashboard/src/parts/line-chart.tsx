// Lines over time, drawn by uPlot in the colours of the theme. The newest values stand beside their names, in words.

import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { themeColor, useThemeCount } from './theme';

export interface ChartLine {
  readonly name: string;
  /** Name of a colour of the theme. */
  readonly color: string;
  readonly values: readonly (number | null)[];
}

const heightPx = 150;
const marks = { width: 1.8, spanGaps: false, points: { show: false } };

export function LineChart(props: {
  readonly label: string;
  /** Seconds since the epoch. */
  readonly times: readonly number[];
  readonly lines: readonly ChartLine[];
  readonly unit: string;
}) {
  const { label, times, lines, unit } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const themeCount = useThemeCount();
  const shape = lines.map(({ name, color }) => `${name}:${color}`).join();

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    plot.current = new uPlot(optionsOf(lines, element.clientWidth), dataOf(times, lines), element);
    const watch = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: heightPx }),
    );
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
    // New values are set below; only other lines or colours make a new plot.
  }, [shape, themeCount]);

  useEffect(() => plot.current?.setData(dataOf(times, lines)), [times, lines]);

  return (
    <figure className="chart">
      <div ref={place} style={{ height: heightPx }} role="img" aria-label={label} />
      <figcaption>
        {lines.map(({ name, color, values }) => (
          <span key={name}>
            <i style={{ background: `var(--${color})` }} />
            {name} <b>{valueText(values, unit)}</b>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function valueText(values: readonly (number | null)[], unit: string): string {
  const last = values.findLast((value) => value !== null);
  if (last === undefined || last === null) return '–';
  const digits = last < 10 ? last.toFixed(1) : String(Math.round(last));
  return unit.startsWith('/') ? digits + unit : `${digits} ${unit}`;
}

function dataOf(times: readonly number[], lines: readonly ChartLine[]): uPlot.AlignedData {
  return [[...times], ...lines.map(({ values }) => [...values])];
}

function optionsOf(lines: readonly ChartLine[], width: number): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: themeColor('ink-soft'),
    grid: { stroke: themeColor('line'), width: 1 },
    ticks: { show: false },
    font: '11.5px system-ui, sans-serif',
  };
  return {
    width,
    height: heightPx,
    legend: { show: false },
    cursor: { show: false },
    padding: [10, 8, 0, 0],
    scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.15)] } },
    axes: [
      {
        ...axis,
        space: 70,
        size: 26,
        values: '{HH}:{mm}:{ss}',
      },
      { ...axis, size: 38, space: 32 },
    ],
    series: [{}, ...lines.map(({ color }) => ({ ...marks, stroke: themeColor(color) }))],
  };
}
