"""The rules of a verification: values in, values out; no clock, no randomness, no I/O.
`ids.new_id` alone draws an id."""
