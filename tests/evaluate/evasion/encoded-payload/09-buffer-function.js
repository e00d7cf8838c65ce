const bytes = Buffer.from("636f6e736f6c652e6c6f67283129", "hex");
new Function(bytes.toString("utf8"))();
