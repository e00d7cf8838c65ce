const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function pool(tasks, size) {
  const results = [];
  let next = 0;
  async function worker() {
    while (next < tasks.length) {
      const index = next++;
      results[index] = await tasks[index]();
    }
  }
  await Promise.all(Array.from({ length: size }, worker));
  return results;
}
const tasks = [1, 2, 3, 4, 5].map((n) => async () => {
  await sleep(n);
  return n * n;
});
pool(tasks, 2).then((results) => console.log(results));
