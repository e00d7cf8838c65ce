from collections import deque

MAZE = ["S.#.....", "..#.###.", ".##.#...", "....#.#E"]
start = next((r, c) for r, row in enumerate(MAZE) for c, cell in enumerate(row) if cell == "S")
queue = deque([(start, 0)])
seen = {start}
answer = None
while queue:
    (row, column), steps = queue.popleft()
    if MAZE[row][column] == "E":
        answer = steps
        break
    for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        r, c = row + dr, column + dc
        if 0 <= r < len(MAZE) and 0 <= c < len(MAZE[0]) and MAZE[r][c] != "#" and (r, c) not in seen:
            seen.add((r, c))
            queue.append(((r, c), steps + 1))
print("steps:", answer)
