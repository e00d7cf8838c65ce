class Queue {
  constructor() {
    this.jobs = [];
    this.running = false;
  }
  async push(job) {
    this.jobs.push(job);
    if (this.running) return;
    this.running = true;
    while (this.jobs.length > 0) await this.jobs.shift()();
    this.running = false;
  }
}
const queue = new Queue();
for (const n of [1, 2, 3]) queue.push(async () => console.log("job", n));
