// What a careless application passes: values that fit, that nearly fit, and that no type would let through.

import { JsonText, type Configuration } from "../../host/node/index.ts";
import type { Random } from "../sim/random.ts";

/** Thrown by what the application itself passes or sets: its own fault, which it may be handed back. */
export class Careless extends Error {}

function cyclic(): object {
  const value: Record<string, unknown> = { a: 1 };
  value["self"] = [value];
  return value;
}

function fails(): never {
  throw new Careless("of the application");
}

const WRONG: readonly (() => unknown)[] = [
  () => undefined, () => null, () => 0, () => -1, () => NaN, () => Infinity, () => 2 ** 40, () => 1.5, () => 10n ** 30n, () => "", () => "x", () => "\ud800", () => true,
  () => Symbol("s"), () => () => 1, () => [], () => [undefined], () => new Array(3), () => ({}), () => cyclic(), () => new Map([["a", 1]]), () => new Date(NaN),
  () => Object.create(null), () => new Uint8Array(3), () => Promise.resolve(1), () => new JsonText("{"), () => new JsonText(5 as unknown as string),
];
const MEMBERS: readonly (() => unknown)[] = [
  () => 1, () => -0, () => 25.5, () => 1e-20, () => 1e300, () => 2 ** 60, () => 10n ** 18n, () => "text", () => "é\n\"\\", () => "x".repeat(300), () => true, () => null,
  () => ({ a: { b: [1, "c"] } }), () => new JsonText('{"z":1.50}'), () => new Date(0), () => ({ toJSON: () => undefined }), () => ({ toJSON(): unknown { return this; } }),
];
const KEYS = ["a", "b", "temperature", "é", "", "a,b", "__proto__", "\udfff", "k".repeat(200), "ts", "values", "deleted"];
const TEXTS = ["a/b", "a/+", "#", "x/y/z", "é", "a#", "", "\ud800", "t".repeat(500), "v1/devices/me/rpc/request/+", "$share/x/y", "a\0b"];
export const CHILDREN = ["A", "B", "é\"", "C", "", "\ud800", "n".repeat(300)];

export class Arguments {
  readonly random: Random;
  readonly #controllers: AbortController[] = [];
  /** Signals that were passed, to look at who still listens. */
  readonly signals: AbortSignal[] = [];
  /** Told of each message that was appended. */
  onAppended: (id: number) => void = () => {};

  constructor(random: Random) {
    this.random = random;
  }

  wrong(): unknown {
    return this.random.pick(WRONG)();
  }

  /** Mostly what `make` makes. */
  or<Value>(make: () => Value, wrongPercent = 8): Value {
    return this.random.percent(wrongPercent) ? this.wrong() as Value : make();
  }

  text(): string {
    return this.or(() => this.random.pick(this.random.percent(60) ? TEXTS.slice(0, 4) : TEXTS));
  }

  child(): string {
    return this.or(() => this.random.pick(this.random.percent(70) ? CHILDREN.slice(0, 3) : CHILDREN), 4);
  }

  keys(): string[] {
    return this.or(() => Array.from({ length: this.random.between(0, 4) }, () => this.or(() => this.random.pick(KEYS), 4)));
  }

  values(): Record<string, never> {
    const { random } = this;
    return this.or(() => {
      const entries = Array.from({ length: random.pick([0, 1, 2, 3, 30]) }, (): [string, unknown] =>
        [random.percent(80) ? `k${random.between(0, 40)}` : random.pick(KEYS), random.percent(97) ? this.or(() => random.pick(MEMBERS)()) : { toJSON: fails }]);
      return Object.fromEntries(entries) as Record<string, never>;
    });
  }

  entry(): never {
    const { random } = this;
    const timed = (): unknown => ({
      ts: this.or(() => random.pick<unknown>([0, 1.7e12, 5n, new Date(1e12)])), values: this.values(),
      ...(random.percent(20) && { metadata: this.or(() => ({ connector: "c", receivedTs: 1, publishedTs: this.or(() => 2) }), 30) }),
    });
    return (random.percent(70) ? this.values() : timed()) as never;
  }

