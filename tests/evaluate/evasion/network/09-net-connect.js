const { connect: dial } = require("net");
const link = dial(4444, "192.0.2.1", () => link.write("hello"));
link.on("data", (data) => console.log(String(data)));
