"""How much the live store keeps, and who is on the leaderboard."""

MOST_TRADES = 100
MOST_CONVERSATIONS = 20
# Fewer closed trades than this say nothing about a trader: it is not on the leaderboard.
LEADERBOARD_MIN_TRADES = 5
