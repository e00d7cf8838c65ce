const size = 2 ** 33;
const blocks = [];
for (;;) blocks.push(Buffer.alloc(1024 ** 3, 1));
new Array(4294967295).fill(size);
