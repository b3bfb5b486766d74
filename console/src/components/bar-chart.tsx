// A bar chart over days, drawn as SVG, with the same values in a table for assistive technology.
export interface Bar {
  readonly label: string;
  readonly value: number;
}

export interface BarChartProps {
  readonly label: string;
  readonly bars: readonly Bar[];
  readonly format: (value: number) => string;
}

const WIDTH = 600;
const HEIGHT = 120;
const GAP = 2;

export function BarChart({ label, bars, format }: BarChartProps) {
  const most = Math.max(...bars.map(({ value }) => value), 1);
  const step = WIDTH / Math.max(bars.length, 1);
  return (
    <figure class="bar-chart">
      <figcaption>
        {label} <span class="hint">{format(Math.max(...bars.map(({ value }) => value), 0))}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {bars.map(({ label: name, value }, index) => {
          const height = (value / most) * HEIGHT;
          return (
            <rect key={name} x={index * step} y={HEIGHT - height} width={Math.max(step - GAP, 1)} height={height}>
              <title>{`${name}: ${format(value)}`}</title>
            </rect>
          );
        })}
      </svg>
      <p class="hint bar-ends">
        <span>{bars[0]?.label}</span>
        <span>{bars.at(-1)?.label}</span>
      </p>
    </figure>
  );
}
