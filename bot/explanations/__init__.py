"""What happened and why, in plain words for operators: the console and the commands share them."""
