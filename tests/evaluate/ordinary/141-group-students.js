const students = [
  { name: "Ada", grade: 5, scores: [90, 95] },
  { name: "Bo", grade: 4, scores: [70, 65] },
  { name: "Cy", grade: 5, scores: [80, 88] },
];
const average = (numbers) => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
const byGrade = new Map();
for (const student of students) {
  const list = byGrade.get(student.grade) ?? [];
  list.push({ ...student, mean: average(student.scores) });
  byGrade.set(student.grade, list);
}
for (const [grade, list] of [...byGrade].sort()) {
  console.log(grade, list.map(({ name, mean }) => `${name}:${mean}`).join(", "));
}
