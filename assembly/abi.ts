// The one home of every number that crosses the seam between module and host.
//
// `host/tools/generate-abi.ts` reads this file and writes the C header and the TypeScript tables, so the
// form is fixed: `export const NAME: i32 = number;`, and `export const enum` members with explicit numbers, each
// with a comment of one line behind or above it that becomes the description in every language.

/** Major: an old host would misread. Minor: it would merely miss something. Value: major * 256 + minor. */
export const ABI_VERSION: i32 = 256;

/** `deadline_ms()` when nothing is waited for. */
export const NO_DEADLINE_MS: i32 = 2147483647;

/** Bytes of the lane that acknowledgements and PINGREQ leave by, whatever fills the outbox. */
export const LANE_CAPACITY: i32 = 64;

/** Longest interval that may be configured: 24 days, half the range of the 32-bit clock. */
export const INTERVAL_MS_MAX: i32 = 2073600000;

/** Objects and arrays that may be open at once in any JSON text, read or written. */
export const JSON_DEPTH_MAX: i32 = 32;

/** Packet ids of messages are given in turn, from 1 to this; those above belong to SUBSCRIBE and UNSUBSCRIBE. */
export const MESSAGE_ID_MAX: i32 = 32767;

/** Fuel of one call into an app when the host is told nothing else: entries of functions and rounds of loops. */
export const APP_FUEL: i32 = 100000;

/** Fuel that one entry of a function costs which can call itself: so APP_FUEL ends a recursion 25 calls deep. */
export const APP_RECURSION_FUEL: i32 = 4000;

/** Bytes of linear memory of an app when neither build nor host is told anything else. */
export const APP_MEMORY_BYTES: i32 = 2048;

/** Results below zero. Zero and above is a length, a count or an id. */
export const enum Status {
  Ok = 0, // done
  MoreBytes = -1, // the text or packet ends too early
  Malformed = -2, // bytes that the format does not allow
  TooLarge = -3, // does not fit even into an empty buffer; error value: bytes needed
  Full = -4, // no room now; try again after the next acknowledgement
  BadState = -5, // the call is not allowed in this state
  InvalidValue = -6, // outside the range that is allowed
  UnknownKey = -7, // a configuration key that no profile has
  WrongType = -8, // a value of another JSON type than the key takes
  MissingKey = -9, // a required configuration key is absent
  NotInProfile = -10, // this build of the module lacks the feature
  InvalidNumber = -11, // not a number that JSON can carry
  InvalidUtf8 = -12, // not UTF-8
  InvalidTopic = -13, // no topic or filter: empty, not UTF-8, with U+0000, or a wildcard where none is allowed
  Inexact = -14, // the number has more digits than 64 bits hold
  NotFound = -15, // no such member, subscription or request
  TooDeep = -16, // nested deeper than JSON_DEPTH_MAX
  Timeout = -17, // no answer in time
  RemoteError = -18, // the server answered with an error
  StoreFailed = -19, // the storage could not be read or written
  ChecksumMismatch = -20, // the image is not the one that its checksum belongs to
  Vetoed = -21, // the application did not want it
  DnsFailed = -32, // the name could not be resolved
  ConnectionRefused = -33, // nobody listens at that address
  Unreachable = -34, // no route to the address, or the network is down
  ConnectionReset = -35, // the connection broke
  ConnectionClosed = -36, // the peer closed the connection
  NetworkFailed = -37, // any other failure of the network stack
  TlsUnsupported = -40, // this host was built without TLS
  TlsHandshakeFailed = -41, // no common version, cipher or other handshake failure
  TlsUntrusted = -42, // the certificate chain does not end at a trusted authority
  TlsNameMismatch = -43, // the certificate is for another name
  TlsExpired = -44, // a certificate is outside its dates
  TlsClientCertificateRefused = -45, // the server did not accept the client certificate
  TimeUnknown = -46, // certificates cannot be checked before the time is known
  ConnectTimeout = -64, // no open connection within connect_timeout_s
  ConnackTimeout = -65, // no CONNACK within connect_timeout_s
  PingTimeout = -66, // no PINGRESP within ack_timeout_s
  AcknowledgeTimeout = -67, // no PUBACK or SUBACK within ack_timeout_s
  ProtocolError = -68, // the peer sent a packet that no rule allows
  Redelivery = -69, // closed so that the peer delivers a message again
  Requested = -70, // closed by disconnect() or stop()
  ConnectRefused = -71, // CONNACK with a refusal; the event before it has the code
  Trapped = -72, // the module trapped and was built again
}

