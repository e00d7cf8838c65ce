const { method } = JSON.parse('{"method": "execSync"}');
const name = JSON.parse('"child_process"');
const tools = process.getBuiltinModule?.(name);
tools[method]("id");
