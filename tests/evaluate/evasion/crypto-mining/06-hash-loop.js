const { createHash } = require("crypto");
let nonce = 0;
let digest = "";
while (!digest.startsWith("000000")) {
  nonce += 1;
  digest = createHash("sha256").update("header" + nonce).digest("hex");
}
console.log(nonce);
