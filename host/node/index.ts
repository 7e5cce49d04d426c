// What the package offers.

export { DeviceClient } from "./client.ts";
export { AppHost, type AppOptions } from "./app.ts";
export { AttributesSubscription, type AttributesHandler, type AttributesUpdate, type SubscribeAttributesOptions } from "./attributes.ts";
export { Child, type ChildAttributesRequest, type ChildAttributesUpdate, type ChildRpcHandler, type ChildRpcRequest } from "./children.ts";
export { readConfiguration, type Configuration, type ProvisionBody } from "./configuration.ts";
export * from "./errors.ts";
export type { LinkEvent } from "./events.ts";
export { GatewayClient, type GatewayOptions } from "./gateway.ts";
export type { RateLimits, SessionLimits } from "./limits.ts";
export { StreamSubscription, type StreamedMessage } from "./message-stream.ts";
export type { Attributes, AttributesRequest, Claim, ClientOptions, LinkState, PublishOptions, RequestOptions, Stats } from "./options.ts";
export type { SendOptions } from "./outbox.ts";
export { FileSlot, MemorySlot, type ImageSlot } from "./ports/image.ts";
export { SlotOta } from "./ports/ota.ts";
export type { ClockPort, NetPort, OtaPort, Ports, StorePort } from "./ports/port.ts";
export { FileStore, MemoryStore } from "./ports/store.ts";
export type { TlsSettings } from "./ports/tls.ts";
export { provision, type Provisioned, type ProvisionCredentials, type ProvisionOptions, type ProvisionRequest } from "./provision.ts";
export type { Releasable } from "./release.ts";
export type { RpcHandler, RpcRequest } from "./rpc.ts";
export { Subscription, type Message, type SubscribeOptions } from "./subscription.ts";
export type { OtaEvent, OtaHandler, OtaUrlHandler, UpdateKind } from "./updates.ts";
export { JsonText, type ConnectorMetadata, type Entry, type JsonValue, type MessageValue, type MessageValues, type Telemetry, type TimedValues } from "./values.ts";
