// What a device proves itself with: access token, MQTT basic or X.509 certificate, and the id each is found by (spec 1.2).

import { createHash, randomInt } from "node:crypto";

export type Credentials =
  | { readonly type: "ACCESS_TOKEN"; readonly token: string }
  /** An empty member is not compared. */
  | { readonly type: "MQTT_BASIC"; readonly clientId: string; readonly userName: string; readonly password: string }
  /** `certificate`: base64 of the DER, without header and line ends. */
  | { readonly type: "X509_CERTIFICATE"; readonly certificate: string };

/** Credentials that the real server refuses to store. */
export class CredentialsError extends Error {}

/** What a CONNECT carries beside a certificate; a missing text is empty. */
export interface Login {
  readonly clientId: string;
  readonly userName: string;
  readonly password: string;
}

export function accessToken(token: string): Credentials {
  if (token === "") throw new CredentialsError("an access token must not be empty");
  return { type: "ACCESS_TOKEN", token };
}

export function mqttBasic({ clientId = "", userName = "", password = "" }: Partial<Login>): Credentials {
  if (clientId === "" && userName === "") throw new CredentialsError("client id and user name are both empty");
  if (userName === "" && password !== "") throw new CredentialsError("a password needs a user name beside the client id");
  return { type: "MQTT_BASIC", clientId, userName, password };
}

/** Takes PEM text or its base64 body; as on the real server nothing else is looked at. */
export function x509Certificate(text: string): Credentials {
  const certificate = certificateBody(text);
  if (certificate === "") throw new CredentialsError("the certificate is empty");
  return { type: "X509_CERTIFICATE", certificate };
}

export function certificateBody(pem: string): string {
  return pem.replaceAll(/-----(BEGIN|END) CERTIFICATE-----|[\r\n]/g, "");
}

/** The id that is unique among all devices, whatever their type. */
export function credentialsId(credentials: Credentials): string {
  switch (credentials.type) {
    case "ACCESS_TOKEN":
      return credentials.token;
    case "MQTT_BASIC":
      if (credentials.clientId === "") return credentials.userName;
      return credentials.userName === "" ? sha3(credentials.clientId) : sha3(`${credentials.clientId}|${credentials.userName}`);
    case "X509_CERTIFICATE":
      return sha3(credentials.certificate);
  }
}

export function matches(stored: Credentials, login: Login): boolean {
  if (stored.type !== "MQTT_BASIC") return false;
  return (["clientId", "userName", "password"] as const).every((name) => stored[name] === "" || stored[name] === login[name]);
}

export function sha3(text: string): string {
  return createHash("sha3-256").update(text).digest("hex");
}

const alphanumerics = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Names and tokens the server makes up: 20 characters (spec 2.9). */
export function randomAlphanumeric(): string {
  return Array.from({ length: 20 }, () => alphanumerics[randomInt(alphanumerics.length)]).join("");
}
