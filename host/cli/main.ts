// The `mote` command: options, help, and the exit code.

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import colors from "picocolors";
import { APP_MEMORY_BYTES } from "../../build/generated/abi.ts";
import { runBuild, type BuildOptions } from "./build.ts";
import { runDevice, type DeviceOptions } from "./device.ts";
import { CommandError, ExitCode, isUnread } from "./exit.ts";
import { limitClasses, type LimitLevel, limitLevels, RateLimiter, type RateLimitOptions } from "../server/rateLimits.ts";
import { defaultServerVersion, ServerVersion } from "../server/serverVersion.ts";
import { runServer, type ServerCommandOptions } from "./server.ts";
import { wholeNumber } from "./whole-number.ts";

/** `device.messages=20:1,600:60`, once for each limit. */
function rateLimit(text: string, earlier: RateLimitOptions = {}): RateLimitOptions {
  const [, level, name, rate] = /^(\w+)\.(\w+)=(.+)$/.exec(text) ?? [];
  const isLevel = (limitLevels as readonly string[]).includes(level ?? "");
  if (!isLevel || !(limitClasses as readonly string[]).includes(name ?? "")) {
    throw new InvalidArgumentError(`write LEVEL.CLASS=COUNT:SECONDS with LEVEL ${limitLevels.join(", ")} and CLASS ${limitClasses.join(", ")}.`);
  }
  const limits = { ...earlier, [level as LimitLevel]: { ...earlier[level as LimitLevel], [name!]: rate } };
  try {
    new RateLimiter(limits, Date.now);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
  return limits;
}

function accessToken(text: string): string {
  if (text === "") throw new InvalidArgumentError("a token is not empty.");
  return text;
}

function serverVersion(text: string): string {
  try {
    return new ServerVersion(text).text;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function program(): Command {
  const mote = new Command("mote")
    .description("One MQTT device client for every engine: try it against a local server or any broker.")
    .exitOverride();
  mote.command("server")
    .description("run the local ThingsBoard-compatible server")
    .option("--port <n>", "MQTT port, 0 = any free one", wholeNumber(0, 65535), 1883)
    .option("--rest-port <n>", "REST port, 0 = any free one", wholeNumber(0, 65535), 8080)
    .option("--host <address>", "address to listen at", "127.0.0.1")
    .option("--token <token>", "access token of the demo device", accessToken, "DEMO_TOKEN")
    .option("--tls-certificate <file>", "also listen with TLS: the server's certificate, PEM")
    .option("--tls-key <file>", "its key, PEM")
    .option("--tls-port <n>", "MQTT port with TLS, 0 = any free one; 8883 when absent", wholeNumber(0, 65535))
    .option("--provision-key <key>", "devices with this key and the secret make themselves")
    .option("--provision-secret <secret>", "the secret to the key")
    .option("--gateway", "the demo device is a gateway", false)
    .option("--limit <limit>", "a rate limit such as device.messages=20:1,600:60; once for each", rateLimit)
    .option("--server-version <version>", "behave as this ThingsBoard where versions differ", serverVersion, defaultServerVersion)
    .action((options: ServerCommandOptions) => runServer(options));
  mote.command("device")
    .description("run the demo device")
    .requiredOption("--config <file>", "configuration, one JSON object")
    .addOption(new Option("--engine <engine>", "what runs the module").choices(["wasm3", "aot", "v8"]).default("v8"))
    .option("--host <name>", "broker, in place of mqtt_host")
    .option("--port <n>", "port, in place of mqtt_port", wholeNumber(1, 65535))
    .option("--interval <ms>", "time between two telemetry messages, in place of interval_ms of host", wholeNumber(1, 86_400_000))
    .option("--app <file>", "run this app module, built by `mote build`, in place of the demo device")
    .option("--retry", "keep trying when the first connection fails", false)
    .option("--json", "one JSON object a line", false)
    .action((options: DeviceOptions) => runDevice(options));
  mote.command("build")
    .description("compile an app module")
    .argument("<app.ts>", "its entry file, AssemblyScript")
    .option("--out <file>", "where to write it; build/apps/<name>.wasm when absent")
    .option("--memory <bytes>", "linear memory that the app is given", wholeNumber(1024, 65536), APP_MEMORY_BYTES)
    .option("--message <bytes>", "the largest message record that it builds; 512 when absent", wholeNumber(64, 32768))
    .option("--event <bytes>", "its event buffer; 512 when absent", wholeNumber(64, 32768))
    .option("--heap", "let the app allocate; nothing is ever freed", false)
    .option("--floats", "the target's engine has floats", false)
    .action((entry: string, options: BuildOptions) => runBuild(entry, options));
  return mote;
}

/** The exit code; what went wrong is on the standard error by then. */
async function main(): Promise<number> {
  try {
    await program().parseAsync();
    return ExitCode.Ok;
  } catch (error) {
    // Commander has printed its message; help and version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage;
    if (!(error instanceof CommandError)) throw error;
    const paint = colors.createColors(colors.isColorSupported && process.stderr.isTTY === true);
    process.stderr.write(`${paint.red("mote:")} ${error.message}\n${error.hint && `      ${error.hint}\n`}`);
    return error.exitCode;
  }
}

// A reader that has gone away wants no more; who waits for the end hears of it too (exit.ts).
for (const stream of [process.stdout, process.stderr]) stream.on("error", (error) => { if (!isUnread(error)) throw error; });
process.exitCode = await main();