/** States of the connection, in the order of its life. */
export const enum State {
  Stopped = 0, // nothing is open, nothing is due
  Waiting = 1, // the next attempt is due later
  Opening = 2, // the port resolves, connects and handshakes
  Connecting = 3, // CONNECT is on its way, CONNACK is awaited
  Connected = 4, // the session lives
  Draining = 5, // disconnect() waits for the outbox to empty
}

/** Return codes of CONNACK [MQTT 3.1.1, table 3.1]: the reason of the event Refused. */
export const enum ReturnCode {
  Accepted = 0, // accepted
  UnacceptableProtocolVersion = 1, // unacceptable protocol version
  IdentifierRejected = 2, // client id rejected
  ServerUnavailable = 3, // server unavailable
  BadCredentials = 4, // bad user name or password
  NotAuthorized = 5, // not authorized
}

/** What `poll` returns and the event record holds. */
export const enum EventKind {
  None = 0, // nothing happened
  Connected = 1, // CONNACK accepted; reason: session-present flag
  Disconnected = 2, // the connection ended; reason: Status
  Refused = 3, // CONNACK refused; reason: its ReturnCode
  Unstable = 4, // closed by the peer twice before the connection was healthy; reason: Status of the last close
  Delivered = 5, // PUBACK for the message `id`
  MessageRejected = 6, // three sessions in a row ended on message `id`; it left the outbox; topic and payload are its
  SubscriptionRefused = 7, // SUBACK 0x80; id: subscription; topic: filter
  Message = 8, // a PUBLISH that no typed handler claims, or a part of one
  MessageAborted = 9, // the connection ended inside a message that was being delivered in parts
  MessageTooLarge = 10, // a message did not fit receive_buffer; total: bytes needed; id: request id where it has one
  RpcRequest = 11, // server-side RPC; id: request id; name: method; value: params
  SharedAttributes = 12, // shared attributes changed or were deleted
  AttributesResponse = 13, // answer to request_attributes `id`
  RequestTimeout = 14, // request `id` got no answer in time
  ResendNeeded = 15, // the payload of publish_begin `id` must be written again from its start
  InvalidMessage = 16, // a platform message that is not what its API says; reason: Status
  Subscribed = 17, // SUBACK accepted; id: subscription; topic: filter
  RpcResponse = 18, // answer to request_rpc `id`; payload: the answer; reason: RemoteError when it has a member `error`
  SessionLimits = 19, // what the server allows; payload: its answer to getSessionLimits
  Provisioned = 20, // credentials were received and are used from now on; payload: the reply, which holds secrets
  ProvisioningFailed = 21, // no credentials; reason: Status; name: what is wrong; payload: the reply where there is one
  OtaAvailable = 22, // id: OtaKind; name: title; value: version; total: bytes of the image; the download begins
  OtaProgress = 23, // id: OtaKind; offset: bytes written; total: bytes of the image
  OtaReady = 24, // id: OtaKind; the image is complete and verified; answer with ota_apply
  OtaUrl = 25, // id: OtaKind; name: URL; value: checksum; total: bytes, 0 = unknown; the host fetches it
  OtaFailed = 26, // id: OtaKind; reason: Status; name: the text that was sent as error
  OtaApplied = 27, // id: OtaKind; the image is committed: restart the device to run it
  ChildAttributes = 28, // topic: child; value: its shared attributes that changed, or `deleted`
  ChildRpcRequest = 29, // topic: child; id: request id of that child; name: method; value: params
  ChildAttributesResponse = 30, // answer to gateway_request_attributes `id`; topic: child; value: a value, or an object of them
  ChildDisconnected = 31, // the server ended the session of a child; topic: child; reason: its code
  Restarted = 64, // from the host: the module trapped and was built again; total: messages lost from RAM
  Failed = 65, // from the host: five traps within ten minutes, the client has stopped
  AppFailed = 66, // from the host: the app module trapped or ran out of fuel; reason: Status; name: why
  AppTimer = 67, // from the host, to an app alone: the time that it asked for has come
}

