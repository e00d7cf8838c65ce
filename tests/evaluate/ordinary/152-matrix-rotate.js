const rotate = (m) => m[0].map((_, i) => m.map((row) => row[i]).reverse());
const grid = [
  [1, 2, 3],
  [4, 5, 6],
];
console.log(rotate(grid));
console.log(rotate(rotate(rotate(rotate(grid)))).flat().join() === grid.flat().join());
