// What the package offers.

export { DeviceClient } from "./client.ts";
export type { Attributes, AttributesRequest, ClientOptions, LinkState, PublishOptions, Stats } from "./client.ts";
export { readConfiguration, type Configuration } from "./configuration.ts";
export * from "./errors.ts";
export type { LinkEvent } from "./events.ts";
export type { AttributesUpdate } from "./inbound.ts";
export type { SendOptions } from "./outbox.ts";
export { FileSlot, MemorySlot, type ImageSlot } from "./ports/image.ts";
export { SlotOta } from "./ports/ota.ts";
export type { ClockPort, NetPort, OtaPort, Ports, StorePort } from "./ports/port.ts";
export { FileStore, MemoryStore } from "./ports/store.ts";
export type { TlsSettings } from "./ports/tls.ts";
export type { RpcHandler, RpcRequest } from "./rpc.ts";
export { Subscription, type Message, type SubscribeOptions } from "./subscription.ts";
export { JsonText, type JsonValue, type MessageValue, type MessageValues, type Telemetry, type TimedValues } from "./values.ts";