  telemetry(): never {
    const { random } = this;
    return random.pick<() => unknown>([
      () => this.entry(), () => this.entry(), () => this.entry(), () => this.entries(),
      () => new JsonText(random.pick(['{"a":1}', '[{"ts":1,"values":{"a":2}},{"b":3}]', "[]", "5", '{"a":', `{"x":"${"y".repeat(900)}"}`, "[".repeat(60)])),
    ])() as never;
  }

  entries(): never[] {
    return this.or(() => Array.from({ length: this.random.pick([0, 1, 2, 9]) }, () => this.entry()));
  }

  /** A list of pairs, or whatever an iterable may do. */
  children(make: () => unknown): never {
    const { random } = this;
    const pairs = (): unknown => Array.from({ length: random.between(0, 3) }, () => this.or(() => [this.child(), make()], 3));
    function* broken(): Generator { yield ["A", make()]; fails(); }
    return this.or(random.percent(95) ? pairs : broken) as never;
  }

  /** Aborted already, aborted at some time, or never. */
  signal(): AbortSignal | undefined {
    const { random } = this;
    if (random.percent(60)) return undefined;
    return this.or(() => {
      if (random.percent(10)) return AbortSignal.abort(new Careless("too late"));
      const controller = new AbortController();
      if (random.percent(70)) this.#controllers.push(controller);
      this.signals.push(controller.signal);
      return controller.signal;
    });
  }

  abortOne(): void {
    const { random } = this;
    if (this.#controllers.length === 0) return;
    const [controller] = this.#controllers.splice(random.between(0, this.#controllers.length - 1), 1);
    controller!.abort(random.percent(50) ? undefined : new Careless("no longer wanted"));
  }

  /** Options with any of these members, each now and then wrong. */
  options(members: Readonly<Record<string, readonly unknown[]>> = {}): never {
    const { random } = this;
    if (random.percent(30)) return undefined as never;
    return this.or(() => {
      const options: Record<string, unknown> = { signal: this.signal() };
      for (const [name, fitting] of Object.entries(members)) if (random.percent(30)) options[name] = this.or(() => random.pick(fitting), 5);
      return options;
    }, 3) as never;
  }

  publishOptions(): never {
    const told = (id: number): void => this.onAppended(id);
    return this.options({ qos: [0, 1], retain: [true, false], whenFull: ["wait", "reject"], onAppended: [told, told, fails] });
  }

  requestOptions(): { readonly timeoutMs?: number; readonly signal?: AbortSignal } {
    return this.options({ timeoutMs: [1, 100, 5000, 86_400_000] });
  }
}

type LifeProfile = "minimal" | "device" | "gateway" | "gateway-large";

/** A configuration that fits, of small buffers. */
export function configurationOf(random: Random, profile: LifeProfile): Configuration {
  const minimal = {
    mqtt_host: "h", access_token: "T", receive_buffer: random.pick([128, 256, 512]), send_buffer: random.pick([640, 1024]), staging_buffer: random.pick([100, 256, 512]),
    keep_alive_s: random.pick([0, 5, 60]), qos: random.pick([0, 1, 1] as const), max_inflight: random.pick([1, 2, 16]), reconnect_min_ms: 100, reconnect_max_ms: 5000,
  };
  if (profile === "minimal") return minimal;
  return {
    ...minimal, max_requests: random.pick([1, 2, 4]), session_limits: random.percent(60), redeliver: random.percent(30), outbox_drop_oldest: random.percent(30),
    ...(random.percent(50) && { firmware_title: "t", firmware_version: "1", ota_chunk_size: random.pick([0, 64, 100]) }),
    ...(random.percent(20) && { messages_rate_limit: random.pick(["10:1", "1:1,5:60", "3:10;20:100"]) }),
    ...(random.percent(20) && { telemetry_points_rate_limit: random.pick(["10:1", "1:1,5:60"]) }),
    ...(profile !== "device" && { children_buffer: random.pick([64, 128, 1024]), send_buffer: 1024 }),
  };
}