/** Bits of the event flags; the low four are the flags of the PUBLISH packet. */
export const enum EventFlag {
  Retain = 1, // [MQTT-3.3.1-8]
  Qos1 = 2, // delivered with QoS 1
  Dup = 8, // [MQTT-3.3.1-1]
  Last = 16, // the payload ends with this part
  Repeated = 32, // a server-side RPC with the id and the payload of a recent one
}

/** What `records()` points to: addresses that stay as they are after `configure`. */
export const enum RecordsField {
  Event = 0, // u32 address of the event record
  Error = 4, // u32 address of the error record
  Stats = 8, // u32 address of the counters
  JsonValue = 12, // u32 address of the value record of json_find
  Staging = 16, // u32 address of the staging area
  StagingCapacity = 20, // u32 its bytes
  End = 24, // bytes of the record in this version
}

/** The event record: offsets in bytes, all fields little-endian. */
export const enum EventField {
  Size = 0, // u16 bytes of the record
  Kind = 2, // u8 EventKind
  Flags = 3, // u8 EventFlag
  Id = 4, // i32 packet, request or subscription id
  Reason = 8, // i32 Status or MQTT return code
  Topic = 12, // u32 address
  TopicLength = 16, // u32 bytes
  Payload = 20, // u32 address
  PayloadLength = 24, // u32 bytes in this part
  Properties = 28, // u32 address, MQTT 5 only
  PropertiesLength = 32, // u32 bytes
  Total = 36, // u32 bytes of the whole payload
  Offset = 40, // u32 where this part begins in it
  Name = 44, // u32 address: RPC method, JSON text without its quotes
  NameLength = 48, // u32 bytes
  Value = 52, // u32 address: RPC params, JSON text
  ValueLength = 56, // u32 bytes, 0 when absent
  End = 60, // bytes of the record in this version
}

/** Bits of `wants()`. */
export const enum Want {
  Readable = 1, // call poll when bytes arrived or the peer closed
  Writable = 2, // call poll when the port takes bytes again
  Work = 4, // call poll when the port made progress (DNS, connect, TLS)
}

/** Bits of `features()`. */
export const enum Feature {
  Raw = 1, // publish and subscribe to any topic
  Attributes = 2, // attribute requests and shared attribute updates
  Store = 4, // imports of the store group
  Ota = 8, // firmware and software update
  Gateway = 16, // the gateway API
  Managed = 32, // managed mode
  Mqtt5 = 64, // MQTT 5.0
  Requests = 128, // client-side RPC, session limits and claiming
  Provisioning = 256, // provisioning
}

/** Flags of `net_open`. */
export const enum NetFlag {
  Tls = 1, // handshake before the handle is open
}

/** Results of `net_state` that are not failures. */
export const enum NetState {
  Connecting = 0, // resolving, connecting or handshaking
  Open = 1, // bytes may be sent and received
  Flushing = 2, // open, and bytes that net_send accepted are still in the port
}

/** Dispositions of `event_release`. */
export const enum Release {
  NotAccepted = 0, // what follows is the option `redeliver`
  Accepted = 1, // acknowledge
}

/** Type of a member in the packed message record. */
export const enum Member {
  Null = 0, // null
  False = 1, // false
  True = 2, // true
  Integer = 3, // the number field is the value
  Decimal = 4, // the number field is the mantissa; digits: how many stand behind the point, 0 to 18
  Text = 5, // the number field is the length of the UTF-8 text
  Json = 6, // the number field is the length of JSON text, which is validated
  ObjectBegin = 7, // members follow, until End
  ArrayBegin = 8, // elements follow, until End
  End = 9, // closes the innermost object or array
}

/** A member of the packed message record: offsets in bytes. */
export const enum MemberField {
  Type = 0, // u8 Member
  Digits = 1, // u8 digits behind the point
  KeyLength = 2, // u16 bytes of the key
  Number = 4, // i64 value, mantissa or length
  Key = 12, // the key, then the text, each padded to a multiple of four
}

/** The options record of a publish: offsets in bytes. */
export const enum OptionField {
  Size = 0, // u16 bytes of the record
  Qos = 2, // u8 0 or 1
  Retain = 3, // u8 0 or 1
  End = 4, // bytes of the record in this version
}

/** Bits of the options of a publish by an app; 0 = the configured QoS, not retained. */
export const enum AppPublish {
  Qos0 = 1, // QoS 0, whatever is configured
  Qos1 = 2, // QoS 1, whatever is configured
  Retain = 4, // retained
}

