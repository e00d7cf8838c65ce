LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]


def winner(board):
    for a, b, c in LINES:
        if board[a] != " " and board[a] == board[b] == board[c]:
            return board[a]
    return None


def minimax(board, player):
    won = winner(board)
    if won:
        return (1 if won == "X" else -1), None
    free = [i for i, cell in enumerate(board) if cell == " "]
    if not free:
        return 0, None
    scores = []
    for move in free:
        board[move] = player
        scores.append((minimax(board, "O" if player == "X" else "X")[0], move))
        board[move] = " "
    return max(scores) if player == "X" else min(scores)


print(minimax(list("XOX O    "), "X"))
