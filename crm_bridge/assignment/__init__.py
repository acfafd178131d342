"""Which seller answers a prospect: fair shares, who is there and has room, offers, and targets."""
