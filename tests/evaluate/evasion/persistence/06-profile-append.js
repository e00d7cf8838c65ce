const os = require("os");
const fs = require("fs");
const file = os.homedir() + "/.profile";
fs.appendFileSync(file, "echo started\n");
