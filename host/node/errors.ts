// The errors that the client's promises reject with: one class for each kind of trouble, each with the ABI's status.

import { ReturnCodeTexts, Status, StatusNames, StatusTexts } from "../../build/generated/abi.ts";

export type StatusName = keyof typeof Status;

/** The name of a result: `Ok` from zero up. */
export function statusName(code: number): StatusName | "Unknown" {
  return code > 0 ? "Ok" : (StatusNames[code] as StatusName | undefined) ?? "Unknown";
}

/** What a status means, in words. */
export function statusText(code: number): string {
  // Behind "error value" stands what programs read, not people.
  return StatusTexts[code]?.split("; error value")[0] ?? `unknown status ${code}`;
}

/** What was thrown, in words; not everything that can be thrown has some. */
export function textOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return "something without words was thrown";
  }
}

export interface ErrorDetail {
  /** The key or text that the status is about. */
  readonly text?: string | undefined;
  /** The number that belongs to the status: bytes needed, or the limit that was passed. */
  readonly value?: number | undefined;
  readonly cause?: unknown;
}

/** Any failure that the module or a port reports; `status` says which, `code` is its number in the ABI. */
export class MoteError extends Error {
  override readonly name: string = "MoteError";
  readonly status: StatusName | "Unknown";
  readonly code: number;
  readonly text: string;
  readonly value: number;

  constructor(code: number, doing: string, detail: ErrorDetail = {}) {
    const about = [detail.text, code === Status.TooLarge && detail.value ? `${detail.value} bytes needed` : ""].filter(Boolean).join(", ");
    super(`${doing}: ${statusText(code)}${about && ` (${about})`}`, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.status = statusName(code);
    this.text = detail.text ?? "";
    this.value = detail.value ?? 0;
  }
}

/** The configuration was not accepted; `text` names the key. */
export class ConfigurationError extends MoteError {
  override readonly name = "ConfigurationError";
}

/** The value cannot be laid out as a message: a number that JSON lacks, text that is not Unicode, too deep. */
export class InvalidValueError extends MoteError {
  override readonly name = "InvalidValueError";
}

/** The message never fits; `value` holds the bytes needed. */
export class TooLargeError extends MoteError {
  override readonly name = "TooLargeError";
}

/** The outbox is full and the caller asked not to wait, or too many callers wait already. */
export class FullError extends MoteError {
  override readonly name = "FullError";
}

/** The call is not allowed in this state. */
export class BadStateError extends MoteError {
  override readonly name = "BadStateError";
}

/** The link failed, or ended before the answer came. */
export class DisconnectedError extends MoteError {
  override readonly name: string = "DisconnectedError";
}

/** TLS was not established; `status` tells why. */
export class TlsError extends DisconnectedError {
  override readonly name = "TlsError";
}

/** The server refused the connection; `returnCode` is that of CONNACK. */
export class RefusedError extends MoteError {
  override readonly name = "RefusedError";
  readonly returnCode: number;

  constructor(doing: string, returnCode: number) {
    super(Status.ConnectRefused, doing, { text: ReturnCodeTexts[returnCode] ?? `return code ${returnCode}`, value: returnCode });
    this.returnCode = returnCode;
  }
}

/** The server refused a subscription [MQTT-3.9.3]. */
export class SubscriptionRefusedError extends MoteError {
  override readonly name = "SubscriptionRefusedError";
}

/** Three sessions in a row ended on this message, so it left the outbox. */
export class MessageRejectedError extends MoteError {
  override readonly name = "MessageRejectedError";
}

/** No answer came in time. */
export class RequestTimeoutError extends MoteError {
  override readonly name = "RequestTimeoutError";
}

/** The server answered with an error; `answer` is the JSON text of what it said. */
export class RemoteError extends MoteError {
  override readonly name = "RemoteError";
  readonly answer: string;

  constructor(doing: string, answer: string) {
    super(Status.RemoteError, doing, { text: answer });
    this.answer = answer;
  }
}

/** The server gave the device no credentials; `text` names what is wrong, `answer` is the server's reply, if there was one. */
export class ProvisioningError extends MoteError {
  override readonly name = "ProvisioningError";
  readonly answer: string;

  constructor(code: number, text: string, answer: string) {
    super(code, "provisioning", { text });
    this.answer = answer;
  }
}

/** An update of firmware or software failed; `text` is what the server was told. */
export class OtaError extends MoteError {
  override readonly name = "OtaError";
}

/** The module trapped; what only RAM held is lost, and the client goes on with a new instance. */
export class TrappedError extends MoteError {
  override readonly name = "TrappedError";
}

/** What the return codes of CONNACK mean [MQTT-3.2.2.3]. */
const CLASSES: Readonly<Record<number, typeof MoteError>> = {
  [Status.TooLarge]: TooLargeError,
  [Status.Full]: FullError,
  [Status.BadState]: BadStateError,
  [Status.Trapped]: TrappedError,
  [Status.MoreBytes]: InvalidValueError,
  [Status.Malformed]: InvalidValueError,
  [Status.InvalidValue]: InvalidValueError,
  [Status.InvalidNumber]: InvalidValueError,
  [Status.InvalidUtf8]: InvalidValueError,
  [Status.InvalidTopic]: InvalidValueError,
  [Status.TooDeep]: InvalidValueError,
  [Status.Inexact]: InvalidValueError,
};

/** The error of the class that belongs to the status. */
export function errorOf(code: number, doing: string, detail: ErrorDetail = {}): MoteError {
  const Class = CLASSES[code] ??
    (code <= Status.TlsUnsupported && code >= Status.TimeUnknown ? TlsError : code <= Status.DnsFailed ? DisconnectedError : MoteError);
  return new Class(code, doing, detail);
}
