// A careless application of the Node client: calls every verb at any time, in handlers and iterators too, and leaves what it began.

import { GatewayClient, type Child, type DeviceClient } from "../../host/node/index.ts";
import type { Random } from "../sim/random.ts";
import { Arguments, Careless } from "./node-arguments.ts";
import { settle } from "./node-time.ts";

/** Calls inside handlers go no deeper. */
const DEPTH_MAX = 3;
/** More than any queue holds. */
const ITEMS_MAX = 1000;

export interface Watch {
  /** A verb is about to be called, and what it answered or threw. */
  called(name: string, call: () => unknown): unknown;
  after(ms: number, run: () => void): void;
}

type Iterator = AsyncIterableIterator<unknown>;

export class CarelessNodeApplication {
  readonly arguments: Arguments;
  /** Iterators that were got, read or not. */
  readonly iterators = new Set<Iterator>();
  readonly calls = new Map<string, number>();
  /** It calls nothing any more. */
  isOver = false;
  readonly #children: Child[] = [];
  #depth = 0;

  constructor(private readonly client: DeviceClient, private readonly random: Random, private readonly watch: Watch) {
    this.arguments = new Arguments(random.fork());
    this.arguments.onAppended = () => { if (random.percent(10)) this.#something(); };
  }

  /** Calls a verb. */
  act(): void {
    const verbs = [...Object.keys(this.#verbs), ...(this.client instanceof GatewayClient ? Object.keys(this.#gatewayVerbs) : [])];
    const name = this.random.pick(verbs);
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
    const verb = this.#verbs[name] ?? this.#gatewayVerbs[name]!;
    this.watch.called(name, () => this.#kept(verb()));
  }

  /** As `act`, and now and then the end of a signal, wherever it is called from. */
  #something(): void {
    if (this.isOver || this.#depth >= DEPTH_MAX) return;
    this.#depth++;
    if (this.random.percent(30)) this.arguments.abortOne();
    else this.act();
    this.#depth--;
  }

  readonly #verbs: Readonly<Record<string, () => unknown>> = {
    start: () => this.client.start(),
    connect: () => this.client.connect(this.arguments.options({ retry: [true, true, false] })),
    disconnect: () => (this.random.percent(40) ? this.client.disconnect() : undefined),
    stop: () => (this.random.percent(20) ? this.client.stop() : undefined),
    sendTelemetry: () => this.client.sendTelemetry(this.arguments.telemetry(), this.arguments.publishOptions()),
    sendTelemetryMore: () => this.client.sendTelemetry(this.arguments.telemetry(), this.arguments.publishOptions()),
    sendAttributes: () => this.client.sendAttributes(this.random.percent(80) ? this.arguments.values() : this.arguments.telemetry(), this.arguments.publishOptions()),
    claim: () => this.client.claim(this.arguments.options({ secretKey: ["", "s"], durationMs: [0, 5, 1e9] }), this.arguments.publishOptions()),
    publish: () => this.client.publish(this.arguments.text(), this.arguments.or<string>(() => this.random.pick(["", "x", "\ud800", "p".repeat(700)])), this.arguments.publishOptions()),
    subscribe: () => this.client.subscribe(this.arguments.text(), this.arguments.options({ qos: [0, 1], parts: [true], messageBytesMax: [0, 10, 65536], queueMessages: [0, 1, 64] })),
    subscribeStream: () => this.client.subscribeStream(this.arguments.text(), this.arguments.options({ qos: [0, 1], queueMessages: [0, 2], partsMax: [1, 2] })),
    requestAttributes: () => this.client.requestAttributes({ ...this.arguments.requestOptions(), client: this.arguments.keys(), shared: this.arguments.keys() }),
    requestRpc: () => this.client.requestRpc(this.arguments.text(), this.arguments.values(), this.arguments.requestOptions()),
    forgetCredentials: () => this.client.forgetCredentials(),
    onRpc: () => this.client.onRpc(this.#handler()),
    rpcRequests: () => this.client.rpcRequests(this.arguments.options()),
    subscribeAttributes: () => this.client.subscribeAttributes(this.random.percent(70) ? this.arguments.keys() : undefined, this.#attributesOptions()),
    sharedAttributes: () => this.client.sharedAttributes(this.arguments.options()),
    startOta: () => this.client.startOta(this.#kind()),
    stopOta: () => this.client.stopOta(this.#kind()),
    onOta: () => this.client.onOta(this.#handler()),
    onOtaUrl: () => this.client.onOtaUrl(this.#handler(() => this.random.pick<unknown>([new Uint8Array(600), [new Uint8Array(100)], this.#image(), undefined]))),
    otaEvents: () => this.client.otaEvents(this.arguments.options()),
    events: () => this.client.events(this.arguments.options()),
    runApp: () => this.client.runApp(this.arguments.or(() => new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])), this.arguments.options({ memoryBytes: [0, 65536], fuel: [0, 1000] })),
    look: () => [this.client.state, this.client.stats, this.client.features, this.client.sessionLimits],
    readIterator: () => this.#read(),
    leaveIterator: () => [...this.iterators][this.random.between(0, 20)]?.return?.(),
  };

  readonly #gatewayVerbs: Readonly<Record<string, () => unknown>> = {
    connectChild: () => this.#gateway.connectChild(this.arguments.child(), this.arguments.or(() => this.random.pick(["t", undefined])), this.arguments.publishOptions()),
    disconnectChild: () => this.#gateway.disconnectChild(this.arguments.child(), this.arguments.publishOptions()),
    child: () => this.#children.push(...[this.#gateway.child(this.arguments.child()), ...this.#gateway.children()].filter((child) => child !== undefined)),
    sendChildTelemetry: () => this.#gateway.sendChildTelemetry(this.arguments.children(() => this.arguments.entries()), this.arguments.publishOptions()),
    sendChildAttributes: () => this.#gateway.sendChildAttributes(this.arguments.children(() => this.arguments.values()), this.arguments.publishOptions()),
    onChildRpc: () => this.#gateway.onChildRpc(this.#handler()),
    childRpcRequests: () => this.#gateway.childRpcRequests(this.arguments.options()),
    childAttributes: () => this.#gateway.childAttributes(this.arguments.options()),
    childSendTelemetry: () => this.#child?.sendTelemetry(this.random.percent(50) ? this.arguments.entry() : this.arguments.entries(), this.arguments.publishOptions()),
    childSendAttributes: () => this.#child?.sendAttributes(this.arguments.values(), this.arguments.publishOptions()),
    childRequestAttributes: () => this.#child?.requestAttributes({ ...this.arguments.requestOptions(), scope: this.arguments.or(() => this.random.pick(["client", "shared"])), keys: this.arguments.keys() }),
    childClaim: () => this.#child?.claim(this.arguments.options({ secretKey: ["s"], durationMs: [5] }), this.arguments.publishOptions()),
    childOnRpc: () => this.#child?.onRpc(this.#handler()),
    childSubscribeAttributes: () => this.#child?.subscribeAttributes(this.random.percent(70) ? this.arguments.keys() : undefined, this.#attributesOptions()),
    childSharedAttributes: () => this.#child?.sharedAttributes(this.arguments.options()),
  };

  get #gateway(): GatewayClient {
    return this.client as GatewayClient;
  }

  get #child(): Child | undefined {
    return this.#children.length === 0 ? undefined : this.random.pick(this.#children.slice(-6));
  }

  #kind(): "firmware" | "software" | undefined {
    return this.arguments.or(() => this.random.pick(["firmware", "software", undefined]));
  }

  #attributesOptions(): never {
    return this.arguments.options({ refresh: [true, false], handler: [this.#handler()] });
  }

  /** Keeps what can be iterated, and at times begins to read it. */
  #kept(answer: unknown): unknown {
    if (typeof answer !== "object" || answer === null || !(Symbol.asyncIterator in answer)) return answer;
    this.iterators.add(answer as Iterator);
    if (this.random.percent(60)) this.watch.called("for await", () => this.#loop(answer as Iterator));
    return (answer as { ready?: Promise<void> }).ready;
  }

  /** A promise of the next item, without waiting for the one before. */
  #read(): unknown {
    const iterators = [...this.iterators];
    return iterators.length === 0 ? undefined : this.random.pick(iterators).next();
  }

  async #loop(iterator: Iterator): Promise<void> {
    for await (const item of iterator) {
      const { body, release, reply } = item as { body?: Iterator; release?: (isAccepted: boolean) => void; reply?: (value: unknown) => Promise<void> };
      if (body !== undefined) this.#kept(body);
      if (this.isOver) continue;
      if (release !== undefined && this.random.percent(30)) this.watch.called("release", () => release(this.arguments.or(() => this.random.percent(50))));
      if (reply !== undefined && this.random.percent(60)) this.watch.called("reply", () => reply(this.arguments.values()));
      if (this.random.percent(20)) this.#something();
      if (this.random.percent(10)) break;
    }
  }

  /** An image that does not come as a whole, or not at all. */
  async *#image(): AsyncGenerator<Uint8Array> {
    for (let part = 0; part < 6; part++) {
      if (this.random.percent(10)) throw new Careless("of the image");
      yield new Uint8Array(100);
    }
  }

  /** A handler that answers, throws or hangs; null or none in its place. */
  #handler(answers: () => unknown = () => this.arguments.values()): never {
    const { random } = this;
    if (random.percent(10)) return null as never;
    const handle = (request: { reply?: (value: unknown) => Promise<void>; release?: (isAccepted: boolean) => void }): unknown => {
      if (this.isOver) return undefined;
      if (random.percent(20)) this.#something();
      const { reply, release } = request;
      if (reply !== undefined && random.percent(15)) this.watch.called("reply", () => reply(this.arguments.values()));
      if (release !== undefined && random.percent(10)) this.watch.called("release", () => release(random.percent(50)));
      return random.pick<() => unknown>([
        answers, answers, () => this.arguments.wrong(), () => { throw new Careless("of the handler"); }, () => { throw random.pick([undefined, null, Object.create(null), Symbol("thrown"), 5]); },
        () => new Promise(() => {}), () => new Promise((resolve) => this.watch.after(random.pick([1, 1000, 100_000]), () => resolve(answers()))),
        async () => { throw new Error(random.pick(["", "\ud800", "m".repeat(3000)])); }, () => ({ then: () => { throw Object.create(null); } }),
      ])();
    };
    return this.arguments.or(() => handle, 5) as never;
  }
}

/** Whether what is in an iterator can be read to its end, without anything more that happens. */
export async function hasEnd(iterator: Iterator, onError: (error: unknown) => void): Promise<boolean> {
  for (let items = 0; items < ITEMS_MAX; items++) {
    let result: IteratorResult<unknown> | undefined;
    iterator.next().then((value) => { result = value; }, (error: unknown) => {
      onError(error);
      result = { value: undefined, done: false };
    });
    await settle();
    if (result === undefined || result.done === true) return result !== undefined;
  }
  return false;
}
