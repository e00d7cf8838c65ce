function search(list, wanted) {
  let low = 0;
  let high = list.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    if (list[middle] === wanted) return middle;
    if (list[middle] < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
const list = Array.from({ length: 1000 }, (_, i) => i * 3);
console.log(search(list, 297), search(list, 298));
