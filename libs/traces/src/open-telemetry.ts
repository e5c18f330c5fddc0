// Parts of requests as spans of OpenTelemetry, sent by its own exporter. Reads the environment only through those packages, which
// know their settings by their standard names. Nothing else in Skein loads them.

import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Link,
  type Span,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import type { Part, PartKind, PartOutcome, PartStart } from '@skein/messaging';
import { PartBook } from './part-book';
import { formatTraceparent, parseTraceparent } from './traceparent';
import type { Traces, TracesOptions } from './traces';

/** A stop waits no longer for a collector that does not answer. */
const closeLimitMs = 1_000;

const spanKinds: Readonly<Record<PartKind, SpanKind>> = {
  door: SpanKind.SERVER,
  served: SpanKind.SERVER,
  asked: SpanKind.CLIENT,
  within: SpanKind.INTERNAL,
};

/** A span, and the requests whose work is a part of it. */
interface Strand {
  readonly span: Span;
  readonly requestIds: readonly string[];
}

export class OpenTelemetry implements Traces {
  readonly #provider: BasicTracerProvider;
  readonly #tracer: Tracer;
  readonly #book = new PartBook<SpanContext>();

  constructor(options: TracesOptions) {
    const exporter = telling(new OTLPTraceExporter({ url: options.url }), options.onFault);
    this.#provider = new BasicTracerProvider({
      resource: resourceOf(options),
      spanProcessors: [new BatchSpanProcessor(exporter)],
    });
    this.#tracer = this.#provider.getTracer('skein', options.version);
  }

  begin(start: PartStart): Part | undefined {
    const strands = this.#strands(start);
    const [lead] = strands;
    if (lead === undefined) return undefined;
    const leave =
      start.kind === 'asked'
        ? []
        : strands.map(({ span, requestIds }) => this.#book.enter(requestIds, span.spanContext()));
    const { traceId, spanId, traceFlags } = lead.span.spanContext();
    return {
      traceparent: formatTraceparent({ traceId, spanId, isSampled: isSampled(traceFlags) }),
      end: (outcome) => {
        for (const each of leave.splice(0)) each();
        for (const { span } of strands.splice(0)) endSpan(span, start, outcome);
      },
    };
  }

  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, closeLimitMs)));
    await Promise.race([this.#provider.shutdown().catch(() => undefined), limit]);
    clearTimeout(timer);
  }

  /** One for each trace that the part belongs to: the first leads, and each of the others points to it and it to them. */
  #strands(start: PartStart): Strand[] {
    const { kind, requestIds, traceparent } = start;
    if (kind === 'door' || kind === 'served') {
      const parent = traceparent === undefined ? undefined : remote(traceparent);
      if (kind === 'served' && parent === undefined) return [];
      return [{ span: this.#span(start, parent, []), requestIds }];
    }
    const traces = this.#tracesOf(requestIds);
    const [first, ...others] = traces.values();
    if (first === undefined) return [];
    const links = others.map(({ place }) => ({ context: place }));
    const lead = { span: this.#span(start, first.place, links), requestIds: first.requestIds };
    const link = { context: lead.span.spanContext() };
    const rest = others.map(({ place, requestIds: own }) => ({
      span: this.#span({ ...start, requestIds: own }, place, [link]),
      requestIds: own,
    }));
    return [lead, ...rest];
  }

  #tracesOf(requestIds: readonly string[]) {
    const traces = new Map<string, { place: SpanContext; requestIds: string[] }>();
    for (const id of requestIds) {
      const place = this.#book.at(id);
      if (place === undefined) continue;
      const known = traces.get(place.traceId);
      if (known === undefined) traces.set(place.traceId, { place, requestIds: [id] });
      else known.requestIds.push(id);
    }
    return traces;
  }

  #span(start: PartStart, parent: SpanContext | undefined, links: Link[]): Span {
    const { kind, name, requestIds, facts } = start;
    const [requestId] = requestIds;
    const attributes = {
      ...(requestId === undefined ? {} : { 'skein.request_id': requestId }),
      ...(kind === 'served' || kind === 'asked' ? conversationOf(name) : {}),
      ...facts,
    };
    const context =
      parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
    return this.#tracer.startSpan(name, { kind: spanKinds[kind], attributes, links }, context);
  }
}

const isSampled = (flags: number): boolean => (flags & TraceFlags.SAMPLED) !== 0;

function conversationOf(name: string) {
  const [service = '', method = ''] = name.split('.');
  return { 'rpc.system': 'nats', 'rpc.service': service, 'rpc.method': method };
}

function remote(traceparent: string): SpanContext | undefined {
  const place = parseTraceparent(traceparent);
  if (place === undefined) return undefined;
  const { traceId, spanId } = place;
  const traceFlags = place.isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return { traceId, spanId, traceFlags, isRemote: true };
}

/** A refusal is a failure to whoever asked, not to whoever refused. */
function endSpan(span: Span, { kind }: PartStart, { code, isFailure, facts }: PartOutcome): void {
  if (facts !== undefined) span.setAttributes(facts);
  if (code !== 'ok') {
    span.setAttribute('error.type', code);
    if (isFailure === true || kind === 'asked') span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

function resourceOf({ serviceName, givenName, version, instance }: TracesOptions) {
  const own = resourceFromAttributes({
    'service.name': serviceName,
    'service.namespace': 'skein',
    'service.version': version,
    ...(instance === undefined ? {} : { 'service.instance.id': instance }),
  });
  const said = detectResources({ detectors: [envDetector] });
  const given = resourceFromAttributes(
    givenName === undefined ? {} : { 'service.name': givenName },
  );
  return own.merge(said).merge(given);
}

/** The exporter, with each change between working and failing told. */
function telling(exporter: SpanExporter, onFault: TracesOptions['onFault']): SpanExporter {
  let isFailing = false;
  return {
    export: (spans: ReadableSpan[], done) =>
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined || result.code !== 0;
        if (failed !== isFailing) {
          onFault(failed ? (result.error?.message ?? 'the collector refuses them') : undefined);
        }
        isFailing = failed;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
