// A framed part of a view, and rows of figures.

import { useId, type ReactNode } from 'react';

export function Card(props: {
  readonly title: string;
  readonly note?: ReactNode;
  readonly end?: ReactNode;
  readonly className?: string;
  readonly children: ReactNode;
}) {
  const id = useId();
  return (
    <section className={`card ${props.className ?? ''}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{props.title}</h2>
        {props.note === undefined ? null : <p>{props.note}</p>}
        {props.end === undefined ? null : <div className="end">{props.end}</div>}
      </header>
      <div className="body">{props.children}</div>
    </section>
  );
}

export interface Figure {
  readonly name: string;
  readonly value: ReactNode;
  readonly note?: ReactNode;
}

export function Figures({ figures }: { readonly figures: readonly Figure[] }) {
  return (
    <dl className="figures">
      {figures.map(({ name, value, note }) => (
        <div className="figure" key={name}>
          <dt>{name}</dt>
          <dd>
            {value}
            <small>{note}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function Nothing({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ReactNode;
}) {
  return (
    <div className="nothing">
      <strong>{title}</strong>
      <span>{children}</span>
    </div>
  );
}
