// Writes the minified bundles that the Python package ships; --check only compares them with the committed ones.
import { readFile, writeFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const outdir = resolve(here, "../weight_widgets/static");

const { outputFiles } = await build({
  absWorkingDir: here,
  entryPoints: ["crosshair", "export", "grid", "overview", "shell", "zoom"].flatMap((name) => [
    `src/${name}.js`,
    `src/${name}.css`,
  ]),
  outdir,
  bundle: true,
  minify: true,
  format: "esm",
  charset: "utf8",
  target: ["chrome100", "firefox100", "safari15.4"],
  write: false,
});

if (process.argv.includes("--check")) {
  const fresh = await Promise.all(outputFiles.map(async ({ path, text }) => text === (await readOrNull(path))));
  const stale = outputFiles.filter((_, i) => !fresh[i]).map(({ path }) => basename(path));
  if (stale.length > 0) {
    console.error(`Not what js/src builds to: ${stale.join(", ")}. Run "npm run build" in js/ and commit the result.`);
    process.exitCode = 1;
  }
} else {
  await Promise.all(outputFiles.map(({ path, contents }) => writeFile(path, contents)));
}

/** @param {string} path */
async function readOrNull(path) {
  try {
    return await readFile(path, "utf8");
  } catch {
    return null;
  }
}
