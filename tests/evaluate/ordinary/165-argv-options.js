const args = process.argv.slice(2).length ? process.argv.slice(2) : ["--name", "x", "--verbose"];
const options = {};
for (let i = 0; i < args.length; i++) {
  const key = args[i].replace(/^--/, "");
  options[key] = args[i + 1] && !args[i + 1].startsWith("--") ? args[++i] : true;
}
console.log(options, process.env.NODE_ENV ?? "development");
