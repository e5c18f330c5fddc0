// The networks with their colours; pressing one has it alone in full strength.

import type { Network } from '../model/world';

export function NetworkLegend(props: {
  readonly networks: readonly Network[];
  readonly colors: ReadonlyMap<string, string>;
  readonly focus: string | undefined;
  readonly onFocus: (networkId: string | undefined) => void;
}) {
  const { networks, colors, focus, onFocus } = props;
  return (
    <div className="networks" role="group" aria-label="Networks">
      {networks.map(({ id, name }) => (
        <button
          key={id}
          aria-pressed={focus === id}
          onClick={() => onFocus(focus === id ? undefined : id)}
        >
          <i style={{ background: `var(--${colors.get(id)})` }} />
          {name}
        </button>
      ))}
    </div>
  );
}
