// A collector of traces, as OpenTelemetry's exporters find one: takes OTLP over HTTP in its binary form, and keeps the spans.

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface ReceivedSpan {
  readonly service: string;
  readonly instance: string | undefined;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Ids of spans of other traces. */
  readonly links: readonly string[];
  readonly isError: boolean;
}

export class Collector {
  readonly spans: ReceivedSpan[] = [];
  /** What it answers; another than 200 takes nothing. */
  status = 200;
  readonly #server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      if (this.status === 200) this.spans.push(...spansOf(body));
      response.writeHead(this.status, { 'content-type': 'application/x-protobuf' }).end();
    });
  });

  static async start(): Promise<Collector> {
    const collector = new Collector();
    await new Promise<void>((resolve) => collector.#server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Spans of the trace that this request came in by, once its door has told of it. */
  traceOf(requestId: string): readonly ReceivedSpan[] {
    const door = this.spans.find(
      ({ attributes }) =>
        attributes['skein.request_id'] === requestId && attributes['http.route'] !== undefined,
    );
    return this.spans.filter(({ traceId }) => traceId === door?.traceId);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

type Field = Buffer | bigint;
type Fields = ReadonlyMap<number, readonly Field[]>;

/** A message of protocol buffers: its fields by their numbers. */
function fieldsOf(data: Buffer): Fields {
  const fields = new Map<number, Field[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = data.readUInt8(at);
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const bytes = (length: number): Buffer => {
    at += length;
    return data.subarray(at - length, at);
  };
  while (at < data.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    const value =
      wire === 0
        ? varint()
        : wire === 1
          ? bytes(8).readBigUInt64LE()
          : wire === 5
            ? BigInt(bytes(4).readUInt32LE())
            : bytes(Number(varint()));
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}

const messages = (fields: Fields, number: number): Fields[] =>
  (fields.get(number) ?? []).map((each) => fieldsOf(each as Buffer));
const text = (fields: Fields, number: number): string => (fields.get(number)?.[0] ?? '').toString();
const hex = (fields: Fields, number: number): string =>
  ((fields.get(number)?.[0] ?? Buffer.alloc(0)) as Buffer).toString('hex');
const whole = (fields: Fields, number: number): bigint => (fields.get(number)?.[0] ?? 0n) as bigint;

function attributesOf(fields: Fields, number: number): Record<string, string | number> {
  return Object.fromEntries(
    messages(fields, number).map((attribute) => {
      const [value = new Map()] = messages(attribute, 2);
      return [text(attribute, 1), value.has(3) ? Number(whole(value, 3)) : text(value, 1)];
    }),
  );
}

/** Of an ExportTraceServiceRequest. */
function spansOf(body: Buffer): ReceivedSpan[] {
  return messages(fieldsOf(body), 1).flatMap((ofResource) => {
    const [resource = new Map()] = messages(ofResource, 1);
    const attributes = attributesOf(resource, 1);
    return messages(ofResource, 2).flatMap((ofScope) =>
      messages(ofScope, 2).map((span) => ({
        service: String(attributes['service.name']),
        instance: attributes['service.instance.id'] as string | undefined,
        traceId: hex(span, 1),
        spanId: hex(span, 2),
        parentId: hex(span, 4),
        name: text(span, 5),
        kind: Number(whole(span, 6)),
        startNs: whole(span, 7),
        endNs: whole(span, 8),
        attributes: attributesOf(span, 9),
        links: messages(span, 13).map((link) => hex(link, 2)),
        isError: messages(span, 15).some((status) => whole(status, 3) === 2n),
      })),
    );
  });
}