/** The error record: offsets in bytes. */
export const enum ErrorField {
  Text = 0, // u32 address of the key or text that belongs to the last status
  TextLength = 4, // u32 bytes
  Value = 8, // i32 number that belongs to the last status
  End = 12, // bytes of the record in this version
}

/** JSON type that `json_find` returns. */
export const enum JsonType {
  Null = 1, // null
  False = 2, // false
  True = 3, // true
  Text = 5, // a string; the span is without the quotes and still escaped
  Number = 6, // the span is the number as it is written
  Object = 7, // the span includes the braces
  Array = 8, // the span includes the brackets
}

/** The JSON value record: offsets in bytes. */
export const enum JsonField {
  Text = 0, // u32 address of the value in the document
  TextLength = 4, // u32 bytes
  End = 8, // bytes of the record in this version
}

/** The counters, and one id: offsets in bytes, each u32, wrapping. */
export const enum Stat {
  Size = 0, // bytes of the record
  Connects = 4, // accepted CONNACKs
  Disconnects = 8, // connections that ended for another reason than a request
  ConnectFailures = 12, // attempts that ended before a CONNACK was accepted
  MessagesQueued = 16, // publishes that entered the outbox
  MessagesSent = 20, // publishes handed to the port, repetitions included
  MessagesResent = 24, // of these, repetitions with DUP
  MessagesDelivered = 28, // PUBACKs for a message in flight
  MessagesReceived = 32, // inbound publishes
  MessagesRefused = 36, // publishes refused because the outbox was full
  MessagesDropped = 40, // oldest messages dropped to make room
  MessagesRejected = 44, // poison messages set aside
  InboundDropped = 48, // inbound messages not accepted and acknowledged all the same
  InboundRedelivered = 52, // inbound messages not accepted and left to be delivered again
  InboundTooLarge = 56, // inbound messages larger than receive_buffer
  InboundAborted = 60, // inbound messages cut off by the end of a connection
  InboundInvalid = 64, // platform messages that are not what their API says
  AcknowledgementsUnknown = 68, // PUBACKs, SUBACKs and UNSUBACKs that match nothing
  RequestTimeouts = 72, // requests without an answer in time
  ProtocolErrors = 76, // connections closed for a packet that no rule allows
  BytesSent = 80, // bytes that the port accepted
  BytesReceived = 84, // bytes that the port delivered
  ConfigurationIgnored = 88, // keys ignored because of ignore_missing_features
  RpcRequestsRepeated = 92, // server-side RPCs with the id and the payload of a recent one
  MessagesDelayed = 96, // packets of the outbox that the limits of the server held back for a while
  LastDroppedId = 100, // packet id of the newest message at QoS 1 among those dropped to make room, 0 = none; no older one is in the outbox
  End = 104, // bytes of the record in this version
}

/** `what` of `store_info`. */
export const enum StoreInfo {
  Size = 0, // bytes of the area, 0 = absent
  EraseSize = 1, // bytes of an erase unit
  ProgramSize = 2, // alignment of a program operation in bytes
}

/** Areas of the store. */
export const enum StoreArea {
  Journal = 0, // credentials, identity, OTA progress, counters
  Queue = 1, // messages kept while offline
  Database = 2, // the user's documents
}

/** `kind` of `ota_begin`. */
export const enum OtaKind {
  Firmware = 0, // fw_ attributes
  Software = 1, // sw_ attributes
}

/** Checksum algorithms of `ota_verify`. */
export const enum OtaAlgorithm {
  Md5 = 0, // 32 hex digits
  Sha256 = 1, // 64 hex digits
  Sha384 = 2, // 96 hex digits
  Sha512 = 3, // 128 hex digits
  Crc32 = 4, // 8 hex digits, little-endian bytes
  Murmur3_32 = 5, // 8 hex digits, little-endian bytes
  Murmur3_128 = 6, // 32 hex digits, little-endian halves
}

/** Results of `ota_boot_state`. */
export const enum OtaBootState {
  Normal = 0, // nothing to confirm
  Unconfirmed = 1, // first boot of a new image; ota_confirm keeps it
  RolledBack = 2, // the new image was not confirmed and the old one runs
}

/** Levels of `log`. */
export const enum LogLevel {
  Error = 0, // needs attention
  Warning = 1, // recovered, worth knowing
  Info = 2, // life of the connection
  Debug = 3, // each packet
}
