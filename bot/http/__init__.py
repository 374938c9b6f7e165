"""What faces share over HTTP: keys, waiting, headers, bounds."""
