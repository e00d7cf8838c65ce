GRID = [
    "530070000", "600195000", "098000060", "800060003", "400803001",
    "700020006", "060000280", "000419005", "000080079",
]
board = [[int(cell) for cell in row] for row in GRID]


def fits(row, column, digit):
    if digit in board[row] or any(board[r][column] == digit for r in range(9)):
        return False
    top, left = 3 * (row // 3), 3 * (column // 3)
    return all(board[top + r][left + c] != digit for r in range(3) for c in range(3))


def solve():
    for row in range(9):
        for column in range(9):
            if board[row][column] == 0:
                for digit in range(1, 10):
                    if fits(row, column, digit):
                        board[row][column] = digit
                        if solve():
                            return True
                        board[row][column] = 0
                return False
    return True


print(solve())
for row in board:
    print("".join(map(str, row)))
