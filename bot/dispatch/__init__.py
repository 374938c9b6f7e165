"""The dispatcher: a loop that sends and expires, and a thread for each other duty."""
