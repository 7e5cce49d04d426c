// REST for OTA packages on ThingsBoard's paths: information first, then the file, or a URL in its place.

import multipart from "@fastify/multipart";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type ChecksumAlgorithm, checksumAlgorithms } from "./checksums.ts";
import { type JsonObject, JsonNumber, printString } from "./json.ts";
import { OtaBoundError, type OtaPackage, type OtaPackageInfo, type OtaPackages, otaTypes } from "./ota.ts";
import { type PageQuery, printPage, refuseId, requireObject, type RestContext, RestError, sendJson } from "./restCommon.ts";

interface PackageRoute {
  Params: { packageId: string };
  Querystring: { checksum?: string; checksumAlgorithm?: string };
}

export function addOtaRoutes(app: FastifyInstance, { packages, devices }: RestContext): void {
  const { fileBytes: fileBytesMax } = packages.bounds;
  void app.register(multipart, { limits: { fileSize: fileBytesMax, files: 1 }, throwFileSizeLimit: true });
  app.addContentTypeParser("application/octet-stream", { parseAs: "buffer", bodyLimit: fileBytesMax }, (_request, body, done) => done(null, body));
  app.post("/api/otaPackage", async (request, reply) => {
    const body = requireObject(request.body);
    const info = readInfo(body);
    if (packages.find(info) !== undefined) throw new RestError(400, "OtaPackage with such title and version already exists!");
    const otaPackage = bounded(() => packages.add(info));
    if (info.url !== null) describeUrl(otaPackage, body);
    return sendJson(reply, printPackage(otaPackage));
  });
  app.post<PackageRoute>("/api/otaPackage/:packageId", { bodyLimit: fileBytesMax }, async (request, reply) => {
    const otaPackage = requirePackage(packages, request.params.packageId);
    const algorithm = readAlgorithm(request.query.checksumAlgorithm);
    if (otaPackage.url !== null) throw new RestError(400, "Can't upload data: the package has a URL!");
    if (otaPackage.data !== null) throw new RestError(400, "Updating otaPackage data is prohibited!");
    const file = await readFile(request);
    if (file.data.length === 0) throw new RestError(400, "OtaPackage data should be specified!");
    bounded(() => packages.upload(otaPackage, file.data, algorithm));
    const { checksum } = request.query;
    if (checksum && checksum.toLowerCase() !== otaPackage.checksum) {
      otaPackage.data = null;
      throw new RestError(400, "Wrong otaPackage file!");
    }
    otaPackage.fileName = file.fileName;
    otaPackage.contentType = file.contentType;
    return sendJson(reply, printPackage(otaPackage));
  });
  app.get<{ Querystring: PageQuery }>("/api/otaPackages", async ({ query }, reply) =>
    sendJson(reply, printPage([...packages].map(printPackage), query)),
  );
  for (const path of ["/api/otaPackage/:packageId", "/api/otaPackage/info/:packageId"]) {
    app.get<PackageRoute>(path, async ({ params }, reply) => sendJson(reply, printPackage(requirePackage(packages, params.packageId))));
  }
  app.get<PackageRoute>("/api/otaPackage/:packageId/download", async ({ params }, reply) => {
    const { data } = requirePackage(packages, params.packageId);
    if (data === null) throw new RestError(404, "the package has no data");
    return reply.type("application/octet-stream").send(data);
  });
  app.delete<PackageRoute>("/api/otaPackage/:packageId", async ({ params }, reply) => {
    const otaPackage = requirePackage(packages, params.packageId);
    if ([...devices].some((device) => device.assignedPackages[otaPackage.type] === otaPackage)) {
      throw new RestError(400, "The otaPackage referenced by the devices cannot be deleted!");
    }
    packages.delete(otaPackage.id);
    return reply.status(200).send();
  });
}

function bounded<Result>(action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw error instanceof OtaBoundError ? new RestError(429, error.message) : error;
  }
}

function requirePackage(packages: OtaPackages, id: string): OtaPackage {
  return packages.byId(id) ?? refuseId("OTA package", id);
}

function readInfo(body: JsonObject): OtaPackageInfo {
  const type = otaTypes.find((each) => each === body.get("type"));
  if (type === undefined) throw new RestError(400, `"type" must be one of ${otaTypes.join(", ")}`);
  const title = readText(body, "title");
  const version = readText(body, "version");
  if (title === null) throw new RestError(400, "OtaPackage title should be specified!");
  if (version === null) throw new RestError(400, "OtaPackage version should be specified!");
  const url = readText(body, "url");
  if (body.get("usesUrl") === true && url === null) throw new RestError(400, "Ota package URL should be specified!");
  return { type, title, version, tag: readText(body, "tag"), url };
}

/** null when absent, null or empty. */
function readText(body: JsonObject, name: string): string | null {
  const value = body.get(name) ?? "";
  if (typeof value !== "string") throw new RestError(400, `"${name}" must be a text`);
  return value === "" ? null : value;
}

/** What the caller knows of the file behind a URL. */
function describeUrl(otaPackage: OtaPackage, body: JsonObject): void {
  const size = body.get("dataSize");
  const algorithm = readText(body, "checksumAlgorithm");
  if (algorithm !== null) otaPackage.checksumAlgorithm = readAlgorithm(algorithm);
  otaPackage.checksum = readText(body, "checksum");
  if (size instanceof JsonNumber && /^\d+$/.test(size.text)) otaPackage.sizeBytes = Number(size.text);
  else if (size != null) throw new RestError(400, '"dataSize" must be a count of bytes');
}

function readAlgorithm(text: string | undefined): ChecksumAlgorithm {
  const algorithm = checksumAlgorithms.find((each) => each === text);
  if (algorithm === undefined) throw new RestError(400, `"checksumAlgorithm" must be one of ${checksumAlgorithms.join(", ")}`);
  return algorithm;
}

interface UploadedFile {
  readonly data: Buffer;
  readonly fileName: string | null;
  readonly contentType: string | null;
}

/** The part "file" of a form, or the body itself as application/octet-stream. */
async function readFile(request: FastifyRequest): Promise<UploadedFile> {
  if (Buffer.isBuffer(request.body)) return { data: request.body, fileName: null, contentType: "application/octet-stream" };
  if (!request.isMultipart()) throw new RestError(400, "the file must come as multipart/form-data or application/octet-stream");
  const part = await request.file();
  if (part?.fieldname !== "file") throw new RestError(400, 'the form must have a part "file"');
  return { data: await part.toBuffer(), fileName: part.filename, contentType: part.mimetype };
}

function printPackage(otaPackage: OtaPackage): string {
  const { id, createdAtMs, type, title, version, tag, url, data, fileName, contentType, checksumAlgorithm, checksum, sizeBytes } = otaPackage;
  const members: [string, string | number | boolean | null][] = [
    ["createdTime", createdAtMs],
    ["type", type],
    ["title", title],
    ["version", version],
    ["tag", tag],
    ["url", url],
    ["hasData", data !== null || url !== null],
    ["fileName", fileName],
    ["contentType", contentType],
    ["checksumAlgorithm", checksumAlgorithm],
    ["checksum", checksum],
    ["dataSize", sizeBytes],
  ];
  const printed = members.map(([name, value]) => `"${name}":${typeof value === "string" ? printString(value) : value}`);
  return `{"id":{"entityType":"OTA_PACKAGE","id":"${id}"},${printed.join(",")}}`;
}
